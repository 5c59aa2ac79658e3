/* slot, metrics, log: what the processes of a host share through files. */
#include "config.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "slot.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DEADLINE_US (10 * CLOCK_SECOND_US)

/* A directory of this test's own. */
static const char *
new_dir(const char *name)
{
	const char *path = unit_path(name);

	if (mkdir(path, 0755) == -1)
		abort();
	return path;
}

/* Runs work(dir) in a process of its own; returns its exit status. */
static int
in_child(int (*work)(const char *dir), const char *dir)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(work(dir));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
a_slot_has_one_holder(void)
{
	const char *dir = new_dir("slots");
	int index = -1, one, two;

	one = slot_take(dir, "s", 2, &index);
	CU_ASSERT_NOT_EQUAL(one, -1);
	CU_ASSERT_EQUAL(index, 0);
	two = slot_take(dir, "s", 2, &index);
	CU_ASSERT_NOT_EQUAL(two, -1);
	CU_ASSERT_EQUAL(index, 1);
	errno = 0;
	CU_ASSERT_EQUAL(slot_take(dir, "s", 2, NULL), -1);
	CU_ASSERT_EQUAL(errno, EAGAIN);
	/* other names are other slots */
	close(slot_take(dir, "t", 1, &index));
	CU_ASSERT_EQUAL(index, 0);
	close(one);
	one = slot_take(dir, "s", 2, &index);
	CU_ASSERT_EQUAL(index, 0);
	close(one);
	close(two);
}

static int
take_and_die(const char *dir)
{
	return slot_take(dir, "s", 1, NULL) == -1;
}

static int
slot_is_free(const char *dir)
{
	return slot_take(dir, "s", 1, NULL) != -1;
}

static void
death_gives_a_slot_back(void)
{
	const char *dir = new_dir("deaths");
	int fd;

	CU_ASSERT_EQUAL(in_child(take_and_die, dir), 0);
	fd = slot_take(dir, "s", 1, NULL);
	CU_ASSERT_NOT_EQUAL_FATAL(fd, -1);
	CU_ASSERT_EQUAL(in_child(slot_is_free, dir), 0);
	close(fd);
	CU_ASSERT_EQUAL(in_child(slot_is_free, dir), 1);
}

