/*
 * clock: the two clocks, in microseconds, and RFC 3339 text.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND_US INT64_C(1000000)
#define CLOCK_TEXT_SIZE 32

/* Never jumps; for durations and deadlines. */
int64_t clock_mono_us(void);
/* Since 1970-01-01T00:00:00Z; for people and tokens. */
int64_t clock_wall_us(void);
/* Writes wall_us as RFC 3339 UTC with milliseconds into text[CLOCK_TEXT_SIZE]; returns text. */
const char *clock_rfc3339(int64_t wall_us, char text[CLOCK_TEXT_SIZE]);
/* Waits us microseconds, over signals. */
void clock_wait_us(int64_t us);

#endif
