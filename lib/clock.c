#include "config.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t
read_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * CLOCK_SECOND_US + t.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

const char *
clock_rfc3339(int64_t wall_us, char text[CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(wall_us / CLOCK_SECOND_US);
	int millis = (int)(wall_us % CLOCK_SECOND_US / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(text, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100, tm.tm_hour % 100,
	    tm.tm_min % 100, tm.tm_sec % 100, millis % 1000);
	return text;
}

void
clock_wait_us(int64_t us)
{
	struct timespec t = { us / CLOCK_SECOND_US, us % CLOCK_SECOND_US * 1000 };

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		continue;
}
