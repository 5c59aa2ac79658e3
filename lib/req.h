/*
 * req: one request: who asks, for what, with which inputs; and the error that
 * ends it.
 *
 * The first failure wins. Once a request has failed every further req_*, db_*,
 * event_* and reply_* call does nothing and returns an empty value ("" or 0 or
 * an empty object), never NULL where a value is due, so a handler reads as
 * straight lines and asks req_failed() only before it branches on data.
 *
 * Everything returned lives in the request's arena.
 */
#ifndef REQ_H
#define REQ_H

#include "arena.h"
#include "conf.h"
#include "error.h"
#include "gateway.h"
#include "json.h"
#include "pg.h"
#include "redis.h"
#include "token.h"

#include <stdbool.h>
#include <stdint.h>

struct req;
struct route;

/* A process: what lives as long as it. */
struct app {
	const char *program;
	const struct route *routes;
	struct conf conf;
	struct tokens *tokens;
	struct pg_pool *pool;
	struct redis *redis;
};

/* What a route needs beside its role. */
enum route_flags {
	RT_READ = 0,
	/* changes what others see: one transaction that holds the store's counter row */
	RT_WRITE = 1,
	/* a retry with the same Idempotency-Key gets the first answer */
	RT_IDEMPOTENT = 2,
	/* several statements see one moment */
	RT_SNAPSHOT = 4,
	/* acts as the platform role, outside of any store */
	RT_PLATFORM = 8,
	/* needs no database */
	RT_LOCAL = 16,
	/* commits, but emits no event and so holds no counter row */
	RT_COMMITS = 32,
	/* takes multipart/form-data, too, of UPLOAD_BODY_LIMIT */
	RT_UPLOAD = 64,
	/* the answer has an ETag, as that of a cached route has anyway */
	RT_ETAG = 128,
};

/* One row of a service's table. */
struct route {
	const char *method;  /* "*" with pattern "*": whatever no other row serves */
	const char *pattern; /* "/api/admin/orders/{order_id}/status" */
	unsigned roles;      /* enum role, or together; ROLE_NONE: no token is asked for */
	unsigned flags;
	void (*handler)(struct req *r);
	/* a transaction of its own, committed before the handler runs, if any */
	void (*before)(struct req *r);
	/* the answer is kept in Redis, with an ETag, until this kind of the store's data changes
	 * ("menu"); NULL: it is not */
	const char *cached;
};

static inline bool
route_has_etag(const struct route *route)
{
	return route->cached != NULL || (route->flags & RT_ETAG) != 0;
}

#define JSON_BODY_LIMIT ((size_t)64 << 10)
#define UPLOAD_BODY_LIMIT ((size_t)6 << 20)

/* A file whose fate is the transaction's. */
struct file {
	const char *path;
	struct file *next;
};

struct header {
	const char *name;
	const char *value;
	struct header *next;
};

struct reply {
	int status; /* 0: none as yet */
	const char *content_type;
	const char *body;
	size_t body_len;
	const char *location;
	struct header *headers;
};

/* The store of the request, read with the account in the first flush, or locked by tx_lock_store().
 */
struct store {
	const char *id;
	const char *now;   /* the database's clock, after the counter's lock; text of timestamptz */
	const char *today; /* the business date at that moment */
	int64_t last_seq;
	const char *counter_date; /* business date of the last order number, "" without one */
	int64_t last_order_number;
	bool seq_moved;
	bool number_moved;
};

/* How many kinds of cached values there are. */
#define REQ_KINDS 3

struct req {
	struct app *app;
	struct arena *arena;
	const struct gateway *gateway;
	struct redis_link *redis;
	const struct route *route;

	const char *id; /* X-Request-Id */
	const char *method;
	const char *path;
	const char *query;   /* may be NULL */
	const char *address; /* the client's */
	enum lang lang;
	const char *segments[8]; /* the path's, split */
	int segment_count;
	const char *body;
	size_t body_len;
	json_object *json; /* the body's object, once asked for or set from a form */

	struct claims who;           /* role ROLE_NONE: nobody */
	const char *idempotency_key; /* the client's, or one of our own */
	bool own_key;
	struct redis_ask ask;
	struct redis_answer redis_answer;

