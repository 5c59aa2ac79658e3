/*
 * outbox-dispatcher: carries committed events from the outbox to RabbitMQ.
 *
 * Of all dispatchers of an installation one is active: the one whose database
 * session holds an advisory lock. Whatever dies meanwhile, an event is marked
 * published only after the broker has confirmed it, so it is published at least
 * once; a lost connection to the database is a lost lock, taken anew before
 * anything more is published.
 */
#include "config.h"

#include "bus.h"
#include "clock.h"
#include "conf.h"
#include "log.h"
#include "metrics.h"
#include "option.h"
#include "pg.h"
#include "stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sql/outbox-dispatcher.h"

#define PROGRAM "outbox-dispatcher"
#define BATCH 500
#define BATCH_TEXT "500"
#define CONFIRM_TIMEOUT_MS 5000
#define BUSY_POLL_US (INT64_C(20) * 1000)
#define IDLE_POLL_US (INT64_C(50) * 1000)
/* For so long after an event the next is looked for at the busy pace. */
#define BUSY_AFTER_US (INT64_C(10) * CLOCK_SECOND_US)
#define LOCK_POLL_US CLOCK_SECOND_US
#define BACKOFF_FIRST_US (INT64_C(100) * 1000)
#define BACKOFF_MOST_US (INT64_C(5) * CLOCK_SECOND_US)
#define STOP_GRACE_SECONDS 2

/* When something that failed is tried again. */
struct backoff {
	int64_t wait_us;
	int64_t until_us;
};

struct dispatcher {
	struct conf conf;
	struct pg *pg;
	struct bus *bus;
	bool active; /* our session holds the lock */
	struct backoff pg_backoff;
	struct backoff bus_backoff;
	int64_t lock_tried_us;
	int64_t busy_us;     /* when there was an event last */
	int64_t measured_us; /* when the backlog was counted last */
};

static bool
backoff_due(const struct backoff *b)
{
	return clock_mono_us() >= b->until_us;
}

static void
backoff_more(struct backoff *b)
{
	b->wait_us = b->wait_us == 0 ? BACKOFF_FIRST_US : b->wait_us * 2;
	if (b->wait_us > BACKOFF_MOST_US)
		b->wait_us = BACKOFF_MOST_US;
	b->until_us = clock_mono_us() + b->wait_us;
}

static void
backoff_reset(struct backoff *b)
{
	*b = (struct backoff) { 0 };
}

static void
set_active(struct dispatcher *d, bool active)
{
	if (d->active != active)
		log_info(active ? "active: this dispatcher publishes" : "not active any more");
	d->active = active;
	metrics_set(METRIC_OUTBOX_ACTIVE, "", active);
}

/* The lock is gone with the session. */
static void
lose_database(struct dispatcher *d)
{
	pg_close(d->pg);
	d->pg = NULL;
	set_active(d, false);
	backoff_more(&d->pg_backoff);
}

static bool
have_database(struct dispatcher *d)
{
	enum pg_refusal why;
	PGresult *r;

	if (d->pg != NULL)
		return true;
	if (!backoff_due(&d->pg_backoff))
		return false;
	d->pg = pg_open(&d->conf, d->conf.dispatcher_database_url, &why);
	if (d->pg == NULL) {
		backoff_more(&d->pg_backoff);
		return false;
	}
	r = pg_run(d->pg, &SQL_OUTBOX_SESSION, NULL);
	if (r == NULL) {
		lose_database(d);
		return false;
	}
	PQclear(r);
	log_info("connected to the database");
	return true;
}

/* Another dispatcher may reach the broker: it shall have the lock. */
static void
give_up_lock(struct dispatcher *d)
{
	PGresult *r;

	if (!d->active)
		return;
	set_active(d, false);
	r = pg_run(d->pg, &SQL_OUTBOX_UNLOCK, NULL);
	PQclear(r);
	if (r == NULL)
		lose_database(d);
}

static void
broker_trouble(struct dispatcher *d, const char *error)
{
	metrics_add(METRIC_OUTBOX_PUBLISH_FAILURES, "", 1);
	backoff_more(&d->bus_backoff);
	log_warning("the broker is away; events wait in the outbox", LOG_S("error", error),
	    LOG_I("retry_ms", d->bus_backoff.wait_us / 1000));
	bus_close(d->bus);
	d->bus = NULL;
	give_up_lock(d);
}

static bool
have_broker(struct dispatcher *d)
{
	char error[BUS_ERROR_SIZE];

	if (d->bus != NULL) {
		if (bus_tend(d->bus) == 0)
			return true;
		broker_trouble(d, bus_error(d->bus));
		return false;
	}
	if (!backoff_due(&d->bus_backoff))
		return false;
	d->bus = bus_open(d->conf.rabbitmq_url, error);
	if (d->bus == NULL || bus_confirm(d->bus) == -1) {
		broker_trouble(d, d->bus == NULL ? error : bus_error(d->bus));
		return false;
	}
	log_info("connected to the broker");
	return true;
}

static bool
have_lock(struct dispatcher *d)
{
	int64_t now_us = clock_mono_us();
	PGresult *r;

	if (d->active)
		return true;
	if (now_us - d->lock_tried_us < LOCK_POLL_US)
		return false;
	d->lock_tried_us = now_us;
	r = pg_run(d->pg, &SQL_OUTBOX_LOCK, NULL);
	if (r == NULL) {
		lose_database(d);
		return false;
	}
	set_active(d, strcmp(PQgetvalue(r, 0, 0), "t") == 0);
	PQclear(r);
	return d->active;
}