static void
an_unusable_directory_is_told_from_a_full_one(void)
{
	errno = 0;
	CU_ASSERT_EQUAL(slot_take(unit_path("nowhere"), "s", 1, NULL), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(slot_want(unit_path("nowhere"), "s"), -1);
	CU_ASSERT_FALSE(slot_wanted(unit_path("nowhere"), "s"));
}

static void
waiting_is_seen_by_others(void)
{
	const char *dir = new_dir("wanted");
	int one, two;

	CU_ASSERT_FALSE(slot_wanted(dir, "s"));
	one = slot_want(dir, "s");
	two = slot_want(dir, "s");
	CU_ASSERT_TRUE(one != -1 && two != -1);
	CU_ASSERT_TRUE(slot_wanted(dir, "s"));
	CU_ASSERT_FALSE(slot_wanted(dir, "t"));
	close(one);
	CU_ASSERT_TRUE(slot_wanted(dir, "s"));
	close(two);
	CU_ASSERT_FALSE(slot_wanted(dir, "s"));
}

/* What root leaves in RUN_DIR must not lock the services out. */
static void
a_lock_of_root_belongs_to_the_directory(void)
{
	const char *dir = new_dir("owned"), *lock = unit_path("owned/s.0");
	struct stat st;
	int fd;

	if (geteuid() != 0)
		return;
	CU_ASSERT_EQUAL_FATAL(chown(dir, 12345, 12346), 0);
	fd = slot_take(dir, "s", 1, NULL);
	CU_ASSERT_NOT_EQUAL(fd, -1);
	CU_ASSERT_EQUAL(stat(lock, &st), 0);
	CU_ASSERT_EQUAL(st.st_uid, 12345);
	CU_ASSERT_EQUAL(st.st_gid, 12346);
	close(fd);
}

struct wanted {
	const char *name;
	uint64_t value;
	int seen;
};

static void
look(void *arg, enum metric m, const char *name, uint64_t value)
{
	struct wanted *w = arg;

	CU_ASSERT_PTR_EQUAL(strstr(name, metric_families[m].name), name);
	if (strcmp(w->name, name) != 0)
		return;
	w->value = value;
	w->seen++;
}

static const char *const nobody_else[] = { NULL };

/* The summed value of a series in dir; fails the test unless it is there once. */
static uint64_t
value_of(const char *dir, const char *name)
{
	struct wanted w = { name, 0, 0 };

	CU_ASSERT_TRUE(metrics_collect(dir, nobody_else, look, &w) > 0);
	CU_ASSERT_EQUAL(w.seen, 1);
	return w.value;
}

static int
count_things(const char *dir)
{
	if (metrics_open(dir, "counter") == -1)
		return 1;
	metrics_add(METRIC_LOGIN_FAILURES, "role=\"a\"", 5);
	metrics_add(METRIC_LOGIN_FAILURES, "role=\"a\"", 2);
	metrics_add(METRIC_LOGIN_FAILURES, "role=\"b\"", 1);
	metrics_set(METRIC_SSE_STREAMS, "kind=\"a\"", 3);
	metrics_set(METRIC_DB_POOL_SIZE, "", 40);
	return 0;
}

static int
files_in(const char *dir, const char *suffix)
{
	char command[300];
	FILE *p;
	int n = -1;

	snprintf(command, sizeof(command), "ls %s | grep -c '%s$'", dir, suffix);
	p = popen(command, "r");
	if (p == NULL || fscanf(p, "%d", &n) != 1)
		n = -1;
	pclose(p);
	return n;
}

static void
restarts_carry_counts_on(void)
{
	const char *dir = new_dir("restarts");

	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(in_child(count_things, dir), 0);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_login_failures_total{role=\"a\"}"), 21);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_login_failures_total{role=\"b\"}"), 3);
	CU_ASSERT_EQUAL(files_in(dir, "\\.metrics"), 1);
}

/* Whether the running processes have these streams and this pool, as they tell. */
static int
tells(const char *dir, uint64_t streams, uint64_t pool_size)
{
	return value_of(dir, "table_order_sse_streams{kind=\"a\"}") == streams &&
		value_of(dir, "table_order_db_pool_size") == pool_size
	    ? 0
	    : 1;
}

static int
count_beside_another(const char *dir)
{
	return count_things(dir) != 0 ? 1 : tells(dir, 6, 70);
}

static int
hold_while_another_counts(const char *dir)
{
	if (count_things(dir) != 0)
		return 1;
	metrics_set(METRIC_DB_POOL_SIZE, "", 70);
	if (in_child(count_beside_another, dir) != 0)
		return 1;
	metrics_set(METRIC_DB_POOL_SIZE, "", 30);
	return tells(dir, 3, 30);
}

static void
processes_side_by_side_are_summed(void)
{
	const char *dir = new_dir("side");

	CU_ASSERT_EQUAL(in_child(hold_while_another_counts, dir), 0);
	CU_ASSERT_EQUAL(files_in(dir, "\\.metrics"), 2);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_login_failures_total{role=\"a\"}"), 14);
}

static int
open_only(const char *dir)
{
	if (metrics_open(dir, "counter") == -1)
		return 1;
	return value_of(dir, "table_order_sse_streams{kind=\"a\"}") == 0 ? 0 : 1;
}

static void
the_dead_tell_nothing_of_the_present(void)
{
	const char *dir = new_dir("dead");
	struct wanted pool = { "table_order_db_pool_size", 0, 0 };

	CU_ASSERT_EQUAL(in_child(count_things, dir), 0);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_sse_streams{kind=\"a\"}"), 0);
	CU_ASSERT_EQUAL(metrics_collect(dir, nobody_else, look, &pool), 1);
	CU_ASSERT_EQUAL(pool.seen, 0);
	CU_ASSERT_EQUAL(in_child(open_only, dir), 0);
	CU_ASSERT_EQUAL(metrics_collect(dir, nobody_else, look, &pool), 1);
	CU_ASSERT_EQUAL(pool.seen, 0);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_login_failures_total{role=\"a\"}"), 7);
}

