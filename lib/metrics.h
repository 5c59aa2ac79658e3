/*
 * metrics: counters in a memory-mapped file, one file per (program, slot) in
 * RUN_DIR; a process takes a free slot and carries its counts on, so restarts
 * and CGI neither lose counts nor leave files without end. `status` sums them.
 *
 * Series are kept as Prometheus writes them, name{label="value"}; a histogram's
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

/* What becomes of a value when its process ends, and of those of several processes. */
enum metric_kind {
	METRIC_COUNTER,   /* goes on; the sum */
	METRIC_HISTOGRAM, /* likewise */
	METRIC_GAUGE,     /* is 0; the sum */
	METRIC_STATE,     /* is gone; the greatest: a fact that each of them tells */
	METRIC_LEAST, /* is gone; the least: what one of them lags behind in is not to be hidden */
};

/* Every metric there is: what code calls it, kind, name, its labels' names, help. */
#define METRICS(M) \
	M(PROCESSES, GAUGE, "table_order_processes", "program", \
	    "Processes that run and wait for work; 0 after the last of a program has ended, and " \
	    "where none has come up.") \
	M(HEARTBEAT, LEAST, "table_order_heartbeat_timestamp_seconds", "program", \
	    "When the program's main loop last went round, by the host's clock; of several " \
	    "processes the one that lags.") \
	M(REQUESTS, COUNTER, "table_order_requests_total", "program,method,route,status", \
	    "Requests answered.") \
	M(REQUEST_DURATION, HISTOGRAM, "table_order_request_duration_seconds", \
	    "program,method,route", "Time from a request's acceptance to its answer.") \
	M(SLOW_REQUESTS, COUNTER, "table_order_slow_requests_total", "program,method,route", \
	    "Requests that took longer than SLOW_READ_MS or SLOW_WRITE_MS.") \
	M(REQUEST_RETRIES, COUNTER, "table_order_request_retries_total", "", \
	    "Transactions run again: a lost race or a lost connection.") \
	M(RATE_LIMITED, COUNTER, "table_order_rate_limited_total", "", \
	    "Requests refused for RATE_LIMIT_PER_MINUTE.") \
	M(LOGIN_FAILURES, COUNTER, "table_order_login_failures_total", "role", \
	    "Logins refused for wrong credentials.") \
	M(LOGINS_THROTTLED, COUNTER, "table_order_logins_throttled_total", "", \
	    "Logins refused because too many had failed.") \
	M(CACHE_HITS, COUNTER, "table_order_cache_hits_total", "", \
	    "Cached routes answered from Redis.") \
	M(CACHE_MISSES, COUNTER, "table_order_cache_misses_total", "", \
	    "Cached routes that had to ask the database.") \
	M(REDIS_FAILURES, COUNTER, "table_order_redis_failures_total", "", \
	    "Times that Redis did not answer and was left alone for a second.") \
	M(DB_CONNECTIONS, GAUGE, "table_order_db_connections", "", \
	    "Connections to PostgreSQL that this host has open.") \
	M(DB_POOL_SIZE, STATE, "table_order_db_pool_size", "", \
	    "Connections to PostgreSQL that this host may have open (DB_POOL_SIZE).") \
	M(DB_POOL_WAIT, HISTOGRAM, "table_order_db_pool_wait_seconds", "", \
	    "Time that whoever needed a connection waited for a free one.") \
	M(DB_POOL_TIMEOUTS, COUNTER, "table_order_db_pool_timeouts_total", "", \
	    "Waits for a connection given up after DB_POOL_WAIT_SECONDS.") \
	M(DB_ROUND_TRIP, HISTOGRAM, "table_order_db_round_trip_seconds", "", \
	    "Time of a round trip to PostgreSQL, with all statements that travelled in it.") \
	M(DB_CONNECT_FAILURES, COUNTER, "table_order_db_connect_failures_total", "", \
	    "Connections to PostgreSQL that could not be opened.") \
	M(DB_TIMELINE, STATE, "table_order_db_timeline", "", \
	    "Timeline of the database server that writes; every promotion raises it.") \
	M(DB_STANDBY_SKIPPED, COUNTER, "table_order_db_standby_skipped_total", "", \
	    "Commits that no standby confirmed, and that were therefore not acknowledged.") \
	M(DB_COMMITS_IN_DOUBT, COUNTER, "table_order_db_commits_in_doubt_total", "", \
	    "Commits whose end was not seen; an order's is settled by its key.") \
	M(OUTBOX_ACTIVE, GAUGE, "table_order_outbox_active", "", \
	    "Whether a dispatcher of this host is the one that publishes.") \
	M(OUTBOX_UNPUBLISHED, STATE, "table_order_outbox_unpublished_events", "", \
	    "Committed events that the broker has not confirmed.") \
	M(OUTBOX_OLDEST_AGE, STATE, "table_order_outbox_oldest_age_seconds", "", \
	    "Age of the oldest of them; 0 when there is none.") \
	M(OUTBOX_PUBLISHED, COUNTER, "table_order_outbox_published_total", "", \
	    "Events that the broker has confirmed.") \
	M(OUTBOX_PUBLISH_FAILURES, COUNTER, "table_order_outbox_publish_failures_total", "", \
	    "Times that the broker could not be reached or refused events.") \
	M(SSE_STREAMS, GAUGE, "table_order_sse_streams", "kind", "Open event streams.") \
	M(SSE_BROKER_CONNECTED, GAUGE, "table_order_sse_broker_connected", "", \
	    "Whether the relay hears the broker.") \
	M(SSE_EVENTS_SENT, COUNTER, "table_order_sse_events_sent_total", "", \
	    "Events sent, once for each stream that got one.") \
	M(SSE_EVENT_LATENCY, HISTOGRAM, "table_order_sse_event_latency_seconds", "via", \
	    "Time from an event's row in the database to the streams, by the broker or by the " \
	    "log.") \
	M(SSE_SLOW_READERS, COUNTER, "table_order_sse_slow_readers_total", "", \
	    "Streams ended because their reader did not keep up.") \
	M(SSE_REPLAYS, COUNTER, "table_order_sse_replays_total", "", \
	    "Streams that were given events they had missed.") \
	M(SSE_RESETS, COUNTER, "table_order_sse_resets_total", "", \
	    "Streams told to load their page again.") \
	M(SSE_GAPS_FILLED, COUNTER, "table_order_sse_gaps_filled_total", "", \
	    "Gaps in what the broker brought, filled from the event log.") \
	M(SSE_DEFERRED, COUNTER, "table_order_sse_deferred_total", "", \
	    "Streams told to come back later.")

