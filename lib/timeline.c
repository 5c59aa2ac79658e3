#include "config.h"

#include "timeline.h"

#include "clock.h"
#include "log.h"
#include "slot.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME "db-timeline"
#define LOCK_POLL_US 1000
#define LOCK_TRIES 200

/* What the file holds. Written under its lock, and read without: the number of a cluster only
 * grows, and is 0, which refuses nobody, while the cluster changes. */
struct seen {
	_Atomic uint64_t cluster;
	_Atomic uint64_t number;
};

/* The file, once it is there; for the rest of the process. */
static _Atomic(struct seen *) seen;

/* The file under its lock. */
static int
take_file(const char *run_dir)
{
	int fd = slot_take(run_dir, NAME, 1, NULL);

	for (int i = 0; fd == -1 && errno == EAGAIN && i < LOCK_TRIES; i++) {
		clock_wait_us(LOCK_POLL_US);
		fd = slot_take(run_dir, NAME, 1, NULL);
	}
	return fd;
}

static struct seen *
open_seen(int fd)
{
	static const char nothing[sizeof(struct seen)];
	struct seen *s = atomic_load(&seen);

	if (s != NULL)
		return s;
	/* its space is taken now: a full disk must not show when it is written to */
	if (lseek(fd, 0, SEEK_END) < (off_t)sizeof(*s) &&
	    pwrite(fd, nothing, sizeof(nothing), 0) != (ssize_t)sizeof(nothing))
		return NULL;
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		return NULL;
	atomic_store(&seen, s);
	return s;
}

bool
timeline_learn(const char *run_dir, uint64_t cluster, uint64_t number)
{
	int fd = take_file(run_dir);
	struct seen *s = fd != -1 ? open_seen(fd) : NULL;

	if (s == NULL) {
		log_warning("an old primary would not be known as such", LOG_S("run_dir", run_dir),
		    LOG_I("errno", errno));
	} else if (atomic_load(&s->cluster) != cluster) {
		atomic_store(&s->number, 0);
		atomic_store(&s->cluster, cluster);
		atomic_store(&s->number, number);
	} else if (atomic_load(&s->number) < number) {
		log_warning(
		    "the database was taken over by another server", LOG_I("timeline", number));
		atomic_store(&s->number, number);
	}
	if (fd != -1) {
		/* the mapping keeps the open file, and so would the lock */
		flock(fd, LOCK_UN);
		close(fd);
	}
	return timeline_holds(cluster, number);
}

bool
timeline_holds(uint64_t cluster, uint64_t number)
{
	struct seen *s = atomic_load(&seen);

	return s == NULL || atomic_load(&s->cluster) != cluster ||
	    number >= atomic_load(&s->number);
}
