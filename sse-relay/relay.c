#include "config.h"

#include "relay.h"

#include "answer.h"
#include "arena.h"
#include "clock.h"
#include "eventlog.h"
#include "feed.h"
#include "frame.h"
#include "head.h"
#include "log.h"
#include "metrics.h"
#include "queue.h"
#include "request.h"
#include "stop.h"
#include "store.h"
#include "stream.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUCKETS 1024
#define EVENTS_A_ROUND 64
#define FRAMES_A_ROUND 256
#define FEED_LIMIT 20000
/* Descriptors for all that is no stream. */
#define SPARE_DESCRIPTORS 64
#define MOST_DESCRIPTORS 65536
/* Of missed events that wait to be written, over all streams. */
#define REPLAY_BYTES_MAX ((size_t)64 << 20)

#define HEAD_TIMEOUT_US (10 * CLOCK_SECOND_US)
/* When all come back at once the last one waits as long as that. */
#define OPEN_TIMEOUT_US (10 * CLOCK_SECOND_US)
/* A database that needs longer for what is asked first counts as away. */
#define WATCH_TIMEOUT_US (3 * CLOCK_SECOND_US)
#define END_TIMEOUT_US (2 * CLOCK_SECOND_US)
#define STALL_TIMEOUT_US (10 * CLOCK_SECOND_US)
#define DRAIN_TIMEOUT_US (1 * CLOCK_SECOND_US)

/* What is counted between two ticks, or since the start. */
struct counts {
	uint64_t sent;
	uint64_t replayed;
	uint64_t resets;
	uint64_t slow;
	uint64_t filled;
	uint64_t later;
};

struct relay {
	const struct conf *conf;
	struct tokens *tokens;
	struct arena *scratch;
	int epoll;
	int listener;
	bool listening; /* the listener is in epoll */

	struct stream **streams; /* by descriptor */
	int most;                /* descriptors */
	int connections;
	uint64_t next_serial;
	struct store *stores[BUCKETS];
	size_t replay_bytes;

	struct eventlog *log;
	struct queue *answers;
	struct feed *feed;
	struct queue *events;

	bool database_away;     /* so said the last answer */
	int64_t watch_asked_us; /* the watch task that is under way; 0: none */
	int64_t second;         /* of the last tick */
	struct counts counts;
};

/* Streams and stores */

