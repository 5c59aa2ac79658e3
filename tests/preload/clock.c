/*
 * clock: for tests. The time of day is off by the seconds in $CLOCK_FILE, an int64 of this machine,
 * looked at in each call: who writes there sets the clock of all programs at once. Clocks that
 * count from a start do not move, as they do not when somebody sets the date.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset_s;

__attribute__((constructor)) static void
find_offset(void)
{
	static int64_t none;
	const char *path = getenv("CLOCK_FILE");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = MAP_FAILED;

	if (fd != -1) {
		page = mmap(NULL, sizeof(*offset_s), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	offset_s = page != MAP_FAILED ? page : &none;
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
	long result = syscall(SYS_clock_gettime, id, t);

	/* one that asks before this library was ready gets the true time */
	if (result == 0 && offset_s != NULL &&
	    (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += *offset_s;
	return (int)result;
}

int
gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	t->tv_sec = now.tv_sec;
	t->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (t != NULL)
		*t = now.tv_sec;
	return now.tv_sec;
}