/* "{12,13}" of the events that were confirmed; the caller frees it. Returns their number. */
static size_t
confirmed_ids(const PGresult *events, const bool *confirmed, char **ids)
{
	size_t n = (size_t)PQntuples(events), count = 0;
	char *p = malloc(n * 21 + 3);

	if (p == NULL)
		abort();
	*ids = p;
	*p++ = '{';
	for (size_t i = 0; i < n; i++) {
		if (!confirmed[i])
			continue;
		if (count++ > 0)
			*p++ = ',';
		p = stpcpy(p, PQgetvalue(events, (int)i, 0));
	}
	strcpy(p, "}");
	return count;
}

static void
mark(struct dispatcher *d, const PGresult *events, const bool *confirmed)
{
	const char *values[1];
	char *ids;
	size_t count = confirmed_ids(events, confirmed, &ids);
	PGresult *r;

	if (count > 0) {
		metrics_add(METRIC_OUTBOX_PUBLISHED, "", count);
		values[0] = ids;
		r = pg_run(d->pg, &SQL_OUTBOX_MARK, values);
		PQclear(r);
		if (r == NULL)
			lose_database(d);
	}
	free(ids);
}

/* Publishes the events and marks those that the broker took over. */
static void
publish(struct dispatcher *d, const PGresult *events)
{
	struct bus_message messages[BATCH];
	bool confirmed[BATCH], all = true;
	size_t n = (size_t)PQntuples(events);
	int result;

	for (size_t i = 0; i < n; i++) {
		messages[i] = (struct bus_message) {
			.store_id = PQgetvalue(events, (int)i, 1),
			.seq = PQgetvalue(events, (int)i, 2),
			.event_type = PQgetvalue(events, (int)i, 3),
			.body = PQgetvalue(events, (int)i, 4),
			.size = (size_t)PQgetlength(events, (int)i, 4),
		};
	}
	result = bus_publish(d->bus, messages, n, confirmed, CONFIRM_TIMEOUT_MS);
	for (size_t i = 0; i < n; i++)
		all = all && confirmed[i];
	mark(d, events, confirmed);
	if (result == -1)
		broker_trouble(d, bus_error(d->bus));
	else if (!all)
		broker_trouble(d, "the broker refused events");
	else
		backoff_reset(&d->bus_backoff);
}

/* One batch. Returns how many events it had. */
static int
dispatch(struct dispatcher *d)
{
	const char *values[] = { BATCH_TEXT };
	PGresult *events = pg_run(d->pg, &SQL_OUTBOX_READ, values);
	int n;

	if (events == NULL) {
		lose_database(d);
		return 0;
	}
	/* what a demoted server still shows is not news, and the one that serves now has no active
	 * dispatcher as long as this one stays */
	if (pg_read_only(d->pg)) {
		PQclear(events);
		log_warning("the database takes no writes any more");
		lose_database(d);
		return 0;
	}
	n = PQntuples(events);
	if (n > 0) {
		d->busy_us = clock_mono_us();
		publish(d, events);
	}
	PQclear(events);
	return n;
}

static void
set_backlog(const char *events, const char *age_seconds)
{
	metrics_set(METRIC_OUTBOX_UNPUBLISHED, "", strtoull(events, NULL, 10));
	metrics_set(METRIC_OUTBOX_OLDEST_AGE, "", strtoull(age_seconds, NULL, 10));
}

/* Counts what waits, once a second, whoever publishes it. */
static void
measure(struct dispatcher *d)
{
	int64_t now_us = clock_mono_us();
	PGresult *r;

	if (d->pg == NULL || now_us - d->measured_us < CLOCK_SECOND_US)
		return;
	d->measured_us = now_us;
	r = pg_run(d->pg, &SQL_OUTBOX_BACKLOG, NULL);
	if (r == NULL) {
		lose_database(d);
		return;
	}
	backoff_reset(&d->pg_backoff);
	set_backlog(PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
	PQclear(r);
}

/* A signal ends it. */
static void
pause_for(const struct dispatcher *d)
{
	bool busy = clock_mono_us() - d->busy_us < BUSY_AFTER_US;
	struct timespec t = { 0, (busy ? BUSY_POLL_US : IDLE_POLL_US) * 1000 };

	if (!stop_asked())
		nanosleep(&t, NULL);
}

static void
turn(struct dispatcher *d)
{
	bool ready = have_database(d) && have_broker(d) && have_lock(d);
	int n = ready ? dispatch(d) : 0;

	measure(d);
	if (n < BATCH || d->bus == NULL)
		pause_for(d);
}

static void
run(struct dispatcher *d)
{
	while (!stop_asked()) {
		metrics_beat(PROGRAM);
		turn(d);
	}
}

int
main(int argc, char **argv)
{
	static struct dispatcher d;

	if (argc > 1)
		return option_answer(argv[1], PROGRAM, "[--help | --version]",
		    "Publishes the events of the outbox to RabbitMQ until it gets SIGTERM.");
	if (conf_load(&d.conf, conf_path(), CONF_DISPATCHER | CONF_RABBITMQ, false, stderr) > 0)
		return 2;
	log_open(d.conf.log_dir, PROGRAM, d.conf.log_level);
	metrics_open(d.conf.run_dir, PROGRAM);
	metrics_set(METRIC_PROCESSES, "program=\"" PROGRAM "\"", 1);
	stop_on_signals(STOP_GRACE_SECONDS);
	log_info("started");
	run(&d);
	set_active(&d, false);
	bus_close(d.bus);
	pg_close(d.pg);
	log_info("ended");
	conf_fini(&d.conf);
	return 0;
}
