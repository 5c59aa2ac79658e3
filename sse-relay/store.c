#include "config.h"

#include "store.h"

#include <stdio.h>
#include <string.h>

void
store_init(struct store *s, const char *id)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->id, sizeof(s->id), "%s", id);
	store_restart(s);
}

void
store_fini(struct store *s)
{
	while (s->held_count > 0)
		frame_unref(s->held[--s->held_count]);
}

void
store_restart(struct store *s)
{
	store_fini(s);
	s->last_seq = s->seen = -1;
	s->filling = false;
}

void
store_begin(struct store *s, int64_t last_seq)
{
	s->last_seq = last_seq;
	store_heard(s, last_seq);
}

void
store_heard(struct store *s, int64_t last_seq)
{
	if (last_seq > s->seen)
		s->seen = last_seq;
}

static void
give_on(struct store *s, struct frame *f, store_deliver *deliver, void *arg)
{
	s->last_seq = f->seq;
	store_heard(s, f->seq);
	deliver(arg, s, f);
}

/* Gives on what is held and due now, and forgets what has been given on already. */
static void
give_on_held(struct store *s, store_deliver *deliver, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->held_count; i++) {
		struct frame *f = s->held[i];

		if (f->seq > s->last_seq + 1) {
			s->held[kept++] = f;
			continue;
		}
		if (f->seq == s->last_seq + 1)
			give_on(s, f, deliver, arg);
		frame_unref(f);
	}
	s->held_count = kept;
}

void
store_offer(struct store *s, struct frame *f, store_deliver *deliver, void *arg)
{
	store_heard(s, f->seq);
	if (s->last_seq == -1 || f->seq <= s->last_seq)
		return;
	if (f->seq == s->last_seq + 1) {
		give_on(s, f, deliver, arg);
		give_on_held(s, deliver, arg);
		return;
	}
	/* without room it is left to the event log */
	if (s->held_count < STORE_HELD_MAX)
		s->held[s->held_count++] = frame_ref(f);
}

bool
store_filled(
    struct store *s, struct frame *const *frames, size_t n, store_deliver *deliver, void *arg)
{
	s->filling = false;
	for (size_t i = 0; i < n; i++)
		if (frames[i]->seq == s->last_seq + 1)
			give_on(s, frames[i], deliver, arg);
	give_on_held(s, deliver, arg);
	return s->last_seq > s->asked_after || s->seen <= s->last_seq;
}

void
store_not_filled(struct store *s)
{
	s->filling = false;
}

bool
store_ask(struct store *s)
{
	if (s->filling || s->last_seq == -1 || s->seen <= s->last_seq)
		return false;
	s->filling = true;
	s->asked_after = s->last_seq;
	return true;
}
