/*
 * pg: connections to PostgreSQL: bounded for the whole host, pipelined, with
 * deadlines of our own.
 *
 * Every connection of every program holds one of DB_POOL_SIZE slots in
 * RUN_DIR. A program keeps its idle connections and gives them up, after a
 * second, when another program waits for a slot; one with a single worker
 * thread at once.
 *
 * Statements are named (db/sql/<program>.sql) and prepared on a connection at
 * their first use, in the same flush.
 */
#ifndef PG_H
#define PG_H

#include "conf.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* A named statement; made by db/sql2h.awk. */
struct sql {
	const char *name;
	const char *text;
	int params;
};

/* How a server may refuse us. */
enum pg_refusal {
	PG_FINE,
	PG_BUSY, /* no slot became free within DB_POOL_WAIT_SECONDS */
	PG_AWAY, /* no server answered, after DB_CONNECT_RETRIES retries; or RUN_DIR is no use */
};

/* A flush that has not ended by then breaks its connection: a server that is frozen says nothing,
 * and its kernel answers for it. Above the session's lock_timeout, so that a wait for a lock ends
 * as one. */
#define PG_FLUSH_DEADLINE_US (INT64_C(12) * 1000 * 1000)

struct pg;

/*
 * Connects to url (a libpq connection string) as dial.h says, holding a slot; waits for either as
 * configured. Returns NULL and *why on refusal; the cause has then been logged with the server's
 * address.
 */
struct pg *pg_open(const struct conf *c, const char *url, enum pg_refusal *why);
void pg_close(struct pg *p);

/* Queues one statement of the next flush; values as text, NULL for null. Nothing waits. */
void pg_queue(struct pg *p, const struct sql *s, const char *const *values);
/* Queues a plain command without parameters: "begin", "commit". */
void pg_queue_text(struct pg *p, const char *command);

/*
 * Sends what was queued as one round trip and waits for the answers: results[0…n-1], one per queued
 * statement, in order, each to be PQclear()ed by the caller. n is what was queued. A failed
 * statement has status PGRES_FATAL_ERROR, those behind it PGRES_PIPELINE_ABORTED.
 * Returns 0, or -1 when the connection broke or passed the deadline: no result is set then, and the
 * connection is good for pg_close() only.
 */
int pg_flush(struct pg *p, PGresult **results, int n);

/* One statement in a round trip of its own, outside of any pipeline of the caller's; NULL when it
 * failed, which has been logged. The caller clears the result. */
PGresult *pg_run(struct pg *p, const struct sql *s, const char *const *values);

/* Whether the server warned in the last flush that a commit was not awaited by the standby. */
bool pg_standby_skipped(const struct pg *p);
/* Whether the server has told that it takes no writes: it was demoted, or is about to be. */
bool pg_read_only(const struct pg *p);
/* Gives the connection up: it is good for pg_close() only. */
void pg_condemn(struct pg *p);
/* Whether the connection has served since it was opened (a reused one may be stale). */
bool pg_reused(const struct pg *p);
/* Whether a transaction is open, failed or not. */
bool pg_in_transaction(const struct pg *p);
/* The last trouble of the connection, one line, for logs. */
const char *pg_error(const struct pg *p);

/* The connections of a process that serves requests. */
struct pg_pool;

struct pg_pool *pg_pool_new(const struct conf *c, const char *url);
void pg_pool_free(struct pg_pool *pool);
/*
 * As pg_open, from the idle ones first; one that the server has ended meanwhile is not among them.
 * *until_us (of clock_mono_us()) bounds connecting, and every flush until the connection is given
 * back; the wait for a slot moves it on. Any thread.
 */
struct pg *pg_pool_get(struct pg_pool *pool, int64_t *until_us, enum pg_refusal *why);
/* The same, but the wait for a slot is wait_us at most: for who only looks how things are. */
struct pg *pg_pool_try(
    struct pg_pool *pool, int64_t wait_us, int64_t *until_us, enum pg_refusal *why);
/* Gives a connection back; one that is broken, inside a transaction or read-only is closed. So is
 * any that only another program could use, if one waits. */
void pg_pool_put(struct pg_pool *pool, struct pg *p);
/* Closes all idle connections: after one was found stale, its siblings are too. */
void pg_pool_drop_idle(struct pg_pool *pool);
/* To be called once a second: gives idle connections up when another program waits. */
void pg_pool_tick(struct pg_pool *pool);

#endif