static struct store **
store_place(struct relay *r, const char *id)
{
	uint32_t hash = 2166136261;
	struct store **at;

	for (const char *c = id; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619;
	for (at = &r->stores[hash % BUCKETS]; *at != NULL; at = &(*at)->next)
		if (strcmp((*at)->id, id) == 0)
			break;
	return at;
}

static struct store *
store_of(struct relay *r, const char *id)
{
	struct store **at = store_place(r, id);

	if (*at == NULL) {
		*at = malloc(sizeof(struct store));
		if (*at == NULL)
			abort();
		store_init(*at, id);
	}
	return *at;
}

static void
attach(struct relay *r, struct stream *st)
{
	struct store *s = store_of(r, st->who.store_id);

	st->store = s;
	st->opened_at = s->last_seq;
	st->next = s->streams;
	if (st->next != NULL)
		st->next->previous = st;
	s->streams = st;
	s->stream_count++;
}

/* An empty store is not freed here, for its streams may be being walked: tick() does. */
static void
detach(struct stream *st)
{
	if (st->store == NULL)
		return;
	if (st->previous != NULL)
		st->previous->next = st->next;
	else
		st->store->streams = st->next;
	if (st->next != NULL)
		st->next->previous = st->previous;
	st->previous = st->next = NULL;
	st->store->stream_count--;
	st->store = NULL;
}

static void
replay_written(struct relay *r, struct stream *st)
{
	r->replay_bytes -= st->replay_bytes;
	st->replay_bytes = 0;
}

static void
close_stream(struct relay *r, struct stream *st)
{
	detach(st);
	replay_written(r, st);
	r->streams[st->fd] = NULL;
	r->connections--;
	stream_free(st);
}

static void
watch_output(struct relay *r, struct stream *st, bool on)
{
	struct epoll_event e = { .events = EPOLLIN | (on ? EPOLLOUT : 0), .data.fd = st->fd };

	if (st->watches_output != on)
		epoll_ctl(r->epoll, EPOLL_CTL_MOD, st->fd, &e);
	st->watches_output = on;
}

/* What writing has come to. The stream may be gone afterwards. */
static void
after_write(struct relay *r, struct stream *st, enum stream_io result)
{
	if (result == STREAM_FULL) {
		r->counts.slow++;
		log_info("a slow reader is dropped", LOG_S("subject", st->who.subject),
		    LOG_S("store_id", st->who.store_id));
	}
	if (result == STREAM_FULL || result == STREAM_GONE) {
		close_stream(r, st);
		return;
	}
	watch_output(r, st, result == STREAM_SOME);
	if (result == STREAM_SOME)
		return;
	replay_written(r, st);
	if (st->state == STREAM_ENDING) {
		/* closing at once would lose what the peer has not read if it has sent anything */
		shutdown(st->fd, SHUT_WR);
		st->state = STREAM_LINGER;
	}
}

/* Writes the last frame (which is consumed; NULL: none) and ends the stream. */
static void
end_stream(struct relay *r, struct stream *st, struct frame *last)
{
	detach(st);
	st->state = STREAM_ENDING;
	st->deadline_us = clock_mono_us() + END_TIMEOUT_US;
	if (last != NULL && !stream_queue(st, last)) {
		frame_unref(last);
		after_write(r, st, STREAM_FULL);
		return;
	}
	frame_unref(last);
	after_write(r, st, stream_flush(st));
}

static void
close_with_reason(struct relay *r, struct stream *st, const char *reason)
{
	end_stream(r, st, frame_printf("event: closed\ndata: {\"reason\":\"%s\"}\n\n", reason));
}

/* Answers a stream that is not live yet, with frame alone (which is consumed). */
static void
answer_and_end(struct relay *r, struct stream *st, struct frame *answer)
{
	stream_forget_until(st, INT64_MAX);
	end_stream(r, st, answer);
}

static void
send_later(struct relay *r, struct stream *st)
{
	r->counts.later++;
	answer_and_end(r, st, answer_later(st->asker));
}

/* Events on their way to the streams */

struct delivery {
	struct relay *relay;
	const char *via;
};

static void
deliver_to(struct relay *r, struct stream *st, struct frame *f)
{
	if (stream_revoked_by(st, f)) {
		if (st->state == STREAM_LIVE)
			close_with_reason(r, st, "revoked");
		else
			answer_and_end(r, st, answer_error(st->asker, ERR_TOKEN_INVALID, 1));
		return;
	}
	if (st->state == STREAM_OPENING) {
		if (stream_sees(st, f) && !stream_queue(st, f))
			send_later(r, st);
		return;
	}
	if (f->seq <= st->seq)
		return;
	st->seq = f->seq;
	if (!stream_sees(st, f))
		return;
	r->counts.sent++;
	after_write(r, st, stream_send(st, f));
}

static void
deliver(void *arg, struct store *s, struct frame *f)
{
	struct delivery *d = arg;
	struct stream *next;
	char labels[32];

	for (struct stream *st = s->streams; st != NULL; st = next) {
		next = st->next;
		deliver_to(d->relay, st, f);
	}
	if (f->occurred_us == 0)
		return;
	snprintf(labels, sizeof(labels), "via=\"%s\"", d->via);
	metrics_observe_us(METRIC_SSE_EVENT_LATENCY, labels, clock_wall_us() - f->occurred_us);
}

static void
ask_for_gap(struct relay *r, struct store *s)
{
	struct task *t;

	if (r->database_away || !store_ask(s))
		return;
	t = task_new(TASK_FILL);
	memcpy(t->fill.store_id, s->id, sizeof(s->id));
	t->fill.after = s->last_seq;
	eventlog_ask(r->log, t, true);
}

static void
take_events(struct relay *r)
{
	struct delivery d = { r, "bus" };
	struct frame *f;

	for (int i = 0; i < FRAMES_A_ROUND && (f = queue_take(r->events)) != NULL; i++) {
		struct store *s = *store_place(r, f->store_id);

		if (s != NULL) {
			store_offer(s, f, deliver, &d);
			ask_for_gap(r, s);
		}
		frame_unref(f);
	}
}

/* What was streamed does not go on in the database: all streams shall come back and be told to reset
 * (see relay_position). */
static void
restart_store(struct relay *r, struct store *s, const char *why)
{
	struct stream *next;

	log_warning(why, LOG_S("store_id", s->id), LOG_I("last_seq", s->last_seq),
	    LOG_I("seen", s->seen));
	for (struct stream *st = s->streams; st != NULL; st = next) {
		next = st->next;
		if (st->state == STREAM_OPENING)
			send_later(r, st);
		else
			end_stream(r, st, NULL);
	}
	store_restart(s);
}

/* It was restored to an earlier time. */
static void
restart_behind(struct relay *r, struct store *s)
{
	restart_store(r, s, "the database is behind what was streamed");
}

/* Answers of the event log */

static void
begin_stream(struct relay *r, struct stream *st, struct open_task *o)
{
	struct store *s = st->store;
	int64_t cursor = o->cursor == CURSOR_NONE ? o->last_seq : o->cursor;
	struct frame *head =
	    o->reset ? answer_reset(st->asker, o->last_seq) : answer_stream(st->asker, cursor);

	if (s->last_seq == -1)
		store_begin(s, o->last_seq);
	/* what came meanwhile is queued; of that the replay holds all up to last_seq */
	stream_forget_until(st, o->last_seq);
	if (o->replay != NULL) {
		stream_queue_first(st, o->replay);
		st->replay_bytes = o->replay->size;
		r->replay_bytes += st->replay_bytes;
		r->counts.replayed++;
	}
	stream_queue_first(st, head);
	frame_unref(head);
	st->seq = o->last_seq > s->last_seq ? o->last_seq : s->last_seq;
	st->state = STREAM_LIVE;
	st->beat_us = clock_mono_us() + r->conf->sse_heartbeat_seconds * CLOCK_SECOND_US;
	free(st->asker);
	st->asker = NULL;
	r->counts.resets += o->reset;
	after_write(r, st, stream_flush(st));
	ask_for_gap(r, s);
}

static struct stream *
find_stream(struct relay *r, int fd, uint64_t serial)
{
	struct stream *st = r->streams[fd];

	return st != NULL && st->serial == serial ? st : NULL;
}

static void
take_open(struct relay *r, struct task *t)
{
	struct stream *st = find_stream(r, t->fd, t->serial);
	struct open_task *o = &t->open;

	if (st == NULL || st->state != STREAM_OPENING)
		return;
	if (t->failed ||
	    (o->replay != NULL && r->replay_bytes + o->replay->size > REPLAY_BYTES_MAX))
		send_later(r, st);
	else if (!o->holds)
		answer_and_end(r, st, answer_error(st->asker, ERR_TOKEN_INVALID, 1));
	else if (o->last_seq < st->opened_at)
		restart_behind(r, st->store);
	else
		begin_stream(r, st, o);
}

static void
take_fill(struct relay *r, struct task *t)
{
	struct delivery d = { r, "log" };
	struct store *s = *store_place(r, t->fill.store_id);

	/* not what a store was asked that has been restarted since */
	if (s == NULL || !s->filling || s->asked_after != t->fill.after)
		return;
	if (t->failed) {
		store_not_filled(s);
		return;
	}
	r->counts.filled += t->fill.count > 0;
	if (store_filled(s, t->fill.frames, t->fill.count, deliver, &d))
		ask_for_gap(r, s);
	else
		restart_store(r, s, "a gap cannot be filled");
}

static void
take_watch(struct relay *r, struct task *t)
{
	struct watch_task *w = &t->watch;

	r->watch_asked_us = 0;
	if (t->failed)
		return;
	for (size_t i = 0; i < w->store_count; i++) {
		struct store *s = *store_place(r, w->stores[i].id);

		if (s == NULL || s->last_seq == -1)
			continue;
		if (w->stores[i].last_seq < w->stores[i].before) {
			restart_behind(r, s);
			continue;
		}
		store_heard(s, w->stores[i].last_seq);
		ask_for_gap(r, s);
	}
	for (size_t i = 0; i < w->fallen_count; i++) {
		const struct watched_stream *x = &w->streams[w->fallen[i]];
		struct stream *st = find_stream(r, x->fd, x->serial);

		if (st != NULL && st->state == STREAM_LIVE)
			close_with_reason(r, st, "revoked");
	}
}

static void
take_answers(struct relay *r)
{
	static void (*const takers[])(struct relay *, struct task *) = {
		[TASK_OPEN] = take_open,
		[TASK_FILL] = take_fill,
		[TASK_WATCH] = take_watch,
	};
	struct task *t;

	for (int i = 0; i < FRAMES_A_ROUND && (t = queue_take(r->answers)) != NULL; i++) {
		if (t->failed != r->database_away) {
			r->database_away = t->failed;
			log_info(t->failed ? "the database is away; streams are told to come back"
					   : "the database is there");
		}
		takers[t->kind](r, t);
		task_free(t);
	}
}

/* Requests */

static bool
is_overdue(int64_t since_us, int64_t timeout_us)
{
	return since_us != 0 && clock_mono_us() - since_us > timeout_us;
}

static bool
database_is_away(const struct relay *r)
{
	return r->database_away || is_overdue(r->watch_asked_us, WATCH_TIMEOUT_US);
}

/* Whether a new stream cannot be served at the moment. */
static bool
must_wait(const struct relay *r)
{
	return database_is_away(r) || r->connections > r->most - r->most / 16;
}

static void
ask_to_open(struct relay *r, struct stream *st)
{
	struct task *t = task_new(TASK_OPEN);

	t->fd = st->fd;
	t->serial = st->serial;
	t->open.who = st->who;
	t->open.cursor = st->cursor;
	st->state = STREAM_OPENING;
	st->deadline_us = clock_mono_us() + OPEN_TIMEOUT_US;
	attach(r, st);
	eventlog_ask(r->log, t, false);
}

static void
take_request(struct relay *r, struct stream *st, const struct head *h)
{
	struct arena_mark mark = arena_mark(r->scratch);
	struct request request = { 0 };
	enum error_code error;

	error =
	    request_check(h, r->tokens, r->scratch, clock_wall_us() / CLOCK_SECOND_US, &request);
	arena_reset(r->scratch, mark);
	asker_init(st->asker, h, r->conf->cors_allowed_origins);
	st->who = request.who;
	st->cursor = request.cursor;
	if (error != ERR_NONE)
		answer_and_end(
		    r, st, answer_error(st->asker, error, strcmp(h->method, "HEAD") != 0));
	else if (must_wait(r))
		send_later(r, st);
	else
		ask_to_open(r, st);
}

static void
read_request(struct relay *r, struct stream *st)
{
	char *bytes = st->head;
	struct head h;
	int n;

	if (stream_read_head(st) == STREAM_GONE) {
		close_stream(r, st);
		return;
	}
	n = head_parse(bytes, st->head_size, &h);
	if (n == 0)
		return;
	st->head = NULL;
	st->asker = calloc(1, sizeof(*st->asker));
	if (st->asker == NULL)
		abort();
	if (n > 0) {
		take_request(r, st, &h);
	} else {
		memset(&h, 0, sizeof(h));
		asker_init(st->asker, &h, "");
		answer_and_end(r, st, answer_error(st->asker, ERR_INVALID_REQUEST, 1));
	}
	free(bytes);
}

/* Connections */

static void
set_listening(struct relay *r, bool on)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = r->listener };

	if (r->listening == on || r->listener == -1)
		return;
	epoll_ctl(r->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, r->listener, &e);
	r->listening = on;
}

