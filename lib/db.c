#include "config.h"

#include "db.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

#define PENDING_LIMIT ((int)(sizeof(((struct db *)NULL)->pending) / sizeof(struct rows *)))

struct rows {
	const PGresult *result; /* NULL until the flush, and after a failure */
	const char *statement;
};

static void
clear_result(void *result)
{
	PQclear(result);
}

/* "" for what was only skipped. */
static const char *
sqlstate(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return state != NULL ? state : "";
}

/* SQLSTATE (PostgreSQL manual, appendix A) -> what the client is told. */
static enum error_code
error_of_sqlstate(const char *state)
{
	static const struct {
		const char *prefix;
		enum error_code code;
	} map[] = {
		{ "08", ERR_DEPENDENCY_UNAVAILABLE },    /* connection */
		{ "53", ERR_DEPENDENCY_UNAVAILABLE },    /* out of disk, memory, connections */
		{ "55P03", ERR_DEPENDENCY_UNAVAILABLE }, /* lock not available in time */
		{ "57", ERR_DEPENDENCY_UNAVAILABLE },    /* shut down, cancelled, starting up */
		{ "25006", ERR_DEPENDENCY_UNAVAILABLE }, /* a standby: it was demoted */
		{ "40", ERR_DEPENDENCY_UNAVAILABLE },    /* serialization, deadlock, twice */
	};

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (strncmp(state, map[i].prefix, strlen(map[i].prefix)) == 0)
			return map[i].code;
	return ERR_INTERNAL_ERROR;
}

/* A constraint that a client can run into: what it is told, and of which field. */
struct constraint {
	const char *name;
	enum error_code code;
	const char *field;
};

/* NULL: one that is ours to keep. */
static const struct constraint *
find_constraint(const char *name)
{
	static const struct constraint map[] = {
		{ "stores_code_key", ERR_STORE_CODE_TAKEN, "code" },
		{ "stores_time_zone_check", ERR_INVALID_REQUEST, "time_zone" },
		{ "admins_username_key", ERR_USERNAME_TAKEN, "username" },
		{ "admins_store_fkey", ERR_STORE_NOT_FOUND, "store_id" },
		{ "dining_tables_number_key", ERR_TABLE_NUMBER_TAKEN, "table_number" },
		{ "dining_tables_table_number_check", ERR_INVALID_REQUEST, "table_number" },
		{ "menu_categories_name_key", ERR_CATEGORY_NAME_TAKEN, "name" },
		{ "menus_category_fkey", ERR_CATEGORY_NOT_FOUND, "category_id" },
	};

	for (size_t i = 0; name != NULL && i < sizeof(map) / sizeof(map[0]); i++)
		if (strcmp(name, map[i].name) == 0)
			return &map[i];
	return NULL;
}

/* The server is going away, or was demoted under us: another connection may find the one that
 * serves now. Such a statement has done nothing. */
