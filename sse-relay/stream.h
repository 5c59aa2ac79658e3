/*
 * stream: one connection: its socket, what is still to be written, and who is
 * at the other end. Writing never waits: what the socket does not take is
 * queued, by reference, up to STREAM_QUEUE_MAX frames.
 */
#ifndef STREAM_H
#define STREAM_H

#include "answer.h"
#include "frame.h"
#include "store.h"
#include "token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_QUEUE_MAX 256
/* More than a page of events on the way to a reader, and autotuning hides that it does not read. */
#define STREAM_SEND_BUFFER (32 << 10)

enum stream_state {
	STREAM_READING, /* its request is being read */
	STREAM_OPENING, /* the database is being asked; events are queued, not written */
	STREAM_LIVE,
	STREAM_ENDING, /* what is queued is written, then the connection ends */
	STREAM_LINGER, /* our side is closed; the other's end is awaited */
};

struct stream {
	int fd;
	uint64_t serial; /* tells it from a later one with the same descriptor */
	enum stream_state state;
	bool watches_output; /* in epoll */
	int64_t deadline_us; /* of every state but LIVE */
	int64_t beat_us;     /* when the next heartbeat is due */
	int64_t stalled_us;  /* since when nothing could be written; 0: all is written */
	/* while the head is read: HEAD_LIMIT bytes */
	char *head;
	size_t head_size;
	/* until it is answered */
	struct asker *asker;
	int64_t cursor;
	/* from OPENING on */
	struct claims who;
	int64_t seq;       /* of the last event that it was given, shown to it or not */
	int64_t opened_at; /* its store's last_seq when it came */
	struct store *store;
	struct stream *previous;
	struct stream *next;
	/* what is not written yet: a ring */
	struct frame **queue;
	size_t queue_first;
	size_t queue_count;
	size_t queue_size;
	size_t written;      /* bytes of the first frame */
	size_t replay_bytes; /* counted against the relay's bound while it is unwritten */
};

enum stream_io {
	STREAM_FULL = -2, /* the peer does not keep up */
	STREAM_GONE = -1, /* the peer is gone */
	STREAM_ALL = 0,   /* everything is written */
	STREAM_SOME = 1,  /* the socket is full */
};

/* fd becomes the stream's. */
struct stream *stream_new(int fd, uint64_t serial);
/* Closes it and lets go of all it holds. */
void stream_free(struct stream *st);

/* Queues a frame without writing. false: the queue is full. */
bool stream_queue(struct stream *st, struct frame *f);
/* Drops what is queued with a seq up to last_seq. */
void stream_forget_until(struct stream *st, int64_t last_seq);
/* Puts a frame before all others; nothing may have been written as yet. */
void stream_queue_first(struct stream *st, struct frame *f);
/* Writes what the socket takes. */
enum stream_io stream_flush(struct stream *st);
/* Queues and writes. */
enum stream_io stream_send(struct stream *st, struct frame *f);

/* Reads more of the head. STREAM_GONE: the peer is gone. */
enum stream_io stream_read_head(struct stream *st);
/* Reads and drops whatever the peer says; STREAM_GONE when it has ended. */
enum stream_io stream_read_nothing(struct stream *st);

/* Whether the event is meant for the stream's account. */
bool stream_sees(const struct stream *st, const struct frame *f);
/* Whether the event ends the stream's token. */
bool stream_revoked_by(const struct stream *st, const struct frame *f);

#endif