#define HEARTBEAT "table_order_heartbeat_timestamp_seconds{program=\"counter\"}"

static int
beat_beside_one_that_hangs(const char *dir)
{
	if (metrics_open(dir, "counter") == -1)
		return 1;
	metrics_beat("counter");
	/* the other's, which is the older one */
	return value_of(dir, HEARTBEAT) == 1000 ? 0 : 1;
}

static int
beat_and_hang(const char *dir)
{
	uint64_t now_s = (uint64_t)(clock_wall_us() / CLOCK_SECOND_US);

	if (metrics_open(dir, "counter") == -1)
		return 1;
	metrics_beat("counter");
	if (value_of(dir, HEARTBEAT) < now_s || value_of(dir, HEARTBEAT) > now_s + 60)
		return 1;
	metrics_set(METRIC_HEARTBEAT, "program=\"counter\"", 1000);
	return in_child(beat_beside_one_that_hangs, dir);
}

static void
a_heartbeat_is_that_of_the_process_which_lags(void)
{
	const char *dir = new_dir("heartbeat");
	struct wanted beat = { HEARTBEAT, 0, 0 };

	CU_ASSERT_EQUAL(in_child(beat_and_hang, dir), 0);
	/* and the dead have none, nor does the next before its first */
	CU_ASSERT_EQUAL(metrics_collect(dir, nobody_else, look, &beat), 2);
	CU_ASSERT_EQUAL(in_child(count_things, dir), 0);
	CU_ASSERT_EQUAL(metrics_collect(dir, nobody_else, look, &beat), 2);
	CU_ASSERT_EQUAL(beat.seen, 0);
}

static int
run_beside_one_that_never_came(const char *dir)
{
	static const char *const both[] = { "counter", "late", NULL };
	struct wanted here = { "table_order_processes{program=\"counter\"}", 7, 0 };
	struct wanted late = { "table_order_processes{program=\"late\"}", 7, 0 };

	if (metrics_open(dir, "counter") == -1)
		return 1;
	metrics_set(METRIC_PROCESSES, "program=\"counter\"", 1);
	metrics_collect(dir, both, look, &here);
	metrics_collect(dir, both, look, &late);
	return here.seen == 1 && here.value == 1 && late.seen == 1 && late.value == 0 ? 0 : 1;
}

static void
a_program_that_never_came_up_is_told(void)
{
	CU_ASSERT_EQUAL(in_child(run_beside_one_that_never_came, new_dir("late")), 0);
}

static void
a_counter_without_labels_starts_at_0(void)
{
	const char *dir = new_dir("zero");

	CU_ASSERT_EQUAL(in_child(count_things, dir), 0);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_redis_failures_total"), 0);
}

static int
observe(const char *dir)
{
	if (metrics_open(dir, "observer") == -1)
		return 1;
	metrics_observe_us(METRIC_SSE_EVENT_LATENCY, "via=\"x\"", 500000);
	metrics_observe_us(METRIC_SSE_EVENT_LATENCY, "via=\"x\"", 500001);
	metrics_observe_us(METRIC_SSE_EVENT_LATENCY, "via=\"x\"", 60000000);
	metrics_observe_us(METRIC_DB_ROUND_TRIP, "", 1000);
	metrics_observe_us(METRIC_DB_ROUND_TRIP, "", -5);
	return 0;
}

