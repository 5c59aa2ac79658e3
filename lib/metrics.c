#include "config.h"

#include "metrics.h"

#include "clock.h"
#include "log.h"
#include "slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x3330534d4f54) /* "TOMS03" */
#define SLOT_LIMIT 256
#define LOCK_NAME "%.*s.metrics-lock"
/* A state that nobody knows. */
#define UNKNOWN UINT64_MAX

const struct metric_family metric_families[METRIC_COUNT] = {
#define METRIC_ROW(id, kind, name, labels, help) { METRIC_##kind, name, labels, help },
	METRICS(METRIC_ROW)
#undef METRIC_ROW
};

static const int buckets_ms[] = METRICS_BUCKETS_MS;

/* A histogram's series stand one behind the other. */
enum {
	AT_COUNT,
	AT_SUM,
	AT_INFINITY,
	AT_BUCKETS,
	HISTOGRAM_SERIES = AT_BUCKETS + METRICS_BUCKET_COUNT
};

struct series {
	char name[METRICS_NAME_SIZE];
	_Atomic uint64_t value;
};

struct file {
	_Atomic uint64_t magic;
	_Atomic uint64_t count;
	struct series series[METRICS_SERIES];
};

static struct {
	pthread_mutex_t lock;
	struct file *file;
	int slot_fd;
} own = { PTHREAD_MUTEX_INITIALIZER, NULL, -1 };

static struct file *
map_file(const char *path, int flags, int protection)
{
	int fd = open(path, flags | O_CLOEXEC, 0640);
	struct file *f = MAP_FAILED;
	struct stat st;

	if (fd == -1)
		return NULL;
	/* all of it now: on a full disk a page that has no block yet would be SIGBUS */
	if ((flags & O_CREAT) != 0) {
		errno = posix_fallocate(fd, 0, (off_t)sizeof(struct file));
		if (errno != 0)
			goto out;
	}
	if (fstat(fd, &st) == 0 && (size_t)st.st_size >= sizeof(struct file))
		f = mmap(NULL, sizeof(struct file), protection, MAP_SHARED, fd, 0);
out:
	close(fd);
	return f == MAP_FAILED ? NULL : f;
}

/* Whether a series belongs to a family, a histogram's as one of its parts. */
static bool
is_of(const struct metric_family *f, const char *series)
{
	static const char *const parts[] = { "_bucket{", "_sum", "_count" };
	size_t n = strlen(f->name);

	if (strncmp(series, f->name, n) != 0)
		return false;
	series += n;
	if (f->kind != METRIC_HISTOGRAM)
		return *series == '\0' || *series == '{';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strncmp(series, parts[i], strlen(parts[i])) == 0)
			return true;
	return false;
}

/* What a process knew of the present is nothing to the next. */
static uint64_t
after_death(const char *series, uint64_t value)
{
	for (enum metric m = 0; m < METRIC_COUNT; m++) {
		if (!is_of(&metric_families[m], series))
			continue;
		if (metric_families[m].kind == METRIC_GAUGE)
			return 0;
		if (metric_families[m].kind == METRIC_STATE ||
		    metric_families[m].kind == METRIC_LEAST)
			return UNKNOWN;
	}
	return value;
}

static void
take_over(struct file *f)
{
	if (f->magic != MAGIC || f->count > METRICS_SERIES) {
		memset(f, 0, sizeof(*f));
		f->magic = MAGIC;
	}
	for (uint64_t i = 0; i < f->count; i++)
		f->series[i].value = after_death(f->series[i].name, f->series[i].value);
}

int
metrics_open(const char *run_dir, const char *program)
{
	char name[128], path[4096];
	int index;

	snprintf(name, sizeof(name), LOCK_NAME, (int)strlen(program), program);
	own.slot_fd = slot_take(run_dir, name, SLOT_LIMIT, &index);
	if (own.slot_fd != -1) {
		snprintf(path, sizeof(path), "%s/%s.%d.metrics", run_dir, program, index);
		own.file = map_file(path, O_RDWR | O_CREAT, PROT_READ | PROT_WRITE);
	}
	if (own.file == NULL) {
		log_warning("no metrics are kept", LOG_S("run_dir", run_dir),
		    LOG_S("error", strerror(errno)));
		return -1;
	}
	take_over(own.file);
	return 0;
}

