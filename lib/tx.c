#include "config.h"

#include "tx.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"

#include "sql/lib.h"

#include <openssl/sha.h>
#include <string.h>

#define FIRST_BACKOFF_US (INT64_C(200) * 1000)

static bool
route_has(const struct req *r, unsigned flags)
{
	return (r->route->flags & flags) != 0;
}

static const char *
request_hash(struct req *r)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char *hex = arena_alloc(r->arena, sizeof(hash) * 2 + 1);

	SHA256((const unsigned char *)r->body, r->body_len, hash);
	for (size_t i = 0; i < sizeof(hash); i++) {
		hex[2 * i] = "0123456789abcdef"[hash[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
	}
	return hex;
}

/* A key of our own lives beside the clients', so that neither can be taken for the other. */
static const char *
operation(struct req *r)
{
	return arena_printf(r->arena, "%s %s%s", r->route->method, r->route->pattern,
	    r->own_key ? " (own key)" : "");
}

static void
ask_account(struct req *r)
{
	if (r->who.role == ROLE_TABLE)
		r->db->account = sql_account_table(r, r->who.account_id, r->who.jti);
	else if (r->who.role == ROLE_STORE_ADMIN)
		r->db->account = sql_account_admin(r, r->who.account_id, r->who.jti);
	else if (r->who.role == ROLE_SUPER_ADMIN)
		r->db->account = sql_account_super_admin(r, r->who.account_id, r->who.jti);
}

static void
begin(struct req *r)
{
	bool reads = !route_has(r, RT_WRITE | RT_COMMITS);
	bool platform = route_has(r, RT_PLATFORM) || r->who.role == ROLE_SUPER_ADMIN;

	if (route_has(r, RT_SNAPSHOT))
		db_command(r, "begin isolation level repeatable read read only");
	else
		db_command(r, reads ? "begin read only" : "begin");
	if (platform) {
		db_command(r, "set local role table_order_platform");
	} else {
		r->store.id = r->who.store_id;
		sql_tenant_set(r, r->store.id);
	}
	if (route_has(r, RT_WRITE))
		r->db->counter = sql_counter_lock(r, r->who.store_id);
	ask_account(r);
	if (route_has(r, RT_IDEMPOTENT))
		r->db->idempotency =
		    sql_idempotency_find(r, r->who.subject, operation(r), r->idempotency_key);
}

static void
check_account(struct req *r)
{
	const struct rows *a = r->db->account;

	if (a == NULL)
		return;
	if (!row_bool(a, 0, "is_active") || row_bool(a, 0, "is_revoked") ||
	    row_int(a, 0, "gen") != r->who.gen)
		req_fail(r, ERR_TOKEN_INVALID);
	r->store.now = row_text(a, 0, "now");
	r->store.today = row_text(a, 0, "today");
}

static void
check_counter(struct req *r)
{
	const struct rows *c = r->db->counter;

	if (c == NULL)
		return;
	if (rows_count(c) == 0)
		req_fail(r, ERR_TOKEN_INVALID); /* the store is gone */
	r->store.last_seq = row_int(c, 0, "last_seq");
	r->store.counter_date = row_text(c, 0, "business_date");
	r->store.last_order_number = row_int(c, 0, "last_order_number");
}

/* A known key: the first answer again, or a refusal when it was another request; not where a
 * statement failed, for no commit could follow that waits for the standby. */
static void
check_idempotency(struct req *r)
{
	const struct rows *k = r->db->idempotency;
	struct header *replayed;

	if (req_failed(r) || r->db->failed || k == NULL || rows_count(k) == 0)
		return;
	if (strcmp(row_text(k, 0, "request_hash"), r->db->request_hash) != 0) {
		req_fail(r, ERR_IDEMPOTENCY_KEY_REUSED);
		return;
	}
	r->reply.status = (int)row_int(k, 0, "status");
	r->reply.content_type = "application/json; charset=utf-8";
	r->reply.body = row_text(k, 0, "body");
	r->reply.body_len = strlen(r->reply.body);
	if (!row_is_null(k, 0, "location"))
		r->reply.location = row_text(k, 0, "location");
	if (!r->own_key) {
		replayed = arena_alloc(r->arena, sizeof(*replayed));
		*replayed = (struct header) { "Idempotent-Replayed", "true", r->reply.headers };
		r->reply.headers = replayed;
	}
	r->finished = true;
}

static void
check(struct req *r)
{
	check_account(r);
	check_counter(r);
	check_idempotency(r);
}

void
tx_lock_store(struct req *r, const char *store_id)
{
	struct rows *counter = sql_counter_lock(r, store_id);
	struct rows *clock = sql_clock(r);

	/* not before check(), to which a counter that is not there means a token without a store */
	db_flush(r);
	r->db->counter = counter;
	/* as the database writes it: a UUID has other spellings, too */
	r->store.id = rows_count(counter) > 0 ? row_text(counter, 0, "store_id") : store_id;
	r->store.last_seq = row_int(counter, 0, "last_seq");
	r->store.now = row_text(clock, 0, "now");
}

void
tx_start(struct req *r)
{
	r->db = arena_alloc(r->arena, sizeof(*r->db));
	r->db->begin = begin;
	r->db->check = check;
	if (route_has(r, RT_IDEMPOTENT))
		r->db->request_hash = request_hash(r);
}

/* What stands behind the handler's last statement. */
static void
queue_epilogue(struct req *r)
{
	const struct store *s = &r->store;

	if (route_has(r, RT_IDEMPOTENT))
		sql_idempotency_keep(r, r->who.subject, operation(r), r->idempotency_key,
		    r->db->request_hash, r->reply.status, r->reply.location, r->reply.body);
	if (s->number_moved)
		sql_counter_number(r, s->id, s->last_seq, s->counter_date, s->last_order_number);
	else if (s->seq_moved)
		sql_counter_seq(r, s->id, s->last_seq);
}

/* Committed here, but on no standby: not to be acknowledged. */
static void
check_standby(struct req *r)
{
	if (req_failed(r) || !pg_standby_skipped(r->db->pg))
		return;
	r->db->lost = true;
	req_fail_retry(r, ERR_DEPENDENCY_UNAVAILABLE, 2);
	r->error_note = "the standby did not confirm the commit";
}

static void
commit(struct req *r)
{
	bool finished = r->finished;

	/* a replay commits too: with the locked row it waits for the standby as the first answer
	 * did */
	r->finished = false;
	if (!finished)
		queue_epilogue(r);
	db_command(r, "commit");
	r->db->commits = true;
	db_flush(r);
	check_standby(r);
	if (!req_failed(r))
		r->finished = finished;
}

/* Whether the request was refused because of what it read with its store's counter locked. */
static bool
refused_by_data(const struct req *r)
{
	const struct db *db = r->db;

	return db->pg != NULL && db->checked && !db->lost && !db->conflict &&
	    r->error != ERR_NONE && error_status(r->error) < 500 && route_has(r, RT_WRITE);
}

/* A primary that was frozen while another took its place goes on for a moment when it thaws: what
 * it has not heard of it would call missing. So a refusal waits for a standby as a commit does, by
 * a transaction with nothing but a locked row. */
static void
confirm_refusal(struct req *r)
{
	enum error_code refused = r->error;
	json_object *details = r->error_details;

	db_rollback(r);
	r->error = ERR_NONE;
	r->error_details = NULL;
	db_command(r, "begin");
	sql_tenant_set(r, r->who.store_id);
	sql_counter_lock(r, r->who.store_id);
	db_command(r, "commit");
	db_flush(r);
	check_standby(r);
	if (req_failed(r))
		return;
	r->error = refused;
	r->error_details = details;
}

static bool
writes(const struct req *r)
{
	return route_has(r, RT_WRITE | RT_COMMITS);
}

/* What this attempt says of a COMMIT whose end nobody saw, its own or an earlier one's. An attempt
 * that got its transaction's answers has found the key, or has held the store's lock and found
 * none. */
static bool
leaves_doubt(const struct req *r)
{
	const struct db *db = r->db;

	if (db->lost && db->commits)
		return writes(r);
	return r->in_doubt && !db->checked;
}

/* Whether another run may do better, or alone can tell. */
static bool
worth_another(const struct req *r)
{
	const struct db *db = r->db;

	if (db->conflict)
		return true;
	/* perhaps committed, and no key to settle it by */
	if (db->lost && db->commits && writes(r))
		return route_has(r, RT_IDEMPOTENT);
	return db->lost;
}

/* Waits before another attempt; false when there is no time left for one. The end of a connection
 * that was kept says nothing of the server, so there is nothing to wait for. */
static bool
back_off(const struct req *r, int attempt)
{
	int64_t wait_us = r->db->lost && !r->db->reused ? FIRST_BACKOFF_US << attempt : 0;

	if (clock_mono_us() + wait_us >= r->db_until_us)
		return false;
	clock_wait_us(wait_us);
	return true;
}

enum tx_end
tx_finish(struct req *r, int attempt)
{
	struct db *db = r->db;
	bool again;

	if (db->pg != NULL && r->error == ERR_NONE && writes(r))
		commit(r);
	else if (db->pg != NULL && r->error == ERR_NONE && db->pending_count > 0)
		db_flush(r);
	else if (refused_by_data(r))
		confirm_refusal(r);
	if (db->lost && db->commits && writes(r))
		metrics_add(METRIC_DB_COMMITS_IN_DOUBT, "", 1);
	r->in_doubt = leaves_doubt(r);
	again = r->error != ERR_NONE && attempt + 1 < TX_ATTEMPTS && worth_another(r);
	db_release(r);
	if (db->lost)
		pg_pool_drop_idle(r->app->pool);
	if (!again || !back_off(r, attempt))
		return TX_DONE;
	log_warning(
	    "request runs again", LOG_S("request_id", r->id), LOG_S("cause", r->error_note));
	metrics_add(METRIC_REQUEST_RETRIES, "", 1);
	return TX_AGAIN;
}
