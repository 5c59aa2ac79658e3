/*
 * metrics: counters in a memory-mapped file, one file per (program, slot) in
 * RUN_DIR; a process takes a free slot and carries its values on, so restarts
 * and CGI neither lose counts nor leave files without end. `status` sums them.
 *
 * A series is named as Prometheus writes it: name{label="value"}. Histogram
 * buckets follow the customer's limits (0.5, 1 and 3 s exist).
 */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>
#include <stdint.h>

#define METRICS_NAME_SIZE 184
#define METRICS_SERIES 2048

/* Buckets of every duration, in milliseconds. */
#define METRICS_BUCKETS_MS \
	{ \
		5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 5000, 10000 \
	}
#define METRICS_BUCKET_COUNT 12

/* Takes a slot in run_dir for program. Without one (no directory, no space) counting goes nowhere
 * and a warning is logged. Returns 0 or -1. */
int metrics_open(const char *run_dir, const char *program);

/* Adds n to the series, made at its first use. Any thread. */
void metrics_add(const char *series, uint64_t n);
/* Sets the series: a gauge. */
void metrics_set(const char *series, uint64_t value);
/* Counts a duration into name_bucket{labels,le=…}, name_sum{labels}, name_count{labels}; the sum is
 * kept in microseconds. */
void metrics_observe_us(const char *name, const char *labels, int64_t us);

/* One summed series of all files in run_dir, in order of name. Calls each(arg, name, value). A
 * name that ends in _max is the greatest, not the sum. Returns the number of files read, or -1. */
int metrics_collect(
    const char *run_dir, void (*each)(void *arg, const char *name, uint64_t value), void *arg);

#endif
