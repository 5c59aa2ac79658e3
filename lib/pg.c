#include "config.h"

#include "pg.h"

#include "clock.h"
#include "dial.h"
#include "metrics.h"
#include "slot.h"
#include "timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOT_NAME "db-slot"
#define SLOT_POLL_US (20 * 1000)
#define FIRST_BACKOFF_US (200 * 1000)
#define IDLE_GIVE_UP_US CLOCK_SECOND_US
/* A server that goes on longer than that after our goodbye is not waited for. */
#define END_WAIT_US CLOCK_SECOND_US
#define STATEMENT_LIMIT 128
#define QUEUE_LIMIT 64

/* One of ours, told by its name behind the application's in pg_stat_activity. lock_timeout: an
 * order in flight is awaited 10 s (doc/openapi.yaml). The statement's is between that and
 * PG_FLUSH_DEADLINE_US. A program that dies with its host inside a transaction holds its store's
 * counter only as long as the next. The last columns say which server this is. */
#define TIMELINE_COLUMN 7
#define CLUSTER_COLUMN 8
static const char session_settings[] =
    "select set_config('lock_timeout', '10s', false),"
    " set_config('statement_timeout', '11s', false),"
    " set_config('idle_in_transaction_session_timeout', '20s', false),"
    " set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO', false),"
    " set_config('bytea_output', 'hex', false), set_config('jit', 'off', false),"
    " case when pg_is_in_recovery() then 0 else"
    " ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end,"
    " (select system_identifier from pg_control_system())";

static const char old_primary[] =
    "this is an old primary: another server of the database was promoted since";

struct pg {
	PGconn *conn;
	int host;                   /* its number among the URL's */
	uint64_t cluster, timeline; /* which server it is; cluster 0: not known */
	int slot_fd;
	int64_t until_us; /* no flush goes on longer */
	int64_t idle_since_us;
	bool reused;
	bool standby_skipped;
	bool broken;
	const struct sql *prepared[STATEMENT_LIMIT];
	int prepared_count;
	/* what was queued: for each result to come, the statement it prepares, or NULL for a result
	 * that the caller gets */
	struct {
		const struct sql *prepares;
		bool wanted;
	} queue[QUEUE_LIMIT];
	int queued;
	char error[DIAL_ERROR_SIZE];
	struct pg *next;
};

static void
keep_error(struct pg *p, const char *text)
{
	dial_one_line(p->error, sizeof(p->error), text);
}

/* The notice that a commit's wait for the standby was cancelled
 * (src/backend/replication/syncrep.c): told by who says it, since what it says is in the server's
 * language. */
static bool
is_standby_skipped(const PGresult *notice)
{
	const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
	const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

	return (function != NULL && strcmp(function, "SyncRepWaitForLSN") == 0) ||
	    (text != NULL && strstr(text, "synchronous replication") != NULL);
}

static void
take_notice(void *arg, const PGresult *result)
{
	struct pg *p = arg;
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (text == NULL)
		return;
	/* the commit is local only: nobody may be told that it is safe */
	if (is_standby_skipped(result)) {
		p->standby_skipped = true;
		metrics_add(METRIC_DB_STANDBY_SKIPPED, "", 1);
	}
	log_warning("database notice", LOG_S("notice", text));
}

static struct pg *take_one_idle(struct pg_pool *pool);

static int64_t
configured_wait_us(const struct conf *c)
{
	return c->db_pool_wait_seconds * CLOCK_SECOND_US;
}

/* Waits for a slot, telling the other programs' idle connections; or, with a pool, for a connection
 * that one of its own threads gives back, set in *given. -1: no slot; errno EAGAIN: all are taken.
 */