static void
accept_some(struct relay *r)
{
	for (int i = 0; i < EVENTS_A_ROUND; i++) {
		struct epoll_event e = { .events = EPOLLIN };
		int fd;

		if (r->connections >= r->most) {
			log_warning(
			    "no more connections fit", LOG_I("connections", r->connections));
			set_listening(r, false);
			return;
		}
		fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1)
			return;
		if (fd >= MOST_DESCRIPTORS) {
			close(fd);
			continue;
		}
		r->streams[fd] = stream_new(fd, ++r->next_serial);
		r->streams[fd]->deadline_us = clock_mono_us() + HEAD_TIMEOUT_US;
		r->connections++;
		e.data.fd = fd;
		epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e);
	}
}

static void
serve_stream(struct relay *r, struct stream *st, uint32_t happened)
{
	if ((happened & EPOLLERR) != 0) {
		close_stream(r, st);
		return;
	}
	if ((happened & EPOLLOUT) != 0) {
		uint64_t serial = st->serial;
		int fd = st->fd;

		after_write(r, st, stream_flush(st));
		if (find_stream(r, fd, serial) == NULL)
			return;
	}
	if ((happened & (EPOLLIN | EPOLLHUP)) == 0)
		return;
	if (st->state == STREAM_READING)
		read_request(r, st);
	else if (stream_read_nothing(st) == STREAM_GONE)
		close_stream(r, st);
}

