#include "config.h"

#include "serve.h"

#include "clock.h"
#include "guard.h"
#include "http.h"
#include "log.h"
#include "metrics.h"
#include "option.h"
#include "reply.h"
#include "route.h"
#include "tx.h"
#include "uuid.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)256 << 10)
#define REQUEST_ID_LIMIT 64

/* One thread's own. */
struct worker {
	struct app *app;
	struct arena *arena;
	struct redis_link *redis;
	pthread_t thread;
	int stop_fd;
};

/* --- reading ------------------------------------------------------------------------------- */

static const char *
request_id(struct req *r)
{
	const char *id = req_header(r, "X-Request-Id");
	size_t n = id != NULL ? strlen(id) : 0;

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)id[i]) && strchr("._-", id[i]) == NULL)
			n = 0;
	return n >= 1 && n <= REQUEST_ID_LIMIT ? id : uuid_new(r->arena);
}

static void
read_target(struct req *r)
{
	const char *uri = r->gateway->param(r->gateway->self, "REQUEST_URI");
	size_t n;

	if (uri == NULL)
		uri = "";
	n = strcspn(uri, "?");
	r->path = arena_strndup(r->arena, uri, n);
	r->query = uri[n] == '?' ? uri + n + 1 : NULL;
}

static size_t
body_limit(struct req *r)
{
	bool form = (r->route->flags & RT_UPLOAD) != 0 &&
	    http_type_is(req_header(r, "Content-Type"), "multipart/form-data");

	return form ? UPLOAD_BODY_LIMIT : JSON_BODY_LIMIT;
}

/* Refuses by the declared length, before a byte is read; a body that lies about it is malformed. */
static void
read_body(struct req *r)
{
	const char *declared = req_header(r, "Content-Length");
	int64_t length =
	    declared != NULL && *declared != '\0' ? http_number(declared, 0, INT64_MAX) : 0;
	char *bytes;
	ssize_t n = 1;

	r->body = "";
	if (length < 0)
		req_fail_field(r, "Content-Length", "is not a number");
	else if ((size_t)length > body_limit(r))
		req_fail(r, ERR_PAYLOAD_TOO_LARGE);
	if (req_failed(r) || length == 0)
		return;
	r->body = bytes = arena_alloc(r->arena, (size_t)length + 1);
	while (r->body_len < (size_t)length && n > 0) {
		n = r->gateway->read(
		    r->gateway->self, bytes + r->body_len, (size_t)length - r->body_len);
		if (n > 0)
			r->body_len += (size_t)n;
	}
	if (r->body_len < (size_t)length)
		req_fail_field(r, "", "the body is shorter than its Content-Length");
}

static void
read_request(struct req *r)
{
	const char *method = r->gateway->param(r->gateway->self, "REQUEST_METHOD");

	r->id = request_id(r);
	r->method = method != NULL ? method : "";
	r->lang = http_language(req_header(r, "Accept-Language"));
	r->address = guard_address(r);
	read_target(r);
}

/* --- the way through ----------------------------------------------------------------------- */

static void
match(struct req *r)
{
	static const struct route nowhere = { "-", "-", ROLE_NONE, RT_LOCAL, NULL };
	const char *allowed;

	r->route = route_find(r);
	if (r->route != NULL)
		return;
	r->route = &nowhere;
	allowed = route_methods(r);
	if (*allowed != '\0')
		reply_header(r, "Allow", allowed);
	req_fail(r, *allowed != '\0' ? ERR_METHOD_NOT_ALLOWED : ERR_NOT_FOUND);
}

static void
check_accept(struct req *r)
{
	if ((r->route->flags & RT_LOCAL) == 0 &&
	    !http_accepts(req_header(r, "Accept"), "application/json"))
		req_fail(r, ERR_NOT_ACCEPTABLE);
}

static void
remove_files(const struct file *list)
{
	for (; list != NULL; list = list->next)
		if (unlink(list->path) == -1 && errno != ENOENT)
			log_warning("a file cannot be removed", LOG_S("path", list->path),
			    LOG_S("error", strerror(errno)));
}

/* What the transaction's end leaves without use; in doubt nothing, orderctl maintenance sweeps what
 * no row names. */
static void
settle_files(struct req *r)
{
	if (r->error == ERR_NONE)
		remove_files(r->obsolete);
	else if (!r->in_doubt)
		remove_files(r->created);
}

