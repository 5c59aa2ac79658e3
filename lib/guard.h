/*
 * guard: what every request passes before its handler: CORS, what it accepts,
 * its token and role, Redis (rate limit and cache).
 */
#ifndef GUARD_H
#define GUARD_H

#include "req.h"

/* Adds the CORS headers for a listed Origin; Vary in any case. */
void guard_cors(struct req *r);
/* The preflight's headers; methods as in Allow. */
void guard_preflight(struct req *r, const char *methods);

/* Reads and verifies the token of a route that asks for one, and its role. */
void guard_token(struct req *r);
/* Idempotency-Key of a route that honours it: the client's, or one of our own. */
void guard_idempotency_key(struct req *r);
/* Asks Redis: the rate limit, and for a cached route its value. */
void guard_redis(struct req *r);

/* The client's address: REMOTE_ADDR, or behind TRUSTED_PROXIES the last untrusted one of
 * X-Forwarded-For. */
const char *guard_address(struct req *r);

#endif