/* Series are only ever added, under the lock, and published by the count behind them. */
static struct series *
find(struct file *f, const char *name, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (strcmp(f->series[i].name, name) == 0)
			return &f->series[i];
	return NULL;
}

/* Writes name, part and labels as Prometheus does; false when that is too long. */
static bool
write_name(char *name, const struct metric_family *f, const char *part, const char *labels,
    const char *more)
{
	const char *comma = labels[0] != '\0' && more[0] != '\0' ? "," : "";
	int n;

	if (labels[0] == '\0' && more[0] == '\0')
		n = snprintf(name, METRICS_NAME_SIZE, "%s%s", f->name, part);
	else
		n = snprintf(
		    name, METRICS_NAME_SIZE, "%s%s{%s%s%s}", f->name, part, labels, comma, more);
	return n < METRICS_NAME_SIZE;
}

static bool
write_names(struct series *s, const struct metric_family *f, const char *labels)
{
	char le[32];
	bool fit = true;

	if (f->kind != METRIC_HISTOGRAM)
		return write_name(s->name, f, "", labels, "");
	/* all buckets, whatever falls into them: one that came later would bend the quantiles */
	for (int i = 0; i < METRICS_BUCKET_COUNT; i++) {
		snprintf(le, sizeof(le), "le=\"%g\"", buckets_ms[i] / 1000.0);
		fit = write_name(s[AT_BUCKETS + i].name, f, "_bucket", labels, le) && fit;
	}
	return write_name(s[AT_COUNT].name, f, "_count", labels, "") &&
	    write_name(s[AT_SUM].name, f, "_sum", labels, "") &&
	    write_name(s[AT_INFINITY].name, f, "_bucket", labels, "le=\"+Inf\"") && fit;
}

static struct series *
append(struct file *f, const struct metric_family *family, const char *labels)
{
	uint64_t n = family->kind == METRIC_HISTOGRAM ? HISTOGRAM_SERIES : 1;
	struct series *s = &f->series[f->count];

	if (f->count + n > METRICS_SERIES || !write_names(s, family, labels))
		return NULL;
	for (uint64_t i = 0; i < n; i++)
		s[i].value = 0;
	f->count += n;
	return s;
}

/* The series of these labels, of a histogram the first; NULL when there is no room. */
static struct series *
series_of(enum metric m, const char *labels)
{
	const struct metric_family *family = &metric_families[m];
	const char *part = family->kind == METRIC_HISTOGRAM ? "_count" : "";
	char name[METRICS_NAME_SIZE];
	struct file *f = own.file;
	struct series *s;

	if (f == NULL || !write_name(name, family, part, labels, ""))
		return NULL;
	s = find(f, name, f->count);
	if (s != NULL)
		return s;
	pthread_mutex_lock(&own.lock);
	s = find(f, name, f->count);
	if (s == NULL)
		s = append(f, family, labels);
	pthread_mutex_unlock(&own.lock);
	return s;
}

void
metrics_add(enum metric m, const char *labels, uint64_t n)
{
	struct series *s = series_of(m, labels);

	if (s != NULL)
		s->value += n;
}

void
metrics_set(enum metric m, const char *labels, uint64_t value)
{
	struct series *s = series_of(m, labels);

	if (s != NULL)
		s->value = value;
}

void
metrics_observe_us(enum metric m, const char *labels, int64_t us)
{
	struct series *s = series_of(m, labels);

	if (us < 0)
		us = 0; /* between two readings of a clock that was set back */
	if (s == NULL)
		return;
	for (int i = 0; i < METRICS_BUCKET_COUNT; i++)
		if (us <= (int64_t)buckets_ms[i] * 1000)
			s[AT_BUCKETS + i].value++;
	s[AT_INFINITY].value++;
	s[AT_SUM].value += (uint64_t)us;
	s[AT_COUNT].value++;
}

void
metrics_beat(const char *program)
{
	char labels[METRICS_NAME_SIZE];

	snprintf(labels, sizeof(labels), "program=\"%s\"", program);
	metrics_set(METRIC_HEARTBEAT, labels, (uint64_t)(clock_wall_us() / CLOCK_SECOND_US));
}

