/* doctor: the database, and what is in it. */
#include "config.h"

#include "doctor.h"

#include "clock.h"
#include "dial.h"
#include "orderctl.h"

#include "sql/doctor.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define PLAN PKGDATADIR "/db/sqitch.plan"
#define CONNECT_US (5 * CLOCK_SECOND_US)
#define POSTGRESQL 15
/* Clocks of hosts should agree better than tokens (their iat) and business days need. */
#define CLOCK_WARNING_S 1.0
#define CLOCK_FAILED_S 10.0
/* An event is published within a second. */
#define OUTBOX_WARNING_S 10
#define OUTBOX_FAILED_S 60
#define MONTHS_AHEAD 3

static const char *
text(const PGresult *r, int column)
{
	return PQgetvalue(r, 0, column);
}

static int64_t
number(const PGresult *r, int column)
{
	return strtoll(text(r, column), NULL, 10);
}

static bool
is_true(const PGresult *r, int column)
{
	return strcmp(text(r, column), "t") == 0;
}

/* --- connecting and asking ---------------------------------------------------------------------
 */

PGconn *
doctor_connect(const char *key, const char *url, struct finding *f)
{
	char why[DIAL_ERROR_SIZE];
	PGconn *db;
	int host;

	if (*url == '\0') {
		doctor_say(f, SEEN_FAILED, "%s is not set", key);
		doctor_remedy(f, "set %s in %s", key, conf_path());
		return NULL;
	}
	db = dial(url, clock_mono_us() + CONNECT_US, &host, why);
	if (db != NULL)
		return db;
	doctor_say(f, SEEN_FAILED, "%s", why);
	if (strstr(why, "read-only") != NULL || strstr(why, "standby") != NULL)
		doctor_remedy(f,
		    "name every server in %s and promote one; on a primary, find out who set "
		    "default_transaction_read_only",
		    key);
	else
		doctor_remedy(f, "start the database, or correct %s in %s", key, conf_path());
	return NULL;
}

PGresult *
doctor_row(PGconn *db, const struct sql *s, const char *const *values, struct finding *f)
{
	PGresult *r = PQexecParams(db, s->text, s->params, NULL, values, NULL, NULL, 0);
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	char why[500];

	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		return r;
	dial_one_line(why, sizeof(why),
	    state != NULL ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : PQerrorMessage(db));
	doctor_say(f, SEEN_FAILED, "%s", why);
	/* undefined table, column or function */
	if (state != NULL && strncmp(state, "42", 2) == 0)
		doctor_remedy(f, "run `orderctl migrate` as the owner of the schema");
	PQclear(r);
	return NULL;
}

/* As the owner. The process ends with the look: nothing is given back. */
static PGresult *
ask(const struct doctor *d, const struct sql *s, const char *const *values, struct finding *f)
{
	PGconn *db = doctor_connect("DATABASE_OWNER_URL", d->conf->database_owner_url, f);

	return db != NULL ? doctor_row(db, s, values, f) : NULL;
}

/* --- the server --------------------------------------------------------------------------------
 */

void
look_database(const struct doctor *d, struct finding *f)
{
	PGconn *db = doctor_connect(d->key, d->value, f);
	PGresult *r = db != NULL ? doctor_row(db, &SQL_DOCTOR_SESSION, NULL, f) : NULL;

	if (r == NULL)
		return;
	/* a URL may ask for such a server by its target_session_attrs */
	if (strcmp(text(r, 3), "t") == 0 || strcmp(text(r, 4), "on") == 0) {
		doctor_say(f, SEEN_FAILED, "%s:%s takes no writes", PQhost(db), PQport(db));
		doctor_remedy(f, "target_session_attrs in %s must be read-write", d->key);
	} else if (strcmp(text(r, 5), "UTC") != 0) {
		doctor_say(f, SEEN_WARNING, "the time zone of %s is %s", text(r, 0), text(r, 5));
		doctor_remedy(f, "alter role %s set timezone = 'UTC'", text(r, 0));
	} else {
		doctor_say(f, SEEN_OK, "%s at %s:%s", text(r, 0), PQhost(db), PQport(db));
	}
}

void
look_version(const struct doctor *d, struct finding *f)
{
	PGresult *r = ask(d, &SQL_DOCTOR_SESSION, NULL, f);
	int64_t major = r != NULL ? number(r, 2) / 10000 : 0;

	if (r == NULL)
		return;
	doctor_say(f,
	    major < POSTGRESQL       ? SEEN_FAILED
		: major > POSTGRESQL ? SEEN_WARNING
				     : SEEN_OK,
	    "PostgreSQL %s", text(r, 1));
	if (major > POSTGRESQL)
		doctor_remedy(f, "table-order is tested with PostgreSQL %d", POSTGRESQL);
}

