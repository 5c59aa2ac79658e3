/*
 * password: bcrypt hashes (crypt(5), "$2b$") at the configured cost. A hash is
 * a quarter of a second of a core, so at most half of the host's cores hash at
 * once; further callers queue. Hold no database connection meanwhile.
 */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "conf.h"

#include <stdbool.h>

#define PASSWORD_HASH_SIZE 64
/* What bcrypt reads of a password; whatever is longer must be refused, not cut. */
#define PASSWORD_LIMIT_BYTES 72

/* Whether a password has 1 to 72 bytes; no other policy. Callers refuse what has not. */
bool password_acceptable(const char *password);

/* Writes the hash of an acceptable password, with a salt of its own, into out. Returns 0, or -1
 * with out empty: the password is not acceptable or the system gave no random bytes. Any thread. */
int password_hash(const struct conf *c, const char *password, char out[PASSWORD_HASH_SIZE]);

/* Whether password is the one that hash was made of. hash NULL, or none of ours, means an unknown
 * account: that takes as long as a known one of the configured cost, and is false. Any thread. */
bool password_verify(const struct conf *c, const char *password, const char *hash);

#endif