static int
wait_for_slot(const struct conf *c, struct pg_pool *pool, int64_t wait_us, struct pg **given)
{
	int64_t deadline = clock_mono_us() + wait_us;
	int fd = -1, want = -1;

	for (;;) {
		*given = pool != NULL ? take_one_idle(pool) : NULL;
		if (*given == NULL)
			fd = slot_take(c->run_dir, SLOT_NAME, (int)c->db_pool_size, NULL);
		/* a directory that cannot be used gets no better by waiting */
		if (*given != NULL || fd != -1 || errno != EAGAIN || clock_mono_us() >= deadline)
			break;
		if (want == -1)
			want = slot_want(c->run_dir, SLOT_NAME);
		clock_wait_us(SLOT_POLL_US);
	}
	if (want != -1)
		close(want);
	if (fd == -1 && *given == NULL) {
		int error = errno;

		metrics_add(METRIC_DB_POOL_TIMEOUTS, "", 1);
		log_error("no database connection is free", LOG_S("run_dir", c->run_dir),
		    LOG_I("db_pool_size", c->db_pool_size), LOG_S("error", strerror(error)));
		errno = error;
	}
	return fd;
}

/* Whether the server that has told who it is is the database, and not one that was. */
static bool
is_database(struct pg *p, const struct conf *c, const PGresult *r)
{
	uint64_t timeline = strtoull(PQgetvalue(r, 0, TIMELINE_COLUMN), NULL, 10);

	if (timeline == 0)
		return true; /* a standby, which the URL has asked for */
	p->timeline = timeline;
	p->cluster = strtoull(PQgetvalue(r, 0, CLUSTER_COLUMN), NULL, 10);
	if (!timeline_learn(c->run_dir, p->cluster, timeline)) {
		keep_error(p, old_primary);
		dial_avoid(p->host);
		return false;
	}
	metrics_set(METRIC_DB_TIMELINE, "", timeline);
	return true;
}

/* Readies a new connection. */
static bool
set_up(struct pg *p, const struct conf *c)
{
	PGresult *r = NULL;
	bool ok;

	PQsetNoticeReceiver(p->conn, take_notice, p);
	if (PQenterPipelineMode(p->conn) != 1 || PQsetnonblocking(p->conn, 1) != 0)
		return false;
	pg_queue_text(p, session_settings);
	ok = pg_flush(p, &r, 1) == 0 && PQresultStatus(r) == PGRES_TUPLES_OK;
	if (!ok && r != NULL)
		keep_error(p, PQresultErrorMessage(r));
	ok = ok && is_database(p, c, r);
	PQclear(r);
	p->reused = false;
	return ok;
}

static bool
connect_once(struct pg *p, const struct conf *c, const char *url)
{
	p->broken = false;
	p->cluster = 0;
	p->conn = dial(url, p->until_us, &p->host, p->error);
	if (p->conn != NULL && set_up(p, c))
		return true;
	PQfinish(p->conn);
	p->conn = NULL;
	metrics_add(METRIC_DB_CONNECT_FAILURES, "", 1);
	return false;
}

/* Connects, retrying with doubled waits while there is time; logs the last failure. */
static bool
connect_with_retries(struct pg *p, const struct conf *c, const char *url)
{
	int64_t wait_us = FIRST_BACKOFF_US;

	for (int64_t try = 0;; try++, wait_us *= 2) {
		if (connect_once(p, c, url))
			return true;
		if (try == c->db_connect_retries || clock_mono_us() + wait_us >= p->until_us) {
			/* libpq's message names host and port, never the password */
			log_error("database cannot be reached", LOG_S("error", p->error),
			    LOG_I("tries", try + 1));
			return false;
		}
		clock_wait_us(wait_us);
	}
}

/* A new connection, or one given back to the pool meanwhile. */
static struct pg *
get(const struct conf *c, const char *url, struct pg_pool *pool, int64_t wait_us, int64_t *until_us,
    enum pg_refusal *why)
{
	int64_t start_us = clock_mono_us(), waited_us;
	struct pg *given, *p;
	int slot_fd = wait_for_slot(c, pool, wait_us, &given);
	bool none_is_free = slot_fd == -1 && errno == EAGAIN;

	waited_us = clock_mono_us() - start_us;
	metrics_observe_us(METRIC_DB_POOL_WAIT, "", waited_us);
	if (*until_us != INT64_MAX)
		*until_us += waited_us;
	*why = given != NULL ? PG_FINE : none_is_free ? PG_BUSY : PG_AWAY;
	if (given != NULL)
		given->until_us = *until_us;
	if (slot_fd == -1)
		return given;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->slot_fd = slot_fd;
	p->until_us = *until_us;
	if (connect_with_retries(p, c, url)) {
		metrics_add(METRIC_DB_CONNECTIONS, "", 1);
		*why = PG_FINE;
		return p;
	}
	pg_close(p);
	return NULL;
}

