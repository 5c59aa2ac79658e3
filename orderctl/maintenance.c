/* orderctl maintenance: what is to be done every night. */
#include "config.h"

#include "orderctl.h"

#include "sql/orderctl.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MONTHS_AHEAD 3
#define KEY_HOURS 24  /* as lib.sql reads them */
#define CLOCK_HOURS 1 /* clocks of hosts differ by less */
#define BATCH "1000"
#define TRIES 4
#define PAUSE_SECONDS 1 /* what queued up behind a lock that was not got goes first */

struct run {
	const struct conf *conf;
	PGconn *db;
	bool dry;
	bool terminal;
	const char *step;
};

/* A step returns how many it made, dropped, deleted; -1 when it failed, which has been said. */
struct step {
	const char *name;
	const char *what;
	const char *done;
	int64_t (*work)(struct run *m);
};

/* Over the line before, without a new one. */
static void
show_progress(const struct run *m, int64_t count)
{
	if (m->terminal)
		fprintf(stderr, "\r\033[K%s: %" PRId64 " ...", m->step, count);
}

static void
clear_progress(const struct run *m)
{
	if (m->terminal)
		fputs("\r\033[K", stderr);
}

static bool
is_locked_out(const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	return state != NULL && strcmp(state, "55P03") == 0;
}

/* One statement, again when somebody holds a lock for long; it is its own transaction unless one is
 * open. A value of its only row, or the rows that it changed; -1 when it failed. */
static int64_t
count(struct run *m, const struct sql *sql, const char *const *values)
{
	PGresult *r = PQexecParams(m->db, sql->text, sql->params, NULL, values, NULL, NULL, 0);
	int64_t result = -1;

	for (int tries = 1; tries < TRIES && is_locked_out(r) && !m->dry; tries++) {
		clear_progress(m);
		ctl_fail("%s: a lock is held for long; trying again", m->step);
		sleep(PAUSE_SECONDS);
		PQclear(r);
		r = PQexecParams(m->db, sql->text, sql->params, NULL, values, NULL, NULL, 0);
	}
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		clear_progress(m);
	if (ctl_check(m->db, r, m->step) == 0)
		result =
		    strtoll(PQntuples(r) == 1 ? PQgetvalue(r, 0, 0) : PQcmdTuples(r), NULL, 10);
	PQclear(r);
	return result;
}

/* A step of one statement with one number. */
static int64_t
once(struct run *m, const struct sql *sql, int64_t setting)
{
	char number[24];
	const char *const values[] = { number };

	snprintf(number, sizeof(number), "%" PRId64, setting);
	return count(m, sql, values);
}

/* A step of one statement, which takes a number and the size of a batch, until it finds no more. */
static int64_t
batches(struct run *m, const struct sql *sql, int64_t setting)
{
	char number[24];
	const char *const values[] = { number, BATCH };
	int64_t all = 0, n;

	snprintf(number, sizeof(number), "%" PRId64, setting);
	while ((n = count(m, sql, values)) > 0) {
		all += n;
		show_progress(m, all);
	}
	return n == -1 ? -1 : all;
}

static int64_t
make_partitions(struct run *m)
{
	return once(m, &SQL_HISTORY_MONTHS_ENSURE, MONTHS_AHEAD);
}

static int64_t
drop_partitions(struct run *m)
{
	return once(m, &SQL_HISTORY_MONTHS_DROP, m->conf->history_retention_months);
}

static int64_t
delete_sessions(struct run *m)
{
	return batches(m, &SQL_HISTORY_SESSIONS_DELETE, m->conf->history_retention_months);
}

/* Partitioned tables as a whole are what autovacuum never analyzes. */
static int64_t
analyze_history(struct run *m)
{
	/* no statement that could be prepared, hence not in db/sql */
	static const struct sql analyze = { "history_analyze",
		"analyze order_history, order_history_items", 0 };

	/* what it finds out is kept even when it is rolled back */
	if (!m->dry && count(m, &analyze, NULL) == -1)
		return -1;
	return 2;
}

