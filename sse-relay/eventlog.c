#include "config.h"

#include "eventlog.h"

#include "clock.h"
#include "log.h"
#include "pg.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sql/sse-relay.h"

#define TASK_LIMIT 200000
#define TASK_ARENA_BYTES 4096
#define BACKOFF_US (INT64_C(500) * 1000)
#define NUMBER_SIZE 24
/* begin, tokens, position, replay, commit */
#define OPEN_RESULTS 5

struct eventlog {
	struct conf conf;
	struct queue *tasks;
	struct queue *answers;
	pthread_t thread;
	atomic_bool stopping;
	struct arena *scratch;
	struct pg *pg;
	int64_t retry_us;
};

static void
begin_watch(struct task *t)
{
	struct buf *const all[] = { &t->watch.roles, &t->watch.ids, &t->watch.generations,
		&t->watch.jtis, &t->watch.store_ids };

	t->arena = arena_new(TASK_ARENA_BYTES);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		buf_init(all[i], t->arena, 256);
		buf_puts(all[i], "{");
	}
}

struct task *
task_new(enum task_kind kind)
{
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	t->kind = kind;
	if (kind == TASK_WATCH)
		begin_watch(t);
	if (kind == TASK_FILL) {
		t->fill.frames = calloc(EVENTLOG_FILL_MAX, sizeof(struct frame *));
		if (t->fill.frames == NULL)
			abort();
	}
	return t;
}

void
task_free(struct task *t)
{
	if (t->kind == TASK_OPEN)
		frame_unref(t->open.replay);
	if (t->kind == TASK_FILL) {
		for (size_t i = 0; i < t->fill.count; i++)
			frame_unref(t->fill.frames[i]);
		free(t->fill.frames);
	}
	arena_free(t->arena);
	free(t);
}

/* jti and store_id are UUIDs: nothing in them needs quoting. */
void
task_watch_token(struct watch_task *w, const struct claims *who)
{
	const char *comma = w->roles.len > 1 ? "," : "";
	char number[NUMBER_SIZE];

	buf_puts(&w->roles, comma);
	buf_puts(&w->roles, role_name(who->role));
	snprintf(number, sizeof(number), "%s%lld", comma, (long long)who->account_id);
	buf_puts(&w->ids, number);
	snprintf(number, sizeof(number), "%s%lld", comma, (long long)who->gen);
	buf_puts(&w->generations, number);
	buf_puts(&w->jtis, comma);
	buf_puts(&w->jtis, who->jti);
	buf_puts(&w->store_ids, comma);
	buf_puts(&w->store_ids, who->store_id);
}

/* A query's answer of rows, or NULL and the reason in the log. */
static const PGresult *
rows(const PGresult *r)
{
	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		return r;
	/* what stands behind a failed statement was not tried */
	if (PQresultStatus(r) != PGRES_PIPELINE_ABORTED)
		log_error("the event log cannot be read", LOG_S("error", PQresultErrorMessage(r)));
	return NULL;
}

static bool
flush(struct eventlog *l, PGresult **results, int n)
{
	if (pg_flush(l->pg, results, n) == 0)
		return true;
	log_warning("the connection to the database is lost", LOG_S("error", pg_error(l->pg)));
	return false;
}

