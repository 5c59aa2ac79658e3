/*
 * answer: what the relay says in HTTP: the beginning of a stream, or an error
 * in the form that all of the API has. Every answer ends its connection.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "error.h"
#include "frame.h"
#include "head.h"

#include <stdint.h>

/* What of a request shapes its answer. */
struct asker {
	char request_id[65];
	char origin[256]; /* "" unless it is one of the allowed origins */
	enum lang lang;
};

/* allowed_origins: CORS_ALLOWED_ORIGINS. A request without a usable id gets one. */
void asker_init(struct asker *a, const struct head *h, const char *allowed_origins);

/* An error; with_body is false for the answer to HEAD. */
struct frame *answer_error(const struct asker *a, enum error_code code, int with_body);
/* The headers of a stream and its first blocks: how soon to reconnect, and the cursor. */
struct frame *answer_stream(const struct asker *a, int64_t cursor);
/* A stream that begins with the current id because the client's is of no use. */
struct frame *answer_reset(const struct asker *a, int64_t current);
/* A stream that ends at once, so that an EventSource comes back. */
struct frame *answer_later(const struct asker *a);

#endif
