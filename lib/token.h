/*
 * token: who somebody is. RS256 JSON Web Tokens (RFC 7519), signed and
 * verified with libjwt behind the guards that it lacks: the algorithm is
 * required, keys are chosen by kid (RFC 7638 thumbprint), exp, iat and every
 * claim's type are checked. Verified tokens are kept in a small table, so a
 * token costs its signature check once a process.
 *
 * A good token says who asked; whether the account still stands is the
 * database's to say (token_generation, revoked_tokens).
 */
#ifndef TOKEN_H
#define TOKEN_H

#include "arena.h"
#include "conf.h"

#include <stdint.h>
#include <stdio.h>

/* Roles; a route names those it admits, or together. */
enum role {
	ROLE_NONE = 0,
	ROLE_TABLE = 1,
	ROLE_STORE_ADMIN = 2,
	ROLE_SUPER_ADMIN = 4,
};

struct claims {
	enum role role;
	char subject[32];   /* "table:12", "admin:3" */
	char store_id[37];  /* "" for a super admin */
	int64_t account_id; /* the number in subject; for a table its table_id */
	int64_t gen;
	int64_t iat; /* seconds since 1970 */
	int64_t exp;
	char jti[37];
};

enum token_result {
	TOKEN_BAD = -1, /* not ours, forged, misshapen */
	TOKEN_OLD = -2, /* ours, but expired */
	TOKEN_OK = 0,
};

struct tokens;

/* The keys of the configuration; NULL and a line on err when they are not usable. */
struct tokens *tokens_new(const struct conf *c, FILE *err);
void tokens_free(struct tokens *t);

/* Verifies a compact token (NUL-terminated, from anywhere) at the time now_s. *out is set for
 * TOKEN_OK only. Any thread. */
enum token_result tokens_verify(
    struct tokens *t, const char *token, int64_t now_s, struct claims *out);

/* Signs claims with the private key; the text is the arena's. NULL when that fails. */
char *tokens_sign(struct tokens *t, struct arena *a, const struct claims *c);

/* The public keys as a JWK set (RFC 7517), JSON text owned by t. */
const char *tokens_jwks(const struct tokens *t);

/* "table", "store_admin", "super_admin"; "" for ROLE_NONE. */
const char *role_name(enum role role);

#endif