struct pg *
pg_open(const struct conf *c, const char *url, enum pg_refusal *why)
{
	int64_t until_us = INT64_MAX;

	return get(c, url, NULL, configured_wait_us(c), &until_us, why);
}

/* Waits until the server has closed its end: it does so when the backend is gone, not before. */
static void
wait_for_end(int fd, int64_t until_us)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char rest[256];
	int64_t left_ms;

	while ((left_ms = (until_us - clock_mono_us()) / 1000) > 0) {
		if (poll(&p, 1, (int)left_ms) == 1 && read(fd, rest, sizeof(rest)) <= 0)
			return;
	}
}

static void
close_until(struct pg *p, int64_t until_us)
{
	int fd;

	/* PQfinish() says goodbye and closes its descriptor; ours sees the server's answer to that
	 */
	if (p->conn != NULL)
		metrics_add(METRIC_DB_CONNECTIONS, "", -UINT64_C(1));
	fd = p->conn != NULL && !p->broken ? fcntl(PQsocket(p->conn), F_DUPFD_CLOEXEC, 0) : -1;
	PQfinish(p->conn);
	if (fd != -1) {
		wait_for_end(fd, until_us);
		close(fd);
	}
	/* only now: the slot stands for a connection that the server may still count */
	close(p->slot_fd);
	free(p);
}

void
pg_close(struct pg *p)
{
	if (p != NULL)
		close_until(p, clock_mono_us() + END_WAIT_US);
}

void
pg_condemn(struct pg *p)
{
	p->broken = true;
}

static bool
is_prepared(const struct pg *p, const struct sql *s)
{
	for (int i = 0; i < p->prepared_count; i++)
		if (p->prepared[i] == s)
			return true;
	for (int i = 0; i < p->queued; i++)
		if (p->queue[i].prepares == s)
			return true;
	return false;
}

static void
enqueue(struct pg *p, const struct sql *prepares, int sent)
{
	if (p->queued == QUEUE_LIMIT ||
	    (prepares != NULL && p->prepared_count + p->queued >= STATEMENT_LIMIT))
		abort(); /* a programmer's mistake: a bounded number of statements a flush */
	if (sent != 1) {
		keep_error(p, PQerrorMessage(p->conn));
		p->broken = true;
	}
	p->queue[p->queued].prepares = prepares;
	p->queue[p->queued].wanted = prepares == NULL;
	p->queued++;
}

void
pg_queue(struct pg *p, const struct sql *s, const char *const *values)
{
	if (!is_prepared(p, s))
		enqueue(p, s, PQsendPrepare(p->conn, s->name, s->text, 0, NULL));
	enqueue(p, NULL, PQsendQueryPrepared(p->conn, s->name, s->params, values, NULL, NULL, 0));
}

void
pg_queue_text(struct pg *p, const char *command)
{
	enqueue(p, NULL, PQsendQueryParams(p->conn, command, 0, NULL, NULL, NULL, NULL, 0));
}

/* Waits until the connection is readable, sending what is left to send. */
static int
wait_readable(struct pg *p, int64_t deadline_us)
{
	int unsent = PQflush(p->conn);
	struct pollfd fd = { PQsocket(p->conn), (short)(POLLIN | (unsent == 1 ? POLLOUT : 0)), 0 };
	int64_t left_ms = (deadline_us - clock_mono_us()) / 1000;

	if (unsent == -1 || left_ms <= 0) {
		keep_error(p, unsent == -1 ? PQerrorMessage(p->conn) : "no answer in time");
		if (unsent != -1)
			dial_avoid(p->host);
		return -1;
	}
	if (poll(&fd, 1, (int)left_ms) == -1 && errno != EINTR) {
		keep_error(p, strerror(errno));
		return -1;
	}
	if ((fd.revents & ~POLLOUT) != 0 && PQconsumeInput(p->conn) != 1) {
		keep_error(p, PQerrorMessage(p->conn));
		return -1;
	}
	return 0;
}