/* Once a second */

static void
beat(struct relay *r, struct stream *st)
{
	static const char heartbeat[] = "event: heartbeat\ndata: {}\n\n";
	struct frame *f;

	st->beat_us = clock_mono_us() + r->conf->sse_heartbeat_seconds * CLOCK_SECOND_US;
	if (st->queue_count > 0)
		return; /* it does not read what it has */
	if (st->who.role == ROLE_TABLE)
		f = frame_printf("id: %lld\n\n%s", (long long)st->seq, heartbeat);
	else
		f = frame_new(heartbeat, sizeof(heartbeat) - 1);
	after_write(r, st, stream_send(st, f));
	frame_unref(f);
}

static void
tick_stream(struct relay *r, struct stream *st, int64_t now_us, int64_t wall_s)
{
	if (st->state == STREAM_LIVE) {
		if (is_overdue(st->stalled_us, STALL_TIMEOUT_US))
			after_write(r, st, STREAM_FULL);
		else if (wall_s >= st->who.exp)
			close_with_reason(r, st, "expired");
		else if (now_us >= st->beat_us)
			beat(r, st);
		return;
	}
	if (st->state == STREAM_OPENING && (now_us >= st->deadline_us || database_is_away(r)))
		send_later(r, st);
	else if (now_us >= st->deadline_us)
		close_stream(r, st);
}