static void
durations_fall_into_buckets(void)
{
	const char *dir = new_dir("buckets");

	CU_ASSERT_EQUAL(in_child(observe, dir), 0);
	CU_ASSERT_EQUAL(
	    value_of(dir, "table_order_sse_event_latency_seconds_bucket{via=\"x\",le=\"0.25\"}"),
	    0);
	CU_ASSERT_EQUAL(
	    value_of(dir, "table_order_sse_event_latency_seconds_bucket{via=\"x\",le=\"0.5\"}"), 1);
	CU_ASSERT_EQUAL(
	    value_of(dir, "table_order_sse_event_latency_seconds_bucket{via=\"x\",le=\"1\"}"), 2);
	CU_ASSERT_EQUAL(
	    value_of(dir, "table_order_sse_event_latency_seconds_bucket{via=\"x\",le=\"10\"}"), 2);
	CU_ASSERT_EQUAL(
	    value_of(dir, "table_order_sse_event_latency_seconds_bucket{via=\"x\",le=\"+Inf\"}"),
	    3);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_sse_event_latency_seconds_count{via=\"x\"}"), 3);
	CU_ASSERT_EQUAL(
	    value_of(dir, "table_order_sse_event_latency_seconds_sum{via=\"x\"}"), 61000001);
	/* the second one ended before it began: the clock was set back */
	CU_ASSERT_EQUAL(value_of(dir, "table_order_db_round_trip_seconds_bucket{le=\"0.005\"}"), 2);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_db_round_trip_seconds_sum"), 1000);
}

static void *
add_many(void *arg)
{
	char name[64];

	(void)arg;
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "role=\"%d\"", i % 50);
		metrics_add(METRIC_LOGIN_FAILURES, name, 1);
	}
	return NULL;
}

static int
add_from_threads(const char *dir)
{
	pthread_t threads[4];

	if (metrics_open(dir, "threads") == -1)
		return 1;
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, add_many, NULL) != 0)
			return 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void
threads_lose_no_count(void)
{
	const char *dir = new_dir("threads");

	CU_ASSERT_EQUAL(in_child(add_from_threads, dir), 0);
	for (int i = 0; i < 50; i++) {
		char name[64];

		snprintf(name, sizeof(name), "table_order_login_failures_total{role=\"%d\"}", i);
		CU_ASSERT_EQUAL(value_of(dir, name), 1600);
	}
}

static int
overflow(const char *dir)
{
	char name[METRICS_NAME_SIZE * 2];

	if (metrics_open(dir, "overflow") == -1)
		return 1;
	for (int i = 0; i < METRICS_SERIES + 100; i++) {
		snprintf(name, sizeof(name), "role=\"%d\"", i);
		metrics_add(METRIC_LOGIN_FAILURES, name, 1);
	}
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	metrics_add(METRIC_LOGIN_FAILURES, name, 1);
	return 0;
}

static void
too_much_is_not_counted(void)
{
	const char *dir = new_dir("overflow");
	char last[64];

	CU_ASSERT_EQUAL(in_child(overflow, dir), 0);
	snprintf(last, sizeof(last), "table_order_login_failures_total{role=\"%d\"}",
	    METRICS_SERIES - 1);
	CU_ASSERT_EQUAL(value_of(dir, last), 1);
}

static int
count_nowhere(const char *dir)
{
	log_open(NULL, "quiet", LOG_ERROR);
	if (metrics_open(dir, "nowhere") != -1)
		return 1;
	metrics_add(METRIC_RATE_LIMITED, "", 1);
	metrics_observe_us(METRIC_DB_ROUND_TRIP, "", 1);
	return 0;
}

static void
without_a_directory_counting_goes_nowhere(void)
{
	struct wanted w = { "table_order_rate_limited_total", 0, 0 };

	CU_ASSERT_EQUAL(in_child(count_nowhere, unit_path("nowhere")), 0);
	CU_ASSERT_EQUAL(metrics_collect(unit_path("nowhere"), nobody_else, look, &w), -1);
}

static void
a_damaged_file_is_started_anew(void)
{
	const char *dir = new_dir("damaged");

	unit_file("damaged/counter.0.metrics", "this is none");
	unit_file("damaged/other.0.metrics", "nor this");
	CU_ASSERT_EQUAL(in_child(count_things, dir), 0);
	CU_ASSERT_EQUAL(value_of(dir, "table_order_login_failures_total{role=\"a\"}"), 7);
}

/* Line n (from 0) of the file as JSON; NULL when it is none. The caller puts it. */
static json_object *
log_line(const char *path, int n)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	json_object *o = NULL;
	json_tokener *t = json_tokener_new();
	ssize_t len = -1;

	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	while (f != NULL && n-- >= 0)
		len = getline(&line, &size, f);
	if (len > 0)
		o = json_tokener_parse_ex(t, line, (int)len);
	json_tokener_free(t);
	free(line);
	if (f != NULL)
		fclose(f);
	return o;
}

