#include "config.h"

#include "feed.h"

#include "arena.h"
#include "bus.h"
#include "frame.h"
#include "log.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS 5000
/* Often enough for heartbeats. */
#define TEND_MS 1000

struct feed {
	const struct conf *conf;
	struct queue *events;
	pthread_t thread;
	int stop_fd;
	atomic_bool stopping;
	atomic_bool connected;
	struct arena *scratch;
};

/* Waits for input on fd (-1: none), the end, or timeout_ms. */
static void
wait_for(struct feed *f, int fd, int timeout_ms)
{
	struct pollfd fds[] = { { f->stop_fd, POLLIN, 0 }, { fd, POLLIN, 0 } };

	poll(fds, 2, timeout_ms);
}

static void
take(struct feed *f, const struct bus_delivery *d)
{
	struct frame *frame = frame_event(f->scratch, d->body, d->size);

	if (frame == NULL)
		log_warning("a message on the bus is no event");
	else if (!queue_put(f->events, frame))
		frame_unref(frame);
}

/* Takes all there is; false when the bus broke. */
static bool
drain(struct feed *f, struct bus *bus)
{
	struct bus_delivery d;
	int result = 0;

	while (!f->stopping && (result = bus_next(bus, &d)) == 1) {
		take(f, &d);
		bus_done(&d);
	}
	return result != -1;
}

/* Reads the bus until it breaks or the feed ends. */
static void
follow(struct feed *f, struct bus *bus)
{
	f->connected = true;
	log_info("connected to the broker");
	while (!f->stopping && drain(f, bus))
		wait_for(f, bus_fd(bus), TEND_MS);
	f->connected = false;
	if (!f->stopping)
		log_warning("the broker is lost; the event log serves meanwhile",
		    LOG_S("error", bus_error(bus)));
}

static void *
run(void *arg)
{
	struct feed *f = arg;
	char error[BUS_ERROR_SIZE];
	int wait_ms = BACKOFF_FIRST_MS;

	while (!f->stopping) {
		struct bus *bus = bus_open(f->conf->rabbitmq_url, error);

		if (bus != NULL && bus_subscribe(bus) == 0) {
			follow(f, bus);
			wait_ms = BACKOFF_FIRST_MS;
		} else {
			log_warning("the broker is away",
			    LOG_S("error", bus != NULL ? bus_error(bus) : error),
			    LOG_I("retry_ms", wait_ms));
		}
		bus_close(bus);
		wait_for(f, -1, wait_ms);
		wait_ms = wait_ms * 2 < BACKOFF_MOST_MS ? wait_ms * 2 : BACKOFF_MOST_MS;
	}
	return NULL;
}

struct feed *
feed_start(const struct conf *c, struct queue *events)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		abort();
	f->conf = c;
	f->events = events;
	f->scratch = arena_new(64 << 10);
	if (pthread_create(&f->thread, NULL, run, f) != 0)
		abort();
	return f;
}

bool
feed_connected(const struct feed *f)
{
	return f->connected;
}

bool
feed_stop(struct feed *f)
{
	struct timespec until;
	uint64_t one = 1;

	f->stopping = true;
	(void)!write(f->stop_fd, &one, sizeof(one));
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	if (pthread_timedjoin_np(f->thread, NULL, &until) != 0)
		return false;
	close(f->stop_fd);
	arena_free(f->scratch);
	free(f);
	return true;
}
