/*
 * eventlog: the database, asked on a thread of its own: a server that is down
 * or slow holds up nobody but those who wait for its answer.
 *
 * A task goes in, is done, and comes back through the queue that was given;
 * then it is the asker's again, to be freed by task_free().
 */
#ifndef EVENTLOG_H
#define EVENTLOG_H

#include "arena.h"
#include "conf.h"
#include "frame.h"
#include "queue.h"
#include "token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many events one TASK_FILL brings at most. */
#define EVENTLOG_FILL_MAX 200
/* How many bytes of missed events (of SSE_REPLAY_EVENTS at most) a stream is sent when it opens. */
#define EVENTLOG_REPLAY_BYTES (8 << 20)

/* Cursors that are no seq. */
#define CURSOR_NONE INT64_C(-2) /* from now on */
#define CURSOR_BAD INT64_C(-1)  /* what the client said is none */

enum task_kind {
	TASK_OPEN,  /* may this token stream, and what did it miss? */
	TASK_FILL,  /* the events of a store behind a seq */
	TASK_WATCH, /* how far are these stores, and which tokens hold no more? */
};

struct open_task {
	struct claims who;
	int64_t cursor;
	/* answers */
	bool holds;
	bool reset; /* the cursor is of no use, or too much was missed */
	int64_t last_seq;
	struct frame *replay; /* all missed events in one frame, or NULL */
};

struct fill_task {
	char store_id[37];
	int64_t after;
	/* answers */
	struct frame **frames; /* EVENTLOG_FILL_MAX places */
	size_t count;
};

struct watched_store {
	char id[37];
	int64_t before;   /* where it was when the task was made */
	int64_t last_seq; /* answer */
};

struct watched_stream {
	int fd;
	uint64_t serial;
};

struct watch_task {
	struct watched_store *stores;
	size_t store_count;
	struct watched_stream *streams;
	size_t stream_count;
	/* the streams' tokens, in array literals of PostgreSQL */
	struct buf roles, ids, generations, jtis, store_ids;
	/* answer: positions in streams of those whose tokens fell */
	size_t *fallen;
	size_t fallen_count;
};

struct task {
	enum task_kind kind;
	bool failed; /* the database did not answer: nothing else in here is set */
	/* who asked, for TASK_OPEN */
	int fd;
	uint64_t serial;
	struct arena *arena; /* of what belongs to a watch task */
	union {
		struct open_task open;
		struct fill_task fill;
		struct watch_task watch;
	};
};

/* A zeroed task; of a watch task the literals are begun. */
struct task *task_new(enum task_kind kind);
void task_free(struct task *t);
/* Adds a token to a watch task. */
void task_watch_token(struct watch_task *w, const struct claims *who);

struct eventlog;

/* Starts the thread. answers, which has no limit, outlives it, and so does c's text. */
struct eventlog *eventlog_start(const struct conf *c, struct queue *answers);
/* Asks; urgent tasks go before those that wait. */
void eventlog_ask(struct eventlog *l, struct task *t, bool urgent);
/* Ends the thread; false when it did not end within a second. */
bool eventlog_stop(struct eventlog *l);

#endif