static bool
is_server_lost(const char *state)
{
	static const char *const prefixes[] = { "08", "25006", "57P0" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(state, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void
fail_away(struct req *r, const char *note)
{
	if (req_failed(r))
		return;
	req_fail_retry(r, ERR_DEPENDENCY_UNAVAILABLE, 2);
	r->error_note = note;
}

/* Takes a connection at the first statement. */
static bool
connected(struct req *r)
{
	enum pg_refusal why;

	if (r->db->pg != NULL)
		return true;
	if (r->db->lost)
		return false;
	if (r->db_until_us == 0)
		r->db_until_us = clock_mono_us() + DB_TIME_US;
	r->db->pg = pg_pool_get(r->app->pool, &r->db_until_us, &why);
	if (r->db->pg == NULL)
		fail_away(
		    r, why == PG_BUSY ? "no database connection is free" : "database is away");
	return r->db->pg != NULL;
}

static bool
route_writes(const struct req *r)
{
	return (r->route->flags & (RT_WRITE | RT_COMMITS)) != 0;
}

static struct rows *
pending(struct req *r, const char *statement)
{
	struct db *db = r->db;
	struct rows *rows = arena_alloc(r->arena, sizeof(*rows));

	rows->statement = statement;
	if (db->pending_count == PENDING_LIMIT)
		abort(); /* a programmer's mistake */
	db->pending[db->pending_count++] = rows;
	return rows;
}

static struct rows *
no_rows(struct req *r)
{
	return arena_alloc(r->arena, sizeof(struct rows));
}

struct rows *
db_query(struct req *r, const struct sql *s, const char *const *values)
{
	/* a store's hundred events are more than a flush takes */
	if (r->db->pending_count == PENDING_LIMIT - 1 && route_writes(r))
		db_flush(r);
	if (req_failed(r) || !connected(r))
		return no_rows(r);
	if (!r->db->begun) {
		r->db->begun = true;
		r->db->begin(r);
		r->db->prologue = r->db->pending_count;
	}
	pg_queue(r->db->pg, s, values);
	return pending(r, s->name);
}

void
db_command(struct req *r, const char *command)
{
	if (req_failed(r) || !connected(r))
		return;
	pg_queue_text(r->db->pg, command);
	pending(r, command);
}

static void
fail_statement(struct req *r, const PGresult *result, const char *statement)
{
	const char *state = sqlstate(result);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const struct constraint *constraint =
	    find_constraint(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
	enum error_code code;

	code = error_of_sqlstate(state);
	r->db->conflict = strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0;
	if (is_server_lost(state)) {
		r->db->lost = true;
		r->db->commits = false; /* it was skipped, behind this one */
		pg_condemn(r->db->pg);
	}
	if (req_failed(r))
		return;
	if (constraint != NULL) {
		json_object *details = json_new_object(r->arena);

		json_put_text(details, "field", constraint->field);
		req_fail_details(r, constraint->code, details);
	} else if (code == ERR_DEPENDENCY_UNAVAILABLE) {
		fail_away(r, NULL);
	} else {
		req_fail(r, code);
	}
	r->error_note = arena_printf(r->arena, "%s: %s %s", statement, state,
	    message != NULL ? message : PQresultErrorMessage(result));
}

/* Hands out the results of a flush. Returns the first that failed; n: none did. */
static int
deliver(struct req *r, PGresult **results, int n)
{
	int failed = n;

	for (int i = 0; i < n; i++) {
		ExecStatusType status = PQresultStatus(results[i]);

		arena_defer(r->arena, clear_result, results[i]);
		if (status == PGRES_TUPLES_OK)
			r->db->pending[i]->result = results[i];
		else if (failed == n && status != PGRES_COMMAND_OK)
			failed = i;
	}
	return failed;
}

/* Judges what stands before the handler's statements, once it is there: who may not ask does not
 * hear what became of those. A server that was demoted is no judge. */
static void
check(struct req *r, PGresult **results, int failed)
{
	if (r->db->checked || failed < r->db->prologue)
		return;
	if (r->db->failed && is_server_lost(sqlstate(results[failed])))
		return;
	r->db->checked = true;
	r->db->check(r);
}

void
db_flush(struct req *r)
{
	struct db *db = r->db;
	PGresult *results[PENDING_LIMIT];
	int n, failed;

	if (req_failed(r) || db->pg == NULL)
		return;
	if (db->commits && !route_writes(r))
		abort(); /* a read flushes once: a programmer's mistake */
	if (!route_writes(r)) {
		db_command(r, "commit");
		db->commits = true;
	}
	n = db->pending_count;
	db->reused = pg_reused(db->pg);
	r->db_trips++;
	if (pg_flush(db->pg, results, n) == -1) {
		db->lost = true;
		fail_away(r, arena_strdup(r->arena, pg_error(db->pg)));
		db->pending_count = 0;
		return;
	}
	failed = deliver(r, results, n);
	db->failed = failed < n;
	check(r, results, failed);
	if (db->failed)
		fail_statement(r, results[failed], db->pending[failed]->statement);
	db->pending_count = 0;
}

void
db_rollback(struct req *r)
{
	struct db *db = r->db;
	PGresult *results[PENDING_LIMIT + 1];
	int n = db->pending_count;

	db->pending_count = 0;
	if (db->lost || (n == 0 && !pg_in_transaction(db->pg)))
		return;
	/* what was queued but not sent belongs to a request that failed */
	pg_queue_text(db->pg, "rollback");
	if (pg_flush(db->pg, results, n + 1) == 0)
		while (n >= 0)
			PQclear(results[n--]);
}

void
db_release(struct req *r)
{
	struct db *db = r->db;

	if (db->pg == NULL)
		return;
	db_rollback(r);
	pg_pool_put(r->app->pool, db->pg);
	db->pg = NULL;
}

int
rows_count(const struct rows *rows)
{
	return rows->result != NULL ? PQntuples(rows->result) : 0;
}

/* The column's number; -1 when there is no such row. */
static int
find_column(const struct rows *rows, int i, const char *column)
{
	int n;

	if (i < 0 || i >= rows_count(rows))
		return -1;
	n = PQfnumber(rows->result, column);
	if (n == -1) {
		fprintf(stderr, "statement %s has no column %s\n", rows->statement, column);
		abort();
	}
	return n;
}

bool
row_is_null(const struct rows *rows, int i, const char *column)
{
	int n = find_column(rows, i, column);

	return n == -1 || PQgetisnull(rows->result, i, n) != 0;
}

const char *
row_text(const struct rows *rows, int i, const char *column)
{
	int n = find_column(rows, i, column);

	return n == -1 ? "" : PQgetvalue(rows->result, i, n);
}

int64_t
row_int(const struct rows *rows, int i, const char *column)
{
	return strtoll(row_text(rows, i, column), NULL, 10);
}

bool
row_bool(const struct rows *rows, int i, const char *column)
{
	return row_text(rows, i, column)[0] == 't';
}

const char *
db_time(struct req *r, const char *timestamptz)
{
	size_t n = strlen(timestamptz);
	char *s;

	/* the session writes 2026-01-31 12:00:00.123456+00 */
	if (n < 22)
		return "";
	s = arena_printf(r->arena, "%.*sZ", (int)(n - 3), timestamptz);
	s[10] = 'T';
	return s;
}

const char *
row_time(struct req *r, const struct rows *rows, int i, const char *column)
{
	return db_time(r, row_text(rows, i, column));
}

const char *
db_int(struct req *r, int64_t n)
{
	return arena_printf(r->arena, "%lld", (long long)n);
}

const char *
db_id(struct req *r, int64_t id)
{
	return id != 0 ? db_int(r, id) : NULL;
}

const char *
db_bool(bool b)
{
	return b ? "t" : "f";
}
