/*
 * redis: what a request asks Redis, in one round trip: its rate limit and, for
 * a cached route, generation and value. Redis is never needed: it gets 100 ms,
 * then is left alone for a second, and requests pass without it (a warning and
 * table_order_redis_failures_total say so).
 *
 * Keys: rate:<subject>; gen:<kind>:<store_id>, raised by a change; below a
 * generation, auth:<store_id>:<gen>:<jti> (a token the database has agreed to)
 * and cache:<store_id>:<gen>:<what>.
 */
#ifndef REDIS_H
#define REDIS_H

#include "arena.h"
#include "conf.h"

#include <stdbool.h>
#include <stdint.h>

/* One process's view of Redis; redis_new checks the URL: redis://[:password@]host[:port][/db], the
 * password with %XX for what a URL does not bear, the host also an IPv6 address in []; or
 * unix:/path. NULL and a line on err when it is misshapen. */
struct redis;
struct redis *redis_new(const struct conf *c, FILE *err);
void redis_free(struct redis *shared);

/* One thread's connection, made when first used. */
struct redis_link;
struct redis_link *redis_link_new(struct redis *shared);
void redis_link_free(struct redis_link *l);

struct redis_ask {
	const char *subject;  /* who is counted; NULL: nobody */
	const char *store_id; /* with jti and what: look into the cache */
	const char *jti;
	const char *kind; /* whose changes void the value: "menu" */
	const char *what; /* the value's name */
};

struct redis_answer {
	bool there;   /* Redis answered; all else is 0 otherwise */
	bool limited; /* over the rate limit */
	int64_t remaining;
	int64_t reset_s; /* seconds until the oldest counted request leaves the window */
	bool agreed;     /* the database has agreed to this token lately */
	int64_t auth_gen;
	int64_t value_gen;
	const char *value; /* the arena's; NULL: none */
	size_t value_len;
};

/* Asks; never fails, see .there. The limit is conf's RATE_LIMIT_PER_MINUTE, 0: none. */
struct redis_answer redis_ask(struct redis_link *l, struct arena *a, const struct redis_ask *ask);

/* Keeps a value, and the database's agreement to the token, under the generations of the answer. */
void redis_fill(struct redis_link *l, const struct redis_ask *ask,
    const struct redis_answer *answer, const char *value, size_t value_len);

/* Voids what was kept of a kind ("menu", "auth", "history") for a store; tried even while Redis is
 * left alone. A lost call lasts CACHE_TTL_SECONDS. */
void redis_void(struct redis_link *l, const char *kind, const char *store_id);

/* Whether Redis answers a PING; else a line in error. */
bool redis_ping(struct redis_link *l, char *error, size_t size);
/* What INFO says of a section ("memory"), cut to size; false when nothing came. */
bool redis_info(struct redis_link *l, const char *section, char *text, size_t size);

#endif
