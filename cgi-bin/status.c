/* status: health, metrics, the API's document, and the answer to whatever no program serves. */
#include "config.h"

#include "bus.h"
#include "clock.h"
#include "guard.h"
#include "http.h"
#include "log.h"
#include "metrics.h"
#include "reply.h"
#include "route.h"
#include "serve.h"

#include "sql/status.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUS_CHECK_MS 2000
/* More than one host's time to accept us (dial.h): a second is tried. */
#define DATABASE_CHECK_US (INT64_C(5) * CLOCK_SECOND_US)
/* Whoever asks for our health shall not wait as long as orders do. */
#define BUSY_AFTER_US (INT64_C(2) * CLOCK_SECOND_US)
#define UP "up"
#define DOWN "down"
#define DOCS_FILE PKGDATADIR "/docs.html"

/* Every route of every other program, program by program; made by the build from their own tables.
 */
static const struct {
	const char *method;
	const char *pattern;
	const char *program;
} served[] = {
#include "cgi-bin/served.h"
};

/* --- GET /health ---------------------------------------------------------------------------- */

/* "busy": connections are all taken, and nobody gives one back soon. */
static const char *
database_state(struct req *r)
{
	int64_t until_us = clock_mono_us() + DATABASE_CHECK_US;
	enum pg_refusal why;
	struct pg *pg;

	while ((pg = pg_pool_try(r->app->pool, BUSY_AFTER_US, &until_us, &why)) != NULL) {
		PGresult *result = pg_run(pg, &SQL_PING, NULL);
		bool stale = result == NULL && pg_reused(pg);

		PQclear(result);
		pg_pool_put(r->app->pool, pg);
		if (!stale)
			return result != NULL ? UP : DOWN;
		/* one that was kept may be stale: a new one decides */
		pg_pool_drop_idle(r->app->pool);
	}
	return why == PG_BUSY ? "busy" : DOWN;
}

static const char *
redis_state(struct req *r)
{
	char error[256];
	bool up = redis_ping(r->redis, error, sizeof(error));

	if (!up)
		log_warning("health: redis", LOG_S("error", error));
	return up ? UP : DOWN;
}

/* A look is a login there, and anybody may ask: those who ask within a second share one. */
static const char *
rabbitmq_state(struct req *r)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static int64_t until_us;
	static const char *state;
	char error[BUS_ERROR_SIZE];

	pthread_mutex_lock(&lock);
	if (clock_mono_us() >= until_us) {
		state = UP;
		if (bus_check(r->app->conf.rabbitmq_url, BUS_CHECK_MS, error, sizeof(error)) != 0) {
			state = DOWN;
			log_warning("health: rabbitmq", LOG_S("error", error));
		}
		until_us = clock_mono_us() + CLOCK_SECOND_US;
	}
	pthread_mutex_unlock(&lock);
	return state;
}

/* Looks at one of them, notes its state and returns it. */
static const char *
check(struct req *r, json_object *checks, const char *name, const char *(*look)(struct req *r))
{
	json_object *o = json_new_object(r->arena);
	int64_t start_us = clock_mono_us();
	const char *state = look(r);

	json_put_text(o, "state", state);
	json_put_int(o, "time_ms", (clock_mono_us() - start_us + 500) / 1000);
	json_put(checks, name, o);
	return state;
}

static void
get_health(struct req *r)
{
	json_object *answer = json_new_object(r->arena), *checks = json_new_object(r->arena);
	const char *database = check(r, checks, "database", database_state);
	const char *redis = check(r, checks, "redis", redis_state);
	const char *rabbitmq = check(r, checks, "rabbitmq", rabbitmq_state);
	bool down = strcmp(database, DOWN) == 0;
	bool up = strcmp(database, UP) == 0 && strcmp(redis, UP) == 0 && strcmp(rabbitmq, UP) == 0;

	json_put_text(answer, "status", down ? DOWN : up ? UP : "degraded");
	json_put_text(answer, "version", PACKAGE_VERSION);
	json_put(answer, "checks", checks);
	reply_json(r, down ? 503 : 200, answer);
}

/* --- GET /metrics --------------------------------------------------------------------------- */

struct page {
	struct buf text;
	enum metric next; /* the first that has not been declared */
};

/* The # lines of all families up to this one (Prometheus text format 0.0.4). */
static void
declare(struct page *p, enum metric m)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_HISTOGRAM] = "histogram",
		[METRIC_GAUGE] = "gauge",
		[METRIC_STATE] = "gauge",
		[METRIC_LEAST] = "gauge",
	};

	for (; p->next <= m && p->next < METRIC_COUNT; p->next++) {
		const struct metric_family *f = &metric_families[p->next];

		buf_printf(&p->text, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
		    types[f->kind]);
	}
}