/* The next result of the pipeline; NULL between two statements' results, *end on breakage. */
static PGresult *
next_result(struct pg *p, int64_t deadline_us, bool *broken)
{
	while (PQisBusy(p->conn)) {
		if (wait_readable(p, deadline_us) == -1) {
			*broken = true;
			return NULL;
		}
	}
	return PQgetResult(p->conn);
}

/* Reads the result of queue[i], and the NULL behind it. */
static PGresult *
read_one(struct pg *p, int64_t deadline_us, bool *broken)
{
	PGresult *r = next_result(p, deadline_us, broken);

	if (*broken)
		return NULL;
	if (r == NULL || PQstatus(p->conn) == CONNECTION_BAD) {
		keep_error(p, r != NULL ? PQresultErrorMessage(r) : PQerrorMessage(p->conn));
		*broken = true;
		PQclear(r);
		return NULL;
	}
	if (PQresultStatus(r) != PGRES_PIPELINE_SYNC) {
		PGresult *end = next_result(p, deadline_us, broken);

		PQclear(end);
	}
	return r;
}

static int64_t
flush_deadline(const struct pg *p)
{
	int64_t deadline_us = clock_mono_us() + PG_FLUSH_DEADLINE_US;

	return deadline_us < p->until_us ? deadline_us : p->until_us;
}

static int
read_all(struct pg *p, PGresult **results, int n)
{
	int64_t deadline_us = flush_deadline(p);
	bool broken = false;
	int got = 0;

	for (int i = 0; i <= p->queued && !broken; i++) {
		PGresult *r = read_one(p, deadline_us, &broken);

		if (i == p->queued || broken) {
			PQclear(r); /* the sync point */
			break;
		}
		if (p->queue[i].wanted) {
			results[got++] = r;
			continue;
		}
		if (PQresultStatus(r) == PGRES_COMMAND_OK)
			p->prepared[p->prepared_count++] = p->queue[i].prepares;
		else if (PQresultStatus(r) == PGRES_FATAL_ERROR)
			log_error("a statement cannot be prepared",
			    LOG_S("statement", p->queue[i].prepares->name),
			    LOG_S("error", PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)));
		PQclear(r);
	}
	if (!broken && got == n)
		return 0;
	while (got > 0)
		PQclear(results[--got]);
	return -1;
}

int
pg_flush(struct pg *p, PGresult **results, int n)
{
	int64_t start_us = clock_mono_us();
	int result = -1;

	p->standby_skipped = false;
	if (!p->broken && !timeline_holds(p->cluster, p->timeline)) {
		keep_error(p, old_primary);
		p->broken = true;
	}
	if (!p->broken && PQpipelineSync(p->conn) == 1)
		result = read_all(p, results, n);
	else if (!p->broken)
		keep_error(p, PQerrorMessage(p->conn));
	p->queued = 0;
	p->broken = result == -1;
	metrics_observe_us(METRIC_DB_ROUND_TRIP, "", clock_mono_us() - start_us);
	if (result == 0)
		p->reused = true;
	return result;
}

static PGresult *
run_queued(struct pg *p, const char *name)
{
	PGresult *r = NULL;

	if (pg_flush(p, &r, 1) == -1) {
		log_error(
		    "database connection lost", LOG_S("statement", name), LOG_S("error", p->error));
		return NULL;
	}
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK) {
		keep_error(p, PQresultErrorMessage(r));
		log_error("a statement failed", LOG_S("statement", name), LOG_S("error", p->error));
		PQclear(r);
		return NULL;
	}
	return r;
}

PGresult *
pg_run(struct pg *p, const struct sql *s, const char *const *values)
{
	pg_queue(p, s, values);
	return run_queued(p, s->name);
}

bool
pg_standby_skipped(const struct pg *p)
{
	return p->standby_skipped;
}

static bool
is_on(const struct pg *p, const char *setting)
{
	const char *value = PQparameterStatus(p->conn, setting);

	return value != NULL && strcmp(value, "on") == 0;
}

bool
pg_read_only(const struct pg *p)
{
	return is_on(p, "default_transaction_read_only") || is_on(p, "in_hot_standby");
}