/*
 * Runs a handler in its transaction, again where that is worth it.
 *
 *	how it ended                     transaction   runs again      files             cache
 *	the handler succeeded            committed     -               obsolete removed  voided
 *	the handler failed (RT_WRITE:    rolled back   -               created removed   -
 *	  once a standby has confirmed
 *	  that this is the primary)
 *	a lost race (40001, 40P01)       rolled back   yes             created removed   -
 *	connection lost, or its server   never was     yes, after a    created removed   -
 *	  demoted, before COMMIT went                  wait
 *	connection lost during COMMIT    unknown       RT_IDEMPOTENT:  all kept          voided
 *	                                               its key tells
 *	COMMIT not awaited by the        not for sure  the same        all kept          voided
 *	  standby (a notice says so)
 *	the last of TX_ATTEMPTS, or      as above      no: 503         as above          as above
 *	  DB_TIME_US is over
 *
 * tx_start() only prepares; BEGIN goes out with the handler's first statement, so a handler that
 * asks nothing has no transaction. RT_WRITE locks the store's counter row and commits, RT_COMMITS
 * commits without the lock, RT_LOCAL asks nothing; all other routes read, and their one flush ends
 * with its COMMIT. A failed request, whatever its flags, is rolled back.
 */
static void
run(struct req *r, void (*handler)(struct req *r))
{
	struct arena_mark mark = arena_mark(r->arena);
	struct req before;

	r->db_until_us = 0;
	before = *r;
	for (int attempt = 0;; attempt++) {
		enum tx_end end;
		bool answered;

		tx_start(r);
		handler(r);
		answered = r->error == ERR_NONE;
		end = tx_finish(r, attempt);
		settle_files(r);
		/* an answer that did not hold leaves none of its headers: no cookie, no ETag */
		if (answered && r->error != ERR_NONE)
			r->reply = before.reply;
		if (end == TX_DONE)
			return;
		arena_reset(r->arena, mark);
		before.db_trips = r->db_trips;
		before.db_until_us = r->db_until_us;
		before.in_doubt = r->in_doubt;
		*r = before;
	}
}

/* A cached answer: its ETag, a newline, its body. */
static bool
answer_from_cache(struct req *r)
{
	const struct redis_answer *a = &r->redis_answer;
	const char *body = a->value != NULL && a->agreed ? strchr(a->value, '\n') : NULL;

	if (req_failed(r) || r->route->cached == NULL)
		return false;
	metrics_add(body != NULL ? METRIC_CACHE_HITS : METRIC_CACHE_MISSES, "", 1);
	if (body == NULL)
		return false;
	body++;
	reply_header(r, "ETag", arena_strndup(r->arena, a->value, (size_t)(body - 1 - a->value)));
	reply_bytes(r, 200, "application/json; charset=utf-8", body,
	    a->value_len - (size_t)(body - a->value));
	return true;
}

/* The ETag of a fresh answer: of the store, too, since two stores may have the same menus. */
static const char *
tag(struct req *r)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct buf b;

	buf_init(&b, r->arena, r->reply.body_len + 128);
	buf_printf(&b, "%s ", r->who.store_id);
	buf_add(&b, r->reply.body, r->reply.body_len);
	SHA256((unsigned char *)b.data, b.len, hash);
	buf_init(&b, r->arena, 64);
	buf_puts(&b, "\"");
	for (int i = 0; i < 16; i++)
		buf_printf(&b, "%02x", hash[i]);
	buf_puts(&b, "\"");
	return arena_strdup(r->arena, b.data);
}

static void
fill_cache(struct req *r, const char *etag)
{
	struct buf b;

	buf_init(&b, r->arena, r->reply.body_len + 128);
	buf_printf(&b, "%s\n", etag);
	buf_add(&b, r->reply.body, r->reply.body_len);
	redis_fill(r->redis, &r->ask, &r->redis_answer, b.data, b.len);
}

static void
tag_and_fill(struct req *r)
{
	const char *etag;

	if (r->error != ERR_NONE || r->reply.status != 200)
		return;
	etag = tag(r);
	reply_header(r, "ETag", etag);
	if (r->route->cached != NULL)
		fill_cache(r, etag);
}