static int64_t
purge_events(struct run *m)
{
	return batches(m, &SQL_EVENTS_PURGE, m->conf->event_retention_hours);
}

static int64_t
purge_keys(struct run *m)
{
	return batches(m, &SQL_IDEMPOTENCY_KEYS_PURGE, KEY_HOURS);
}

static int64_t
purge_revocations(struct run *m)
{
	return batches(m, &SQL_REVOKED_TOKENS_PURGE, CLOCK_HOURS);
}

static int64_t
purge_failures(struct run *m)
{
	return batches(m, &SQL_LOGIN_FAILURES_PURGE, m->conf->login_window_seconds);
}

static int64_t
remove_orphans(struct run *m)
{
	return ctl_orphans(m->db, m->conf->upload_dir, m->dry);
}

static const struct step steps[] = {
	{ "partitions", "months of history", "made", make_partitions },
	{ "retention", "months of history", "dropped", drop_partitions },
	{ "sessions", "past sessions", "deleted", delete_sessions },
	{ "statistics", "history tables", "analyzed", analyze_history },
	{ "events", "published events", "deleted", purge_events },
	{ "keys", "idempotency keys", "deleted", purge_keys },
	{ "tokens", "expired revocations", "deleted", purge_revocations },
	{ "logins", "failed logins", "deleted", purge_failures },
	{ "files", "orphan files", "removed", remove_orphans },
};

/* A dry run does the same and takes it back: what it tells cannot differ from what would be done.
 */
static int64_t
work(struct run *m, const struct step *s)
{
	int64_t n;

	if (!m->dry)
		return s->work(m);
	if (ctl_run_text(m->db, "begin") == -1)
		return -1;
	n = s->work(m);
	return ctl_run_text(m->db, "rollback") == -1 ? -1 : n;
}

static int
run_step(struct run *m, const struct step *s)
{
	int64_t n;

	m->step = s->name;
	show_progress(m, 0);
	n = work(m, s);
	clear_progress(m);
	if (n == -1)
		printf("%s: failed\n", s->name);
	else
		printf("%s: %" PRId64 " %s %s%s\n", s->name, n, s->what, m->dry ? "would be " : "",
		    s->done);
	fflush(stdout);
	return n == -1 ? -1 : 0;
}

static int
run_all(struct run *m)
{
	PGresult *r = ctl_run(m->db, &SQL_MAINTENANCE_TRY_LOCK, NULL);
	bool mine = r != NULL && strcmp(PQgetvalue(r, 0, 0), "t") == 0;
	int result = CTL_OK;

	PQclear(r);
	if (r == NULL || ctl_run_text(m->db, "set lock_timeout = '10s'") == -1)
		return CTL_FAILED;
	if (!mine) {
		puts("another maintenance is at work; nothing is left to do for this one");
		return CTL_OK;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (run_step(m, &steps[i]) == -1)
			result = CTL_FAILED;
	return result;
}

int
ctl_maintenance(int argc, char **argv)
{
	static const struct option options[] = { { "dry-run", no_argument, NULL, 'n' }, { 0 } };
	struct conf c;
	struct run m = { .conf = &c, .terminal = isatty(STDERR_FILENO) == 1 };
	int option, result = CTL_FAILED;

	while ((option = getopt_long(argc, argv, "n", options, NULL)) != -1) {
		if (option != 'n')
			return ctl_usage("maintenance", "wrong option '%s'", argv[optind - 1]);
		m.dry = true;
	}
	if (optind != argc)
		return ctl_usage("maintenance", "unexpected '%s'", argv[optind]);
	if (ctl_conf(&c, CONF_OWNER) == 0)
		m.db = ctl_connect(&c);
	if (m.db != NULL)
		result = run_all(&m);
	PQfinish(m.db);
	conf_fini(&c);
	return result;
}