static int64_t
number_at(const PGresult *r, int row, int column)
{
	return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

static void
queue_fallen(struct eventlog *l, struct watch_task *w)
{
	const char *values[5];

	buf_puts(&w->roles, "}");
	buf_puts(&w->ids, "}");
	buf_puts(&w->generations, "}");
	buf_puts(&w->jtis, "}");
	buf_puts(&w->store_ids, "}");
	values[0] = w->roles.data;
	values[1] = w->ids.data;
	values[2] = w->generations.data;
	values[3] = w->jtis.data;
	values[4] = w->store_ids.data;
	pg_queue(l->pg, &SQL_RELAY_FALLEN, values);
}

/* All events of the answer behind one another; a table's cursor is moved on behind them, over what
 * it does not see. */
static struct frame *
join_replay(struct eventlog *l, const struct open_task *o, const PGresult *events)
{
	struct arena_mark mark = arena_mark(l->scratch);
	struct frame *joined = NULL;
	int64_t last = o->cursor;
	struct buf b;

	buf_init(&b, l->scratch, 4096);
	for (int i = 0; i < PQntuples(events); i++) {
		struct frame *f = frame_event(
		    l->scratch, PQgetvalue(events, i, 0), (size_t)PQgetlength(events, i, 0));

		if (f == NULL)
			continue;
		buf_add(&b, f->bytes, f->size);
		last = f->seq;
		frame_unref(f);
	}
	if (last < o->last_seq)
		buf_printf(&b, "id: %lld\n\n", (long long)o->last_seq);
	if (b.len > 0)
		joined = frame_new(b.data, b.len);
	arena_reset(l->scratch, mark);
	return joined;
}

/* The last row of what is too much is null. */
static bool
is_cut(const PGresult *events)
{
	int n = PQntuples(events);

	return n > 0 && PQgetisnull(events, n - 1, 0) == 1;
}

static bool
read_open(struct eventlog *l, struct open_task *o, PGresult **results)
{
	const PGresult *fallen = rows(results[1]), *position = rows(results[2]);
	const PGresult *events = rows(results[3]);

	if (fallen == NULL || position == NULL || events == NULL)
		return false;
	o->holds = PQntuples(fallen) == 0;
	o->last_seq = number_at(position, 0, 0);
	if (o->cursor == CURSOR_NONE)
		return true;
	o->reset = strcmp(PQgetvalue(position, 0, 1), "t") != 0 || is_cut(events);
	if (!o->reset && o->holds)
		o->replay = join_replay(l, o, events);
	return true;
}

static void
queue_open(struct eventlog *l, const struct open_task *o)
{
	char cursor[NUMBER_SIZE], most[NUMBER_SIZE], bytes[NUMBER_SIZE], table[NUMBER_SIZE];
	const char *values[] = { o->who.store_id, cursor, most, bytes, table };

	snprintf(cursor, sizeof(cursor), "%lld", (long long)o->cursor);
	snprintf(most, sizeof(most), "%lld", (long long)l->conf.sse_replay_events);
	snprintf(bytes, sizeof(bytes), "%d", EVENTLOG_REPLAY_BYTES);
	snprintf(table, sizeof(table), "%lld", (long long)o->who.account_id);
	if (o->cursor == CURSOR_NONE)
		values[1] = NULL;
	if (o->who.role != ROLE_TABLE)
		values[4] = NULL;
	pg_queue(l->pg, &SQL_RELAY_POSITION, values);
	pg_queue(l->pg, &SQL_RELAY_REPLAY, values);
}

/* Token, position and missed events, all of one moment, in one round trip. */
static bool
do_open(struct eventlog *l, struct task *t)
{
	struct task *one = task_new(TASK_WATCH);
	PGresult *results[OPEN_RESULTS];
	bool ok;

	task_watch_token(&one->watch, &t->open.who);
	pg_queue_text(l->pg, "begin isolation level repeatable read, read only");
	queue_fallen(l, &one->watch);
	queue_open(l, &t->open);
	pg_queue_text(l->pg, "commit");
	ok = flush(l, results, OPEN_RESULTS);
	if (ok) {
		ok = read_open(l, &t->open, results);
		for (int i = 0; i < OPEN_RESULTS; i++)
			PQclear(results[i]);
	}
	task_free(one);
	return ok;
}

static bool
do_fill(struct eventlog *l, struct task *t)
{
	struct fill_task *f = &t->fill;
	char after[NUMBER_SIZE], most[NUMBER_SIZE];
	const char *values[] = { f->store_id, after, most };
	PGresult *r;

	snprintf(after, sizeof(after), "%lld", (long long)f->after);
	snprintf(most, sizeof(most), "%d", EVENTLOG_FILL_MAX);
	r = pg_run(l->pg, &SQL_RELAY_FILL, values);
	if (r == NULL)
		return false;
	for (int i = 0; i < PQntuples(r) && i < EVENTLOG_FILL_MAX; i++) {
		struct frame *frame =
		    frame_event(l->scratch, PQgetvalue(r, i, 0), (size_t)PQgetlength(r, i, 0));

		if (frame != NULL)
			f->frames[f->count++] = frame;
	}
	PQclear(r);
	return true;
}

static void
queue_last_seqs(struct eventlog *l, struct task *t)
{
	struct buf ids;
	const char *values[1];

	buf_init(&ids, t->arena, 40 * t->watch.store_count + 2);
	for (size_t i = 0; i < t->watch.store_count; i++) {
		buf_puts(&ids, i == 0 ? "{" : ",");
		buf_puts(&ids, t->watch.stores[i].id);
	}
	buf_puts(&ids, ids.len == 0 ? "{}" : "}");
	values[0] = ids.data;
	pg_queue(l->pg, &SQL_RELAY_LAST_SEQS, values);
}

static void
set_last_seq(struct watch_task *w, const char *store_id, int64_t last_seq)
{
	for (size_t i = 0; i < w->store_count; i++)
		if (strcmp(w->stores[i].id, store_id) == 0)
			w->stores[i].last_seq = last_seq;
}

static bool
read_watch(struct task *t, PGresult **results)
{
	struct watch_task *w = &t->watch;
	const PGresult *seqs = rows(results[0]), *fallen = rows(results[1]);

	if (seqs == NULL || fallen == NULL)
		return false;
	for (size_t i = 0; i < w->store_count; i++)
		w->stores[i].last_seq = 0;
	for (int i = 0; i < PQntuples(seqs); i++)
		set_last_seq(w, PQgetvalue(seqs, i, 0), number_at(seqs, i, 1));
	w->fallen = arena_alloc(t->arena, ((size_t)PQntuples(fallen) + 1) * sizeof(*w->fallen));
	for (int i = 0; i < PQntuples(fallen); i++)
		w->fallen[w->fallen_count++] = (size_t)number_at(fallen, i, 0) - 1;
	return true;
}

static bool
do_watch(struct eventlog *l, struct task *t)
{
	PGresult *results[2];
	bool ok;

	queue_last_seqs(l, t);
	queue_fallen(l, &t->watch);
	if (!flush(l, results, 2))
		return false;
	ok = read_watch(t, results);
	PQclear(results[0]);
	PQclear(results[1]);
	return ok;
}

/* Without a server tasks fail at once; the next try is a moment later. */
static bool
have_database(struct eventlog *l)
{
	enum pg_refusal why;

	if (l->pg != NULL)
		return true;
	if (clock_mono_us() < l->retry_us)
		return false;
	l->pg = pg_open(&l->conf, l->conf.relay_database_url, &why);
	l->retry_us = clock_mono_us() + BACKOFF_US;
	if (l->pg != NULL)
		log_info("connected to the database");
	return l->pg != NULL;
}

static void
do_task(struct eventlog *l, struct task *t)
{
	static bool (*const doers[])(struct eventlog *, struct task *) = {
		[TASK_OPEN] = do_open,
		[TASK_FILL] = do_fill,
		[TASK_WATCH] = do_watch,
	};

	t->failed = !have_database(l) || !doers[t->kind](l, t);
	/* a broken transaction goes with its connection, too; and one to a server that was demoted
	 * would read what is no news */
	if (t->failed || pg_read_only(l->pg)) {
		pg_close(l->pg);
		l->pg = NULL;
	}
	queue_put(l->answers, t);
}

static void *
run(void *arg)
{
	struct eventlog *l = arg;
	struct pollfd fd = { queue_fd(l->tasks), POLLIN, 0 };

	while (!l->stopping) {
		struct task *t = queue_take(l->tasks);

		if (t != NULL)
			do_task(l, t);
		else
			poll(&fd, 1, 200);
	}
	pg_close(l->pg);
	return NULL;
}

struct eventlog *
eventlog_start(const struct conf *c, struct queue *answers)
{
	struct eventlog *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->conf = *c;
	/* streams are told to come back instead of waiting */
	l->conf.db_connect_retries = 0;
	l->answers = answers;
	l->tasks = queue_new(TASK_LIMIT);
	l->scratch = arena_new(64 << 10);
	if (pthread_create(&l->thread, NULL, run, l) != 0)
		abort();
	return l;
}

void
eventlog_ask(struct eventlog *l, struct task *t, bool urgent)
{
	if (urgent) {
		queue_put_first(l->tasks, t);
	} else if (!queue_put(l->tasks, t)) {
		t->failed = true;
		queue_put(l->answers, t);
	}
}

bool
eventlog_stop(struct eventlog *l)
{
	struct timespec until;
	struct task *t;

	l->stopping = true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	if (pthread_timedjoin_np(l->thread, NULL, &until) != 0)
		return false;
	while ((t = queue_take(l->tasks)) != NULL)
		task_free(t);
	queue_free(l->tasks);
	arena_free(l->scratch);
	free(l);
	return true;
}