static void
free_empty_stores(struct relay *r)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct store **at = &r->stores[i]; *at != NULL;) {
			struct store *s = *at;

			if (s->stream_count > 0) {
				at = &s->next;
				continue;
			}
			*at = s->next;
			store_fini(s);
			free(s);
		}
	}
}

static size_t
count_stores(const struct relay *r)
{
	size_t n = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct store *s = r->stores[i]; s != NULL; s = s->next)
			n++;
	return n;
}

static void
watch_stores(struct relay *r, struct task *t)
{
	struct watch_task *w = &t->watch;

	w->stores = arena_alloc(t->arena, (count_stores(r) + 1) * sizeof(*w->stores));
	for (size_t i = 0; i < BUCKETS; i++) {
		for (const struct store *s = r->stores[i]; s != NULL; s = s->next) {
			struct watched_store *x = &w->stores[w->store_count++];

			memcpy(x->id, s->id, sizeof(x->id));
			x->before = s->last_seq;
		}
	}
}

static void
watch_streams(struct relay *r, struct task *t)
{
	struct watch_task *w = &t->watch;

	w->streams = arena_alloc(t->arena, ((size_t)r->connections + 1) * sizeof(*w->streams));
	for (int fd = 0; fd < MOST_DESCRIPTORS; fd++) {
		const struct stream *st = r->streams[fd];

		if (st == NULL || st->state != STREAM_LIVE)
			continue;
		w->streams[w->stream_count++] = (struct watched_stream) { fd, st->serial };
		task_watch_token(w, &st->who);
	}
}

static void
ask_to_watch(struct relay *r)
{
	struct task *t;

	if (r->watch_asked_us != 0)
		return;
	t = task_new(TASK_WATCH);
	watch_stores(r, t);
	watch_streams(r, t);
	r->watch_asked_us = clock_mono_us();
	eventlog_ask(r->log, t, true);
}

static void
tell_counts(struct relay *r)
{
	const struct counts *c = &r->counts;

	metrics_add(METRIC_SSE_EVENTS_SENT, "", c->sent);
	metrics_add(METRIC_SSE_REPLAYS, "", c->replayed);
	metrics_add(METRIC_SSE_RESETS, "", c->resets);
	metrics_add(METRIC_SSE_SLOW_READERS, "", c->slow);
	metrics_add(METRIC_SSE_GAPS_FILLED, "", c->filled);
	metrics_add(METRIC_SSE_DEFERRED, "", c->later);
	memset(&r->counts, 0, sizeof(r->counts));
}

static void
tell_metrics(struct relay *r)
{
	uint64_t admins = 0, tables = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct store *s = r->stores[i]; s != NULL; s = s->next)
			for (const struct stream *st = s->streams; st != NULL; st = st->next)
				*(st->who.role == ROLE_TABLE ? &tables : &admins) += 1;
	metrics_set(METRIC_SSE_STREAMS, "kind=\"admin\"", admins);
	metrics_set(METRIC_SSE_STREAMS, "kind=\"table\"", tables);
	metrics_set(METRIC_SSE_BROKER_CONNECTED, "", feed_connected(r->feed));
	tell_counts(r);
}