static void
print_series(void *arg, enum metric m, const char *series, uint64_t value)
{
	const struct metric_family *f = &metric_families[m];
	struct page *p = arg;

	declare(p, m);
	/* sums are kept in microseconds */
	if (f->kind == METRIC_HISTOGRAM && strncmp(series + strlen(f->name), "_sum", 4) == 0)
		buf_printf(&p->text, "%s %llu.%06llu\n", series,
		    (unsigned long long)(value / 1000000), (unsigned long long)(value % 1000000));
	else
		buf_printf(&p->text, "%s %llu\n", series, (unsigned long long)value);
}

/* The programs that whoever holds their sockets should keep running. Where there are no sockets the
 * web server starts programs itself, when it needs them. */
static const char *const *
expected_programs(struct req *r)
{
	const size_t n = sizeof(served) / sizeof(served[0]);
	const char **programs = arena_alloc(r->arena, (n + 1) * sizeof(*programs));
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const char *program = served[i].program;

		if ((i == 0 || strcmp(served[i - 1].program, program) != 0) &&
		    access(arena_printf(r->arena, "%s/%s.sock", r->app->conf.run_dir, program),
			F_OK) == 0)
			programs[count++] = program;
	}
	programs[count] = NULL;
	return programs;
}

static void
get_metrics(struct req *r)
{
	struct page p = { .next = 0 };

	if (!http_address_in(r->app->conf.metrics_allow, r->address)) {
		req_fail(r, ERR_FORBIDDEN);
		return;
	}
	buf_init(&p.text, r->arena, 65536);
	buf_printf(&p.text,
	    "# HELP table_order_build_info The version of this program; its value is 1.\n"
	    "# TYPE table_order_build_info gauge\n"
	    "table_order_build_info{version=\"%s\"} 1\n",
	    PACKAGE_VERSION);
	if (metrics_collect(r->app->conf.run_dir, expected_programs(r), print_series, &p) == -1)
		req_fail(r, ERR_INTERNAL_ERROR);
	declare(&p, METRIC_COUNT);
	reply_bytes(r, 200, "text/plain; version=0.0.4; charset=utf-8", p.text.data, p.text.len);
}

/* --- GET /docs ------------------------------------------------------------------------------ */

/* The file's bytes; NULL when it cannot be read, errno says why. */
static const char *
read_whole(struct req *r, int fd, size_t *size)
{
	struct stat st;
	char *bytes;
	ssize_t n = 1;

	*size = 0;
	if (fd == -1 || fstat(fd, &st) == -1)
		return NULL;
	bytes = arena_alloc(r->arena, (size_t)st.st_size + 1);
	while (n > 0 && *size < (size_t)st.st_size) {
		n = read(fd, bytes + *size, (size_t)st.st_size - *size);
		*size += n > 0 ? (size_t)n : 0;
	}
	return n == -1 ? NULL : bytes;
}

static void
get_docs(struct req *r)
{
	int fd = open(DOCS_FILE, O_RDONLY | O_CLOEXEC);
	size_t size;
	const char *page = read_whole(r, fd, &size);

	if (page == NULL) {
		req_fail(r, ERR_NOT_FOUND);
		r->error_note = arena_printf(r->arena, "%s: %s", DOCS_FILE, strerror(errno));
	}
	if (fd != -1)
		close(fd);
	reply_bytes(r, 200, "text/html; charset=utf-8", page, size);
	/* the page has a style of its own, and nothing else that is not in it */
	reply_header(r, "Content-Security-Policy",
	    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
	    "frame-ancestors 'none'");
}

/* --- whatever no program serves ------------------------------------------------------------- */

/* The methods that the address has, as Allow tells them; "" when it is none. */
static const char *
methods_served(struct req *r)
{
	const char *allowed;

	if (!route_split(r))
		return "";
	allowed = route_methods(r);
	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++)
		if (route_fits(r, served[i].pattern))
			allowed = route_allow(r->arena, allowed, served[i].method);
	return allowed;
}

static void
answer_unserved(struct req *r)
{
	const char *allowed = methods_served(r);

	if (*allowed == '\0') {
		req_fail(r, ERR_NOT_FOUND);
		return;
	}
	allowed = arena_printf(r->arena, "%s, OPTIONS", allowed);
	reply_header(r, "Allow", allowed);
	if (strcmp(r->method, "OPTIONS") == 0) {
		guard_preflight(r, allowed);
		reply_empty(r);
		return;
	}
	req_fail(r, ERR_METHOD_NOT_ALLOWED);
}

static const struct route routes[] = {
	{ "GET", "/docs", ROLE_NONE, RT_LOCAL, get_docs },
	{ "GET", "/health", ROLE_NONE, RT_LOCAL, get_health },
	{ "GET", "/metrics", ROLE_NONE, RT_LOCAL, get_metrics },
	{ "*", "*", ROLE_NONE, RT_LOCAL, answer_unserved },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "status", CONF_RABBITMQ, routes);
}
