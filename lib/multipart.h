/*
 * multipart: reading multipart/form-data (RFC 7578) that lies whole in memory.
 * Strict: every part is whole, named, and ends at a boundary; what lies about
 * itself is refused.
 */
#ifndef MULTIPART_H
#define MULTIPART_H

#include "arena.h"

#include <stddef.h>

#define MULTIPART_PARTS 32

struct multipart_part {
	const char *name;
	const char *filename; /* NULL: a plain field */
	const char *bytes;    /* within the body, not NUL-terminated */
	size_t size;
};

struct multipart {
	struct multipart_part parts[MULTIPART_PARTS];
	int count;
};

/* Splits a body by the boundary of its Content-Type. Parts point into body; names are the arena's.
 * Returns NULL, or why it cannot be read (English). */
const char *multipart_read(struct arena *a, const char *content_type, const char *body, size_t size,
    struct multipart *out);

#endif