static void
settle_cache(struct req *r)
{
	bool changed = r->store.id != NULL && (r->error == ERR_NONE || r->in_doubt);

	for (size_t i = 0; changed && i < REQ_KINDS && r->voided[i] != NULL; i++)
		redis_void(r->redis, r->voided[i], r->store.id);
	if (route_has_etag(r->route))
		tag_and_fill(r);
}

static const char *
header_value(const struct req *r, const char *name)
{
	for (const struct header *h = r->reply.headers; h != NULL; h = h->next)
		if (strcmp(h->name, name) == 0)
			return h->value;
	return NULL;
}

/* 304 for a client that has the answer already (RFC 9110 §13.1.2). */
static void
revalidate(struct req *r)
{
	const char *known = req_header(r, "If-None-Match"), *etag = header_value(r, "ETag");

	if (r->error != ERR_NONE || etag == NULL)
		return;
	reply_header(r, "Cache-Control", "private, no-cache");
	if (known == NULL)
		return;
	/* the comparison is weak: W/ does not count */
	if (strcmp(known, "*") == 0 || http_list_has(known, etag) ||
	    http_list_has(known, arena_printf(r->arena, "W/%s", etag))) {
		r->reply.status = 304;
		r->reply.content_type = NULL;
	}
}

static void
handle(struct req *r)
{
	read_request(r);
	match(r);
	guard_cors(r);
	check_accept(r);
	guard_token(r);
	guard_idempotency_key(r);
	guard_redis(r);
	read_body(r);
	if (!answer_from_cache(r)) {
		if (!req_failed(r) && r->route->before != NULL)
			run(r, r->route->before);
		if (!req_failed(r))
			run(r, r->route->handler);
		settle_cache(r);
	}
	revalidate(r);
	reply_send(r);
}

/* --- afterwards ---------------------------------------------------------------------------- */

static bool
is_slow(const struct req *r, int64_t us)
{
	const struct conf *c = &r->app->conf;
	bool writes = (r->route->flags & (RT_WRITE | RT_COMMITS)) != 0;

	return us > (writes ? c->slow_write_ms : c->slow_read_ms) * 1000;
}

static void
count_request(const struct req *r, int64_t us, bool slow)
{
	char labels[METRICS_NAME_SIZE], and_status[METRICS_NAME_SIZE + 16];

	snprintf(labels, sizeof(labels), "program=\"%s\",method=\"%s\",route=\"%s\"",
	    r->app->program, r->route->method, r->route->pattern);
	snprintf(and_status, sizeof(and_status), "%s,status=\"%d\"", labels, reply_status(r));
	metrics_add(METRIC_REQUESTS, and_status, 1);
	metrics_observe_us(METRIC_REQUEST_DURATION, labels, us);
	if (slow)
		metrics_add(METRIC_SLOW_REQUESTS, labels, 1);
}

static void
log_request(const struct req *r, int64_t us, bool slow)
{
	int status = reply_status(r);
	enum log_level level = LOG_INFO;

	if (status >= 500)
		level = LOG_ERROR;
	else if (slow)
		level = LOG_WARNING;
	log_write(level, slow ? "slow request" : "request", LOG_S("request_id", r->id),
	    LOG_S("method", r->method), LOG_S("path", r->path), LOG_I("status", status),
	    LOG_I("duration_us", us), LOG_I("db_trips", r->db_trips), LOG_I("slow", slow),
	    LOG_S("code", error_name(r->error)), LOG_S("subject", r->who.subject),
	    LOG_S("store_id", r->who.store_id), LOG_S("address", r->address),
	    LOG_S("cause", r->error_note), LOG_END);
}

static void
serve_one(void *context, const struct gateway *g)
{
	struct worker *w = context;
	struct arena_mark mark = arena_mark(w->arena);
	struct req r = { .app = w->app, .arena = w->arena, .gateway = g, .redis = w->redis };
	int64_t us;

	r.start_us = clock_mono_us();
	handle(&r);
	us = clock_mono_us() - r.start_us;
	count_request(&r, us, is_slow(&r, us));
	log_request(&r, us, is_slow(&r, us));
	arena_reset(w->arena, mark);
}

/* --- the process --------------------------------------------------------------------------- */

static void
worker_init(struct worker *w, struct app *app, int stop_fd)
{
	w->app = app;
	w->arena = arena_new(ARENA_BYTES);
	w->redis = redis_link_new(app->redis);
	w->stop_fd = stop_fd;
}