static void
tick(struct relay *r)
{
	int64_t now_us = clock_mono_us(), wall_s = clock_wall_us() / CLOCK_SECOND_US;

	for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
		if (r->streams[fd] != NULL)
			tick_stream(r, r->streams[fd], now_us, wall_s);
	free_empty_stores(r);
	ask_to_watch(r);
	tell_metrics(r);
	metrics_beat("sse-relay");
	if (!stop_asked())
		set_listening(r, r->connections < r->most);
}

/* The loop */

/* Until the next whole second, when tokens expire. */
static int
ms_to_next_second(void)
{
	return (int)(1000 - clock_wall_us() % CLOCK_SECOND_US / 1000);
}

static void
turn(struct relay *r)
{
	struct epoll_event happened[EVENTS_A_ROUND];
	int n = epoll_wait(r->epoll, happened, EVENTS_A_ROUND, ms_to_next_second());

	for (int i = 0; i < n; i++) {
		int fd = happened[i].data.fd;

		if (fd == r->listener)
			accept_some(r);
		else if (fd == queue_fd(r->events))
			take_events(r);
		else if (fd == queue_fd(r->answers))
			take_answers(r);
		else if (r->streams[fd] != NULL)
			serve_stream(r, r->streams[fd], happened[i].events);
	}
	if (clock_wall_us() / CLOCK_SECOND_US != r->second) {
		r->second = clock_wall_us() / CLOCK_SECOND_US;
		tick(r);
	}
}

/* Ends all streams as a broken connection would, so that every page comes back. */
static void
drain(struct relay *r)
{
	int64_t deadline_us = clock_mono_us() + DRAIN_TIMEOUT_US;

	set_listening(r, false);
	close(r->listener);
	r->listener = -1;
	for (int fd = 0; fd < MOST_DESCRIPTORS; fd++) {
		struct stream *st = r->streams[fd];

		if (st == NULL || st->state >= STREAM_ENDING)
			continue;
		if (st->state == STREAM_READING)
			close_stream(r, st);
		else if (st->state == STREAM_OPENING)
			send_later(r, st);
		else
			end_stream(r, st, NULL);
	}
	while (r->connections > 0 && clock_mono_us() < deadline_us)
		turn(r);
}

static void
watch_queue(struct relay *r, struct queue *q)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = queue_fd(q) };

	epoll_ctl(r->epoll, EPOLL_CTL_ADD, queue_fd(q), &e);
}

/* Signals are this thread's: they shall end its epoll_wait(). */
static void
start_threads(struct relay *r)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r->log = eventlog_start(r->conf, r->answers);
	r->feed = feed_start(r->conf, r->events);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
init(struct relay *r)
{
	struct rlimit l = { 1024, 1024 };

	getrlimit(RLIMIT_NOFILE, &l);
	r->most = (int)(l.rlim_cur < MOST_DESCRIPTORS ? l.rlim_cur : MOST_DESCRIPTORS) -
	    SPARE_DESCRIPTORS;
	r->streams = calloc(MOST_DESCRIPTORS, sizeof(struct stream *));
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->streams == NULL || r->epoll == -1)
		abort();
	r->scratch = arena_new(16 << 10);
	r->answers = queue_new(QUEUE_UNLIMITED);
	r->events = queue_new(FEED_LIMIT);
	watch_queue(r, r->answers);
	watch_queue(r, r->events);
	start_threads(r);
	tick(r);
}

static void
fini(struct relay *r)
{
	struct task *t;
	struct frame *f;

	for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
		if (r->streams[fd] != NULL)
			close_stream(r, r->streams[fd]);
	free_empty_stores(r);
	tell_metrics(r);
	/* a thread that hangs in a library call ends with the process */
	if (!feed_stop(r->feed) || !eventlog_stop(r->log))
		_exit(0);
	while ((t = queue_take(r->answers)) != NULL)
		task_free(t);
	while ((f = queue_take(r->events)) != NULL)
		frame_unref(f);
	queue_free(r->answers);
	queue_free(r->events);
	arena_free(r->scratch);
	close(r->epoll);
	free(r->streams);
}

void
relay_run(const struct conf *c, struct tokens *tokens, int listener)
{
	struct relay r = { .conf = c, .tokens = tokens, .listener = listener };

	init(&r);
	while (!stop_asked())
		turn(&r);
	drain(&r);
	fini(&r);
}