bool
pg_reused(const struct pg *p)
{
	return p->reused;
}

bool
pg_in_transaction(const struct pg *p)
{
	return PQtransactionStatus(p->conn) != PQTRANS_IDLE;
}

const char *
pg_error(const struct pg *p)
{
	return p->error;
}

struct pg_pool {
	const struct conf *conf;
	const char *url;
	pthread_mutex_t lock;
	struct pg *idle;
};

struct pg_pool *
pg_pool_new(const struct conf *c, const char *url)
{
	struct pg_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		abort();
	pool->conf = c;
	pool->url = url;
	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

void
pg_pool_free(struct pg_pool *pool)
{
	if (pool == NULL)
		return;
	pg_pool_drop_idle(pool);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Whether an idle connection still is one: what the server has sent meanwhile is its goodbye, or
 * news of its settings. Sends nothing, so a request that is given a dead one less has nothing in
 * doubt. */
static bool
is_alive(struct pg *p)
{
	struct pollfd fd = { PQsocket(p->conn), POLLIN, 0 };

	while (!p->broken && poll(&fd, 1, 0) == 1) {
		p->broken = PQconsumeInput(p->conn) != 1 || PQisBusy(p->conn) ||
		    PQstatus(p->conn) != CONNECTION_OK;
	}
	return !p->broken && !pg_read_only(p) && timeline_holds(p->cluster, p->timeline);
}

static struct pg *
take_one_idle(struct pg_pool *pool)
{
	struct pg *p;

	do {
		pthread_mutex_lock(&pool->lock);
		p = pool->idle;
		if (p != NULL)
			pool->idle = p->next;
		pthread_mutex_unlock(&pool->lock);
		if (p == NULL || is_alive(p))
			return p;
		pg_close(p);
	} while (true);
}

struct pg *
pg_pool_get(struct pg_pool *pool, int64_t *until_us, enum pg_refusal *why)
{
	return get(pool->conf, pool->url, pool, configured_wait_us(pool->conf), until_us, why);
}

struct pg *
pg_pool_try(struct pg_pool *pool, int64_t wait_us, int64_t *until_us, enum pg_refusal *why)
{
	return get(pool->conf, pool->url, pool, wait_us, until_us, why);
}

void
pg_pool_put(struct pg_pool *pool, struct pg *p)
{
	if (p->broken || p->queued > 0 || PQstatus(p->conn) != CONNECTION_OK ||
	    PQtransactionStatus(p->conn) != PQTRANS_IDLE || pg_read_only(p)) {
		pg_close(p);
		return;
	}
	/* a process of one request at a time (mod_fcgid) has no other thread that could use it */
	if (pool->conf->worker_threads == 1 && slot_wanted(pool->conf->run_dir, SLOT_NAME)) {
		pg_close(p);
		return;
	}
	p->idle_since_us = clock_mono_us();
	pthread_mutex_lock(&pool->lock);
	p->next = pool->idle;
	pool->idle = p;
	pthread_mutex_unlock(&pool->lock);
}

/* Takes out the connections that have been idle since before the given time. */
static struct pg *
take_idle(struct pg_pool *pool, int64_t before_us)
{
	struct pg *taken = NULL, **at;

	pthread_mutex_lock(&pool->lock);
	for (at = &pool->idle; *at != NULL;) {
		struct pg *p = *at;

		if (p->idle_since_us >= before_us) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		p->next = taken;
		taken = p;
	}
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

/* A server that does not end one does not end the others: they are waited for together. */
static void
close_all(struct pg *list)
{
	int64_t until_us = clock_mono_us() + END_WAIT_US;

	while (list != NULL) {
		struct pg *p = list;

		list = p->next;
		close_until(p, until_us);
	}
}

void
pg_pool_drop_idle(struct pg_pool *pool)
{
	close_all(take_idle(pool, INT64_MAX));
}

void
pg_pool_tick(struct pg_pool *pool)
{
	if (slot_wanted(pool->conf->run_dir, SLOT_NAME))
		close_all(take_idle(pool, clock_mono_us() - IDLE_GIVE_UP_US));
}