static void
worker_fini(struct worker *w)
{
	redis_link_free(w->redis);
	arena_free(w->arena);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	gateway_fastcgi_loop(w->stop_fd, serve_one, w);
	return NULL;
}

/* Waits for a signal to stop, looking after the connections and showing life once a second. */
static void
wait_for_stop(struct app *app, const sigset_t *signals)
{
	const struct timespec second = { 1, 0 };

	do {
		metrics_beat(app->program);
		pg_pool_tick(app->pool);
	} while (sigtimedwait(signals, NULL, &second) == -1);
}

/* A CGI program, which ends with its request, is never missed. */
static void
tell_running(const char *program)
{
	char labels[METRICS_NAME_SIZE];

	snprintf(labels, sizeof(labels), "program=\"%s\"", program);
	metrics_set(METRIC_PROCESSES, labels, 1);
}

static int
serve_fastcgi(struct app *app, const sigset_t *signals)
{
	size_t n = (size_t)app->conf.worker_threads;
	struct worker *workers = calloc(n, sizeof(*workers));
	int stop_fd = eventfd(0, EFD_CLOEXEC);

	if (workers == NULL || stop_fd == -1 || gateway_fastcgi_init() == -1) {
		log_error("FastCGI cannot be started", LOG_S("error", strerror(errno)));
		free(workers);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < n; i++) {
		worker_init(&workers[i], app, stop_fd);
		if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]) != 0)
			abort();
	}
	tell_running(app->program);
	log_info("started", LOG_I("threads", n));
	wait_for_stop(app, signals);
	/* never read, so every worker sees it */
	(void)!write(stop_fd, &(uint64_t) { 1 }, sizeof(uint64_t));
	for (size_t i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		worker_fini(&workers[i]);
	}
	log_info("stopped");
	close(stop_fd);
	free(workers);
	return EXIT_SUCCESS;
}

static int
serve_cgi(struct app *app)
{
	struct worker w;

	worker_init(&w, app, -1);
	gateway_cgi(serve_one, &w);
	worker_fini(&w);
	return EXIT_SUCCESS;
}

static int
answer_option(const char *option, const char *program, const struct route *routes)
{
	if (strcmp(option, "--routes") != 0)
		return option_answer(option, program, "[--routes | --help | --version]",
		    "A FastCGI program (its listening socket is standard input) or a CGI program,\n"
		    "started by a web server or a supervisor.");
	route_print(program, routes, stdout);
	return EXIT_SUCCESS;
}

static int
app_init(struct app *app, unsigned need)
{
	const unsigned every = CONF_DATABASE | CONF_REDIS | CONF_VERIFY;
	int errors = conf_load(&app->conf, conf_path(), every | need, false, stderr);

	/* what is set is looked at all the same: all errors are told at once */
	if (app->conf.jwt_public_keys[0] != '\0')
		app->tokens = tokens_new(&app->conf, stderr);
	if (app->conf.redis_url[0] != '\0')
		app->redis = redis_new(&app->conf, stderr);
	if (errors > 0 || app->tokens == NULL || app->redis == NULL)
		return -1;
	app->pool = pg_pool_new(&app->conf, app->conf.database_url);
	return 0;
}

static void
app_fini(struct app *app)
{
	pg_pool_free(app->pool);
	redis_free(app->redis);
	tokens_free(app->tokens);
	conf_fini(&app->conf);
}

int
serve(int argc, char **argv, const char *program, unsigned need, const struct route *routes)
{
	struct app app = { .program = program, .routes = routes };
	sigset_t signals;
	int result;

	if (argc > 1)
		return answer_option(argv[1], program, routes);
	if (!gateway_is_fastcgi() && getenv("GATEWAY_INTERFACE") == NULL) {
		fprintf(stderr,
		    "%s: standard input is no listening socket, and this is no CGI request; "
		    "see --help\n",
		    program);
		return 2;
	}
	/* before any thread is made, so that only wait_for_stop() ever sees them */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (app_init(&app, need) == 0) {
		log_open(app.conf.log_dir, program, app.conf.log_level);
		metrics_open(app.conf.run_dir, program);
		metrics_set(METRIC_DB_POOL_SIZE, "", (uint64_t)app.conf.db_pool_size);
		result = gateway_is_fastcgi() ? serve_fastcgi(&app, &signals) : serve_cgi(&app);
	} else {
		result = EXIT_FAILURE;
	}
	app_fini(&app);
	return result;
}
