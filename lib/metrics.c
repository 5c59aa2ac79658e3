#include "config.h"

#include "metrics.h"

#include "log.h"
#include "slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x3130534d4f54) /* "TOMS01" */
#define SLOT_LIMIT 256

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
	if ((flags & O_CREAT) != 0 && ftruncate(fd, (off_t)sizeof(struct file)) == -1)
		goto out;
	if (fstat(fd, &st) == 0 && (size_t)st.st_size >= sizeof(struct file))
		f = mmap(NULL, sizeof(struct file), protection, MAP_SHARED, fd, 0);
out:
	close(fd);
	return f == MAP_FAILED ? NULL : f;
}

int
metrics_open(const char *run_dir, const char *program)
{
	char name[128], path[4096];
	int index;

	snprintf(name, sizeof(name), "%s.metrics-lock", program);
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
	if (own.file->magic != MAGIC || own.file->count > METRICS_SERIES) {
		memset(own.file, 0, sizeof(*own.file));
		own.file->magic = MAGIC;
	}
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

static struct series *
find_or_add(const char *name)
{
	struct file *f = own.file;
	struct series *s;

	if (f == NULL || strlen(name) >= METRICS_NAME_SIZE)
		return NULL;
	s = find(f, name, f->count);
	if (s != NULL)
		return s;
	pthread_mutex_lock(&own.lock);
	s = find(f, name, f->count);
	if (s == NULL && f->count < METRICS_SERIES) {
		s = &f->series[f->count];
		snprintf(s->name, sizeof(s->name), "%s", name);
		s->value = 0;
		f->count++;
	}
	pthread_mutex_unlock(&own.lock);
	return s;
}

void
metrics_add(const char *series, uint64_t n)
{
	struct series *s = find_or_add(series);

	if (s != NULL)
		s->value += n;
}

void
metrics_set(const char *series, uint64_t value)
{
	struct series *s = find_or_add(series);

	if (s != NULL)
		s->value = value;
}

void
metrics_observe_us(const char *name, const char *labels, int64_t us)
{
	static const int buckets_ms[] = METRICS_BUCKETS_MS;
	const char *comma = labels[0] != '\0' ? "," : "";
	char series[METRICS_NAME_SIZE];

	for (int i = 0; i <= METRICS_BUCKET_COUNT; i++) {
		if (i == METRICS_BUCKET_COUNT)
			snprintf(series, sizeof(series), "%s_bucket{%s%sle=\"+Inf\"}", name, labels,
			    comma);
		else if (us <= (int64_t)buckets_ms[i] * 1000)
			snprintf(series, sizeof(series), "%s_bucket{%s%sle=\"%g\"}", name, labels,
			    comma, buckets_ms[i] / 1000.0);
		else
			continue;
		metrics_add(series, 1);
	}
	snprintf(series, sizeof(series), "%s_sum{%s}", name, labels);
	metrics_add(series, (uint64_t)us);
	snprintf(series, sizeof(series), "%s_count{%s}", name, labels);
	metrics_add(series, 1);
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
read_file(const char *path, struct totals *t)
{
	struct file *f = map_file(path, O_RDONLY, PROT_READ);

	if (f == NULL)
		return;
	for (uint64_t i = 0; f->magic == MAGIC && i < f->count && i < METRICS_SERIES; i++) {
		if (t->count == t->size) {
			t->size = t->size * 2 + 256;
			t->list = realloc(t->list, t->size * sizeof(*t->list));
			if (t->list == NULL)
				abort();
		}
		memcpy(t->list[t->count].name, f->series[i].name, METRICS_NAME_SIZE);
		t->list[t->count].name[METRICS_NAME_SIZE - 1] = '\0';
		t->list[t->count++].value = f->series[i].value;
	}
	munmap(f, sizeof(*f));
}

/* Whether a series (the part before its labels) takes the greatest value instead of the sum. */
static int
is_max(const char *name)
{
	size_t n = strcspn(name, "{");

	return n >= 4 && strncmp(name + n - 4, "_max", 4) == 0;
}

static void
sum_up(struct totals *t, void (*each)(void *, const char *, uint64_t), void *arg)
{
	qsort(t->list, t->count, sizeof(*t->list), by_name);
	for (size_t i = 0, next; i < t->count; i = next) {
		uint64_t value = 0;

		for (next = i; next < t->count && by_name(&t->list[i], &t->list[next]) == 0;
		     next++) {
			uint64_t v = t->list[next].value;

			if (!is_max(t->list[i].name))
				value += v;
			else if (v > value)
				value = v;
		}
		each(arg, t->list[i].name, value);
	}
}

int
metrics_collect(const char *run_dir, void (*each)(void *, const char *, uint64_t), void *arg)
{
	struct totals t = { 0 };
	DIR *d = opendir(run_dir);
	struct dirent *e;
	char path[4096];
	int files = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (n < 9 || strcmp(e->d_name + n - 8, ".metrics") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", run_dir, e->d_name);
		read_file(path, &t);
		files++;
	}
	closedir(d);
	if (t.count > 0)
		sum_up(&t, each, arg);
	free(t.list);
	return files;
}
