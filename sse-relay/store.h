/*
 * store: the order of one store's events. Whatever arrives, and however often,
 * is given on once, in the order of seq, without a gap: what comes too early is
 * held until the event log has filled the gap before it.
 */
#ifndef STORE_H
#define STORE_H

#include "frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_HELD_MAX 256

struct stream;

struct store {
	char id[37];
	int64_t last_seq; /* of the event given on last; -1: not known yet */
	int64_t seen;     /* the greatest seq that was heard of */
	bool filling;     /* the event log is being asked what follows asked_after */
	int64_t asked_after;
	struct frame *held[STORE_HELD_MAX];
	size_t held_count;
	/* the owner's */
	struct stream *streams;
	size_t stream_count;
	struct store *next;
};

/* Is called with each event in its order. */
typedef void store_deliver(void *arg, struct store *s, struct frame *f);

void store_init(struct store *s, const char *id);
/* Lets go of what is held. */
void store_fini(struct store *s);

/* Forgets what is held, and its place, which store_begin() tells again. */
void store_restart(struct store *s);
/* The store's last seq was read, and it was not known before. */
void store_begin(struct store *s, int64_t last_seq);
/* The store has come to last_seq, as somebody says. */
void store_heard(struct store *s, int64_t last_seq);
/* An event from the bus. The frame stays the caller's. */
void store_offer(struct store *s, struct frame *f, store_deliver *deliver, void *arg);
/* The event log answered with the n events behind last_seq, as many as it had. False: the next one
 * is not among them, and to ask again would not help. */
bool store_filled(
    struct store *s, struct frame *const *frames, size_t n, store_deliver *deliver, void *arg);
/* The event log did not answer. */
void store_not_filled(struct store *s);

/* Whether the event log must be asked for what follows last_seq. It counts as asked then, until
 * store_filled() or store_not_filled(). */
bool store_ask(struct store *s);

#endif