	struct store store;
	struct db *db;
	struct reply reply;

	enum error_code error;
	json_object *error_details;
	int64_t retry_after_s;
	const char *error_note; /* for the log only */
	bool finished;          /* the answer stands (a replay); no handler's work is wanted */

	int64_t start_us;
	int64_t db_until_us; /* when the present transaction has had its time; 0: not begun */
	bool in_doubt;       /* a COMMIT was sent, and nothing yet says how it ended */
	int db_trips;
	void *state;           /* the handler's, from its before step */
	struct file *created;  /* to be removed should the transaction fail */
	struct file *obsolete; /* to be removed once it is committed */
	const char
	    *voided[REQ_KINDS]; /* kinds that lose their cache after the commit: req_void() */
};

/* Fails the request, unless it has failed before. */
void req_fail(struct req *r, enum error_code code);
/* As req_fail, and the error's details say which field ("items[2].quantity") and why (English). */
void req_fail_field(struct req *r, const char *field, const char *why);
/* As req_fail with details, an object of the arena's. */
void req_fail_details(struct req *r, enum error_code code, json_object *details);
/* As req_fail for 429 and 503: when to come back. */
void req_fail_retry(struct req *r, enum error_code code, int64_t seconds);
/* Whether the request has failed or is finished: whether to stop. */
bool req_failed(const struct req *r);

/* Notes a file that was made for this request: it goes if the transaction does not hold. */
void req_file_created(struct req *r, const char *path);
/* Notes a file that is of no use any more once the transaction holds. */
void req_file_obsolete(struct req *r, const char *path);

/* What Redis keeps of a kind ("menu", "auth", "history") for the store goes once the transaction
 * holds. */
void req_void(struct req *r, const char *kind);

/* A request header by its name ("If-None-Match"), or NULL. */
const char *req_header(struct req *r, const char *name);

/* The segment that stands for {name} in the route's pattern: an id 1…2^53-1, else 404 with the
 * code. */
int64_t req_path_id(struct req *r, const char *name, enum error_code missing);

/* The segment itself. */
const char *req_path_text(struct req *r, const char *name);

/* A query parameter; the empty value ("" or dflt) when it is absent. */
const char *req_query_text(struct req *r, const char *name, size_t max_length);
int64_t req_query_int(struct req *r, const char *name, int64_t least, int64_t most, int64_t dflt);

/* A member of the body: of the object, which is the body itself (req_body) or a part of it; where
 * is the part's place for messages ("items[2]."), "" for the body. Lengths are in characters. */
json_object *req_body(struct req *r);
/* The same where a body may be left out: an empty object then. */
json_object *req_optional_body(struct req *r);
const char *req_text(
    struct req *r, json_object *o, const char *where, const char *name, size_t least, size_t most);
/* NULL when absent or null. */
const char *req_optional_text(
    struct req *r, json_object *o, const char *where, const char *name, size_t least, size_t most);
/* What people call something: 1 to NAME_LENGTH characters, no control characters, not blank. */
#define NAME_LENGTH 100
const char *req_name(struct req *r, json_object *o, const char *name);
/* NULL when absent or null. */
const char *req_optional_name(struct req *r, json_object *o, const char *name);
int64_t req_int(struct req *r, json_object *o, const char *where, const char *name, int64_t least,
    int64_t most);
/* dflt when absent or null. */
int64_t req_optional_int(struct req *r, json_object *o, const char *where, const char *name,
    int64_t least, int64_t most, int64_t dflt);
/* true or false; -1 when absent or null. */
int req_optional_bool(struct req *r, json_object *o, const char *where, const char *name);
/* A password: 1 to 72 bytes, bcrypt's limit; there is no other rule. */
const char *req_password(struct req *r, json_object *o, const char *name);
/* An array of least…most elements; never NULL. */
json_object *req_array(
    struct req *r, json_object *o, const char *where, const char *name, size_t least, size_t most);
/* The i-th element of such an array, which must be an object. */
json_object *req_element(struct req *r, json_object *array, size_t i, const char *name);

#endif