void
look_commit(const struct doctor *d, struct finding *f)
{
	PGconn *db = doctor_connect("DATABASE_URL", d->conf->database_url, f);
	int64_t start_us = clock_mono_us();
	PGresult *r = db != NULL ? doctor_row(db, &SQL_DOCTOR_COMMIT, NULL, f) : NULL;

	if (r == NULL)
		return;
	doctor_say(
	    f, SEEN_OK, "a commit took %" PRId64 " ms", (clock_mono_us() - start_us + 500) / 1000);
	if (strcmp(text(r, 1), "on") != 0) {
		doctor_say(f, SEEN_FAILED, "fsync is off: a crash may destroy the database");
		doctor_remedy(f, "set fsync = on in postgresql.conf and reload");
	} else if (strcmp(text(r, 2), "on") != 0 && strcmp(text(r, 2), "remote_apply") != 0) {
		doctor_say(f, SEEN_FAILED,
		    "synchronous_commit is %s: orders are acknowledged before they are safe",
		    text(r, 2));
		doctor_remedy(f, "set it to on, in postgresql.conf or for the role, and reload");
	}
}

/* Who a URL logs in as. */
static const char *
user_of(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, "user") == 0 && o->val != NULL)
			return o->val;
	return "";
}

void
look_roles(const struct doctor *d, struct finding *f)
{
	const char *const values[] = { user_of(d->conf->database_owner_url),
		user_of(d->conf->database_url), user_of(d->conf->dispatcher_database_url),
		user_of(d->conf->relay_database_url) };
	PGresult *r = ask(d, &SQL_DOCTOR_ROLES, values, f);

	if (r != NULL && PQgetisnull(r, 0, 0))
		doctor_say(
		    f, SEEN_OK, "%s, %s, %s, %s", values[0], values[1], values[2], values[3]);
	else if (r != NULL)
		doctor_say(f, SEEN_FAILED, "%s", text(r, 0));
}

void
look_clock(const struct doctor *d, struct finding *f)
{
	PGconn *db = doctor_connect("DATABASE_OWNER_URL", d->conf->database_owner_url, f);
	struct timeval before, after;
	PGresult *r;
	double middle, apart;

	if (db == NULL)
		return;
	gettimeofday(&before, NULL);
	r = doctor_row(db, &SQL_DOCTOR_CLOCK, NULL, f);
	gettimeofday(&after, NULL);
	if (r == NULL)
		return;
	middle = ((double)before.tv_sec + (double)after.tv_sec) / 2 +
	    ((double)before.tv_usec + (double)after.tv_usec) / 2e6;
	apart = strtod(text(r, 0), NULL) - middle;
	doctor_say(f,
	    fabs(apart) >= CLOCK_FAILED_S        ? SEEN_FAILED
		: fabs(apart) >= CLOCK_WARNING_S ? SEEN_WARNING
						 : SEEN_OK,
	    "the database's clock is %.3f s %s ours", fabs(apart), apart < 0 ? "behind" : "before");
}

void
look_connections(const struct doctor *d, struct finding *f)
{
	PGresult *r = ask(d, &SQL_DOCTOR_CONNECTIONS, NULL, f);

	if (r != NULL)
		doctor_say(f, d->conf->db_pool_size >= number(r, 0) ? SEEN_FAILED : SEEN_OK,
		    "%s connections for all, %s in use; DB_POOL_SIZE of this host is %" PRId64,
		    text(r, 0), text(r, 1), d->conf->db_pool_size);
}

/* Columns of SQL_DOCTOR_STANDBY. */
enum { STANDBY_NAMES, STANDBY_NEEDED, STANDBY_CONNECTED, STANDBY_COUNTING, STANDBY_SEEN };

void
look_standby(const struct doctor *d, struct finding *f)
{
	PGresult *r = ask(d, &SQL_DOCTOR_STANDBY, NULL, f);
	int64_t there;

	if (r == NULL)
		return;
	if (*text(r, STANDBY_NAMES) == '\0') {
		doctor_say(f, SEEN_WARNING,
		    "commits wait for no standby: what was ordered last is lost with this server");
		doctor_remedy(f,
		    "once a standby streams, `pair resume`; Patroni sets it by itself "
		    "(" PAGE("failover") ")");
		return;
	}
	there = number(r, is_true(r, STANDBY_SEEN) ? STANDBY_COUNTING : STANDBY_CONNECTED);
	if (there < number(r, STANDBY_NEEDED))
		doctor_say(f, SEEN_FAILED, "commits wait for %s of %s, and %" PRId64 " is there",
		    text(r, STANDBY_NEEDED), text(r, STANDBY_NAMES), there);
	else
		doctor_say(f, SEEN_OK, "commits wait for %s of %s; %" PRId64 " there",
		    text(r, STANDBY_NEEDED), text(r, STANDBY_NAMES), there);
}

void
look_checksums(const struct doctor *d, struct finding *f)
{
	PGresult *r = ask(d, &SQL_DOCTOR_CHECKSUMS, NULL, f);

	if (r != NULL)
		doctor_say(f, strcmp(text(r, 0), "on") == 0 ? SEEN_OK : SEEN_WARNING,
		    "data_checksums is %s", text(r, 0));
}

