/*
 * frame: bytes on their way to streams, encoded once and shared by reference.
 * A frame belongs to one thread at a time.
 */
#ifndef FRAME_H
#define FRAME_H

#include "arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who sees it, beside the store's admins. */
enum frame_audience {
	FRAME_ADMINS, /* nobody */
	FRAME_TABLE,  /* the table table_id */
	FRAME_STORE,  /* every table of the store */
};

struct frame {
	int refs;
	/* of an event; seq 0: not an event */
	int64_t seq;
	int64_t occurred_us; /* wall clock; 0: not known */
	enum frame_audience audience;
	int64_t table_id;
	char store_id[37];
	/* the account whose tokens of generations below gen end here; "" in all other events */
	char revoked_subject[32];
	int64_t revoked_gen;

	size_t size;
	char bytes[];
};

/* A frame of the caller's with these bytes. */
struct frame *frame_new(const char *bytes, size_t size);
__attribute__((format(printf, 1, 2), nonnull(1))) struct frame *frame_printf(
    const char *format, ...);
/* The Server-Sent Event (WHATWG HTML, 9.2) of an envelope, JSON text, which is sent as it is; NULL
 * when it is no envelope. scratch is used and left as it was. */
struct frame *frame_event(struct arena *scratch, const char *envelope, size_t size);

struct frame *frame_ref(struct frame *f);
/* NULL is fine. */
void frame_unref(struct frame *f);

/* RFC 3339 UTC ("2026-01-02T03:04:05.678Z") as microseconds since 1970; 0 when it is not that. */
int64_t frame_parse_time(const char *text);

#endif