static const char *
member(json_object *o, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(o, name));

	return text != NULL ? text : "(none)";
}

static void
a_line_is_one_object(void)
{
	const char *dir = new_dir("log");
	json_object *o;

	log_open(dir, "tester", LOG_INFO);
	log_debug("too little");
	log_warning("something \"odd\"", LOG_S("path", "C:\\a\n\tb\x01"), LOG_I("n", -7),
	    LOG_S("nothing", NULL), LOG_S("한글", "주문"));
	o = log_line(unit_path("log/tester.log"), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	CU_ASSERT_STRING_EQUAL(member(o, "message"), "something \"odd\"");
	CU_ASSERT_STRING_EQUAL(member(o, "level"), "WARNING");
	CU_ASSERT_STRING_EQUAL(member(o, "program"), "tester");
	CU_ASSERT_STRING_EQUAL(member(o, "path"), "C:\\a\n\tb\x01");
	CU_ASSERT_STRING_EQUAL(member(o, "n"), "-7");
	CU_ASSERT_STRING_EQUAL(member(o, "nothing"), "");
	CU_ASSERT_STRING_EQUAL(member(o, "한글"), "주문");
	CU_ASSERT_EQUAL(strlen(member(o, "time")), 24);
	json_object_put(o);
}

static void
hostile_text_leaves_a_line_whole(void)
{
	static const char *const bad[] = { "\xff\xfe", "cut \xed\x95", "\xc0\x80", "\xed\xa0\x80",
		"\x80", "\xf5\x80\x80\x80", "\xe3\x80" };
	const char *dir = new_dir("hostile"), *path = unit_path("hostile/tester.log");
	int n = sizeof(bad) / sizeof(bad[0]);
	char *longer = malloc(30001);
	json_object *o;

	log_open(dir, "tester", LOG_INFO);
	for (int i = 0; i < n; i++)
		log_info("bad", LOG_S("text", bad[i]), LOG_S("after", "fine"));
	/* each start lets the cut fall elsewhere in a character of three bytes */
	for (int start = 0; start < 3; start++) {
		memset(longer, 'a', (size_t)start);
		for (int i = start; i + 3 <= 30000; i += 3)
			memcpy(longer + i, "주", 4);
		log_info("long", LOG_S("text", longer), LOG_S("after", "lost"));
	}
	memset(longer, '\x01', 30000);
	log_info("long", LOG_S("text", longer));
	free(longer);
	for (int i = 0; i < n + 4; i++) {
		o = log_line(path, i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(o);
		CU_ASSERT_STRING_EQUAL(member(o, "program"), "tester");
		if (i < n)
			CU_ASSERT_STRING_EQUAL(member(o, "after"), "fine");
		json_object_put(o);
	}
	CU_ASSERT_PTR_NULL(log_line(path, n + 4));
}

static void
a_rotated_file_is_reopened(void)
{
	const char *dir = new_dir("rotated"), *path = unit_path("rotated/tester.log");
	int64_t deadline = clock_mono_us() + DEADLINE_US;

	log_open(dir, "tester", LOG_INFO);
	log_info("before");
	CU_ASSERT_EQUAL(rename(path, unit_path("rotated/tester.log.1")), 0);
	while (access(path, F_OK) == -1 && clock_mono_us() < deadline) {
		log_info("meanwhile");
		clock_wait_us(20000);
	}
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
}

static int
log_to_nowhere(const char *dir)
{
	int fd = open(unit_path("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	dup2(fd, STDERR_FILENO);
	log_open(dir, "tester", LOG_INFO);
	log_error("still said");
	return 0;
}

static void
without_a_directory_lines_go_to_standard_error(void)
{
	json_object *o;

	CU_ASSERT_EQUAL(in_child(log_to_nowhere, unit_path("nowhere")), 0);
	o = log_line(unit_path("stderr"), 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	CU_ASSERT_STRING_EQUAL(member(o, "message"), "still said");
	json_object_put(o);
}

/* A limit of the file's size stands for a full disk: both take a part of a line, then none. */
static int
log_over_a_limit(const char *dir)
{
	const struct rlimit tight = { 300, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };

	if (freopen(unit_path("full.stderr"), "w", stderr) == NULL)
		return 1;
	signal(SIGXFSZ, SIG_IGN);
	log_open(dir, "tester", LOG_INFO);
	log_info("first");
	setrlimit(RLIMIT_FSIZE, &tight);
	for (int i = 0; i < 4; i++)
		log_info("while it is full");
	setrlimit(RLIMIT_FSIZE, &none);
	log_info("last");
	return 0;
}

static void
a_line_that_was_torn_spoils_no_other(void)
{
	const char *dir = new_dir("full");
	json_object *o;

	CU_ASSERT_EQUAL(in_child(log_over_a_limit, dir), 0);
	o = log_line(unit_path("full/tester.log"), 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	CU_ASSERT_STRING_EQUAL(member(o, "message"), "last");
	json_object_put(o);
	CU_ASSERT_PTR_NULL(log_line(unit_path("full/tester.log"), 2));
}

static void *
log_many(void *arg)
{
	for (int i = 0; i < 200; i++)
		log_info("from a thread", LOG_S("filler", (const char *)arg), LOG_I("i", i));
	return NULL;
}

static void
threads_do_not_mix_their_lines(void)
{
	const char *dir = new_dir("mixed"), *path = unit_path("mixed/tester.log");
	static char filler[500];
	pthread_t threads[4];

	memset(filler, 'f', sizeof(filler) - 1);
	log_open(dir, "tester", LOG_INFO);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, log_many, filler), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 800; i += 13) {
		json_object *o = log_line(path, i);

		CU_ASSERT_STRING_EQUAL(member(o, "filler"), filler);
		json_object_put(o);
	}
	CU_ASSERT_PTR_NULL(log_line(path, 800));
}

static void
levels_have_names(void)
{
	CU_ASSERT_EQUAL(log_level_parse("DEBUG"), LOG_DEBUG);
	CU_ASSERT_EQUAL(log_level_parse("ERROR"), LOG_ERROR);
	CU_ASSERT_EQUAL(log_level_parse("info"), -1);
	CU_ASSERT_EQUAL(log_level_parse(""), -1);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "a slot has one holder", a_slot_has_one_holder },
		{ "death gives a slot back", death_gives_a_slot_back },
		{ "an unusable directory is told from a full one",
		    an_unusable_directory_is_told_from_a_full_one },
		{ "waiting is seen by others", waiting_is_seen_by_others },
		{ "a lock of root belongs to the directory",
		    a_lock_of_root_belongs_to_the_directory },
		{ "restarts carry counts on", restarts_carry_counts_on },
		{ "processes side by side are summed", processes_side_by_side_are_summed },
		{ "the dead tell nothing of the present", the_dead_tell_nothing_of_the_present },
		{ "a heartbeat is that of the process which lags",
		    a_heartbeat_is_that_of_the_process_which_lags },
		{ "a program that never came up is told", a_program_that_never_came_up_is_told },
		{ "a counter without labels starts at 0", a_counter_without_labels_starts_at_0 },
		{ "durations fall into buckets", durations_fall_into_buckets },
		{ "threads lose no count", threads_lose_no_count },
		{ "too much is not counted", too_much_is_not_counted },
		{ "without a directory counting goes nowhere",
		    without_a_directory_counting_goes_nowhere },
		{ "a damaged file is started anew", a_damaged_file_is_started_anew },
		{ "a line is one object", a_line_is_one_object },
		{ "hostile text leaves a line whole", hostile_text_leaves_a_line_whole },
		{ "a rotated file is reopened", a_rotated_file_is_reopened },
		{ "without a directory lines go to standard error",
		    without_a_directory_lines_go_to_standard_error },
		{ "a line that was torn spoils no other", a_line_that_was_torn_spoils_no_other },
		{ "threads do not mix their lines", threads_do_not_mix_their_lines },
		{ "levels have names", levels_have_names },
		CU_TEST_INFO_NULL,
	};

	return unit_main("slot, metrics, log", tests);
}
