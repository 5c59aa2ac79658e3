/*
 * db: what a handler asks of PostgreSQL. Statements are queued and go out
 * together at db_flush(): one round trip, however many. Generated calls
 * (sql/<program>.h) queue them, typed.
 *
 * serve() begins and ends the transaction around the handler: tenant, lock,
 * account and idempotency stand before the handler's first statement, in the
 * same flush; a read commits with its only flush. A failed flush fails the
 * request; every rows then is empty.
 */
#ifndef DB_H
#define DB_H

#include "req.h"

/* The rows of one statement: empty until the flush, then for as long as the request lasts. */
struct rows;

struct rows *db_query(struct req *r, const struct sql *s, const char *const *values);
/* Sends what is queued and waits. A route without RT_WRITE or RT_COMMITS may do so once. */
void db_flush(struct req *r);

int rows_count(const struct rows *rows);
/* The value in row i of the column; a missing row, a null: "" or 0 or false. A column that does not
 * exist is a programmer's error. */
const char *row_text(const struct rows *rows, int i, const char *column);
int64_t row_int(const struct rows *rows, int i, const char *column);
bool row_bool(const struct rows *rows, int i, const char *column);
bool row_is_null(const struct rows *rows, int i, const char *column);
/* A timestamptz column as RFC 3339 UTC. */
const char *row_time(struct req *r, const struct rows *rows, int i, const char *column);
/* The same for text as the database writes it. */
const char *db_time(struct req *r, const char *timestamptz);

/* Values for db_query. db_id: 0 becomes null. */
const char *db_int(struct req *r, int64_t n);
const char *db_id(struct req *r, int64_t id);
const char *db_bool(bool b);

/* A transaction has so long from its first connection, all its attempts together, waits for a slot
 * not counted: a server that is frozen, or away, is given up while the client still listens. */
#define DB_TIME_US (INT64_C(15) * 1000 * 1000)

/* For tx.c and serve.c. How a transaction stands. */
struct db {
	struct pg *pg;
	void (*begin)(struct req *r); /* queues what comes before the first statement */
	void (*check)(struct req *r); /* judges it, once, after the first flush */
	bool begun;
	bool checked;
	bool commits;  /* a commit is queued or was sent */
	bool lost;     /* the connection broke, or its server takes no writes any more */
	bool reused;   /* it had served before: its end says little of the server */
	bool failed;   /* a statement of the last flush was: its transaction holds nothing */
	bool conflict; /* serialization failure or deadlock: worth another try */
	struct rows *pending[24];
	int pending_count;
	int prologue; /* how many of the first flush stand before the handler's own */
	struct rows *counter, *account, *idempotency;
	const char *request_hash;
};

/* Queues "begin", "commit", … */
void db_command(struct req *r, const char *command);
/* Ends a transaction that failed; the connection may be used on. */
void db_rollback(struct req *r);
/* The same, and gives the connection back. */
void db_release(struct req *r);

#endif