struct total {
	char name[METRICS_NAME_SIZE];
	uint64_t value;
};

struct totals {
	struct total *list;
	size_t count;
	size_t size;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct total *)a)->name, ((const struct total *)b)->name);
}

static void
add_total(struct totals *t, const char *name, uint64_t value)
{
	if (t->count == t->size) {
		t->size = t->size * 2 + 256;
		t->list = realloc(t->list, t->size * sizeof(*t->list));
		if (t->list == NULL)
			abort();
	}
	snprintf(t->list[t->count].name, METRICS_NAME_SIZE, "%.*s", METRICS_NAME_SIZE - 1, name);
	t->list[t->count++].value = value;
}

static void
read_file(const char *path, bool alive, struct totals *t)
{
	struct file *f = map_file(path, O_RDONLY, PROT_READ);

	if (f == NULL)
		return;
	for (uint64_t i = 0; f->magic == MAGIC && i < f->count && i < METRICS_SERIES; i++) {
		const struct series *s = &f->series[i];
		uint64_t value = alive ? s->value : after_death(s->name, s->value);

		if (value != UNKNOWN)
			add_total(t, s->name, value);
	}
	munmap(f, sizeof(*f));
}

static uint64_t
merge(enum metric_kind kind, uint64_t a, uint64_t b)
{
	if (kind == METRIC_STATE)
		return a > b ? a : b;
	if (kind == METRIC_LEAST)
		return a < b ? a : b;
	return a + b;
}

/* Tells each series of a family, its values over all files made one. */
static bool
tell_family(enum metric m, const struct totals *t,
    void (*each)(void *, enum metric, const char *, uint64_t), void *arg)
{
	const struct metric_family *f = &metric_families[m];
	bool any = false;

	for (size_t i = 0, next; i < t->count; i = next) {
		uint64_t value = t->list[i].value;

		next = i + 1;
		if (!is_of(f, t->list[i].name))
			continue;
		for (; next < t->count && by_name(&t->list[i], &t->list[next]) == 0; next++)
			value = merge(f->kind, value, t->list[next].value);
		each(arg, m, t->list[i].name, value);
		any = true;
	}
	return any;
}

/* DIR/PROGRAM.NUMBER.metrics is written by whoever holds DIR/PROGRAM.metrics-lock.NUMBER. */
static bool
read_entry(const char *dir, const char *entry, struct totals *t)
{
	const char *end = strrchr(entry, '.'), *dot = end;
	char path[4096], lock[512];

	if (end == NULL || strcmp(end, ".metrics") != 0)
		return false;
	while (dot > entry && *--dot != '.')
		;
	snprintf(path, sizeof(path), "%s/%s", dir, entry);
	snprintf(lock, sizeof(lock), LOCK_NAME, (int)(dot - entry), entry);
	read_file(path, slot_held(dir, lock, atoi(dot + 1)), t);
	return true;
}

static void
expect(const char *program, struct totals *t)
{
	char labels[METRICS_NAME_SIZE], name[METRICS_NAME_SIZE];

	snprintf(labels, sizeof(labels), "program=\"%s\"", program);
	if (write_name(name, &metric_families[METRIC_PROCESSES], "", labels, ""))
		add_total(t, name, 0);
}

int
metrics_collect(const char *run_dir, const char *const *programs,
    void (*each)(void *, enum metric, const char *, uint64_t), void *arg)
{
	struct totals t = { 0 };
	DIR *d = opendir(run_dir);
	struct dirent *e;
	int files = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		files += read_entry(run_dir, e->d_name, &t);
	closedir(d);
	for (; *programs != NULL; programs++)
		expect(*programs, &t);
	if (t.count > 0)
		qsort(t.list, t.count, sizeof(*t.list), by_name);
	for (enum metric m = 0; m < METRIC_COUNT; m++) {
		const struct metric_family *f = &metric_families[m];

		if (!tell_family(m, &t, each, arg) && f->kind == METRIC_COUNTER &&
		    f->labels[0] == '\0')
			each(arg, m, f->name, 0);
	}
	free(t.list);
	return files;
}
