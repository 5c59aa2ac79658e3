/*
 * uuid: random names (RFC 9562, version 4).
 */
#ifndef UUID_H
#define UUID_H

#include "arena.h"

#define UUID_LENGTH 36

/* A new one, in lower case. */
char *uuid_new(struct arena *a);

#endif