enum metric {
#define METRIC_ID(id, kind, name, labels, help) METRIC_##id,
	METRICS(METRIC_ID)
#undef METRIC_ID
	    METRIC_COUNT
};

struct metric_family {
	enum metric_kind kind;
	const char *name;
	const char *labels;
	const char *help;
};

/* By enum metric. */
extern const struct metric_family metric_families[METRIC_COUNT];

/* Takes a slot in run_dir for program. Without one (no directory, no space) counting goes nowhere
 * and a warning is logged. Returns 0 or -1. */
int metrics_open(const char *run_dir, const char *program);

/* Adds n to the series of these labels (`kind="admin",via="bus"`, "" for none), made at its first
 * use. A gauge is lowered by -(uint64_t)n. Any thread. */
void metrics_add(enum metric m, const char *labels, uint64_t n);
/* Sets a gauge or state. */
void metrics_set(enum metric m, const char *labels, uint64_t value);
/* Counts a duration into a histogram's buckets, sum (kept in microseconds) and count. */
void metrics_observe_us(enum metric m, const char *labels, int64_t us);
/* Sets METRIC_HEARTBEAT: what runs for long says about once a second, in the loop that does the
 * work, that it goes round. */
void metrics_beat(const char *program);

/* Calls each(arg, m, series, value) for all series of all files in run_dir, summed up, in the order
 * of the table and within a family by name. Every counter without labels is there, 0 if need be,
 * and METRIC_PROCESSES of the programs of a list that ends with NULL. Returns the number of files
 * read, or -1. */
int metrics_collect(const char *run_dir, const char *const *programs,
    void (*each)(void *arg, enum metric m, const char *series, uint64_t value), void *arg);

#endif