/* --- the schema and the data -------------------------------------------------------------------
 */

void
look_row_security(const struct doctor *d, struct finding *f)
{
	PGresult *r = ask(d, &SQL_DOCTOR_ROW_SECURITY, NULL, f);

	if (r == NULL)
		return;
	if (number(r, 0) == 0) {
		doctor_say(f, SEEN_FAILED, "there are no tables");
		doctor_remedy(f, "run `orderctl migrate`");
	} else if (PQgetisnull(r, 0, 1)) {
		doctor_say(f, SEEN_OK, "forced on all %s tables", text(r, 0));
	} else {
		doctor_say(f, SEEN_FAILED, "not forced on %s", text(r, 1));
	}
}

/* The changes of the plan that was installed with us, as an array of PostgreSQL's; NULL: none. */
static const char *
read_plan(char *out, size_t size)
{
	FILE *plan = fopen(PLAN, "re");
	char *line = NULL;
	size_t line_size = 0, n = 0;

	while (plan != NULL && getline(&line, &line_size, plan) > 0) {
		size_t word = strcspn(line, " \t\n");

		/* pragmas, comments, tags */
		if (word == 0 || strchr("%#@", line[0]) != NULL || n + word + 3 > size)
			continue;
		n += (size_t)snprintf(
		    out + n, size - n, "%c%.*s", n == 0 ? '{' : ',', (int)word, line);
	}
	free(line);
	if (plan != NULL)
		fclose(plan);
	snprintf(out + n, size - n, "}");
	return n > 0 ? out : NULL;
}

void
look_schema(const struct doctor *d, struct finding *f)
{
	char plan[8192];
	const char *const values[] = { read_plan(plan, sizeof(plan)) };
	PGresult *r;

	if (values[0] == NULL) {
		doctor_say(f, SEEN_FAILED, "%s names no change", PLAN);
		doctor_remedy(f, "install table-order again");
		return;
	}
	r = ask(d, &SQL_DOCTOR_SCHEMA, values, f);
	if (r == NULL)
		return;
	if (!PQgetisnull(r, 0, 0)) {
		doctor_say(f, SEEN_FAILED, "not deployed: %s", text(r, 0));
	} else if (!PQgetisnull(r, 0, 1)) {
		doctor_say(f, SEEN_WARNING, "newer than these programs: %s", text(r, 1));
		doctor_remedy(f, "upgrade the programs of this host, too");
	} else {
		doctor_say(f, SEEN_OK, "up to %s", text(r, 2));
	}
}

void
look_history_months(const struct doctor *d, struct finding *f)
{
	PGresult *r = ask(d, &SQL_DOCTOR_HISTORY_MONTHS, NULL, f);

	if (r == NULL)
		return;
	if (number(r, 1) > MONTHS_AHEAD)
		doctor_say(f, SEEN_OK, "made for this month and the next %d", MONTHS_AHEAD);
	else
		doctor_say(f, number(r, 1) <= 1 ? SEEN_FAILED : SEEN_WARNING, "not made for %s",
		    text(r, 0));
}

void
look_outbox(const struct doctor *d, struct finding *f)
{
	PGresult *r = ask(d, &SQL_DOCTOR_OUTBOX, NULL, f);
	int64_t oldest_s = r != NULL ? number(r, 1) : 0;

	if (r != NULL)
		doctor_say(f,
		    oldest_s >= OUTBOX_FAILED_S        ? SEEN_FAILED
			: oldest_s >= OUTBOX_WARNING_S ? SEEN_WARNING
						       : SEEN_OK,
		    "%s events wait, the oldest for %" PRId64 " s", text(r, 0), oldest_s);
}

void
look_dispatcher(const struct doctor *d, struct finding *f)
{
	PGresult *r = ask(d, &SQL_DOCTOR_DISPATCHER, NULL, f);

	if (r == NULL)
		return;
	if (PQntuples(r) == 0)
		doctor_say(f, SEEN_FAILED, "none is at work: events reach boards late");
	else
		doctor_say(f, SEEN_OK, "one is at work, on %s", text(r, 0));
}

void
look_maintenance(const struct doctor *d, struct finding *f)
{
	char hours[24], seconds[24];
	const char *const values[] = { hours, seconds };
	PGresult *r;

	snprintf(hours, sizeof(hours), "%" PRId64, d->conf->event_retention_hours);
	snprintf(seconds, sizeof(seconds), "%" PRId64, d->conf->login_window_seconds);
	r = ask(d, &SQL_DOCTOR_LEFTOVERS, values, f);
	if (r != NULL && PQgetisnull(r, 0, 0))
		doctor_say(f, SEEN_OK, "nothing is left that it should have deleted");
	else if (r != NULL)
		doctor_say(f, SEEN_FAILED, "two nights past their time: %s", text(r, 0));
}
