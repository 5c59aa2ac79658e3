/* doctor: Redis, RabbitMQ, and what the web server shows to a guest. */
#include "config.h"

#include "doctor.h"

#include "arena.h"
#include "bus.h"
#include "clock.h"
#include "redis.h"
#include "token.h"
#include "uuid.h"

#include "sql/doctor.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUS_MS 5000
/* Redis gets what the services give it, 100 ms, but as often as that takes. */
#define REDIS_TRIES_US (3 * CLOCK_SECOND_US)
#define HTTP_SECONDS 6L
#define STREAM_PATH "/api/admin/orders/stream"
/* As long as the look at the stream may last, and more than clocks of one host differ. */
#define TOKEN_SECONDS 30
#define CERTIFICATE_WARNING_DAYS 21
#define CERTIFICATE_FAILED_DAYS 7

/* --- Redis and RabbitMQ ------------------------------------------------------------------------
 */

static struct redis_link *
connect_redis(const struct doctor *d, struct finding *f)
{
	int64_t deadline_us = clock_mono_us() + REDIS_TRIES_US;
	char wrong[300] = "";
	FILE *err = fmemopen(wrong, sizeof(wrong), "w");
	struct redis *shared = err != NULL ? redis_new(d->conf, err) : NULL;
	struct redis_link *l;

	if (err != NULL)
		fclose(err);
	if (shared == NULL) {
		doctor_say(f, SEEN_FAILED, "%.*s", (int)strcspn(wrong, "\n"), wrong);
		return NULL;
	}
	l = redis_link_new(shared);
	while (!redis_ping(l, wrong, sizeof(wrong))) {
		if (clock_mono_us() > deadline_us) {
			doctor_say(f, SEEN_FAILED, "%s", wrong);
			return NULL;
		}
		clock_wait_us(CLOCK_SECOND_US / 10);
	}
	return l;
}

void
look_redis(const struct doctor *d, struct finding *f)
{
	int64_t start_us = clock_mono_us();

	if (connect_redis(d, f) != NULL)
		doctor_say(f, SEEN_OK, "answers, after %" PRId64 " ms",
		    (clock_mono_us() - start_us + 500) / 1000);
}

/* The value of a line "name:value\r\n" of INFO's answer, cut off there. */
static const char *
info_value(char *text, const char *name)
{
	char *p = strstr(text, name);

	if (p == NULL)
		return "";
	p += strlen(name);
	p[strcspn(p, "\r\n")] = '\0';
	return p;
}

void
look_redis_memory(const struct doctor *d, struct finding *f)
{
	struct redis_link *l = connect_redis(d, f);
	char text[16 << 10], again[sizeof(text)];
	const char *policy;
	long long limit;

	if (l == NULL)
		return;
	if (!redis_info(l, "memory", text, sizeof(text))) {
		doctor_say(f, SEEN_SKIPPED, "Redis does not tell: INFO is refused");
		doctor_remedy(f, "look at maxmemory and maxmemory-policy in redis.conf");
		return;
	}
	memcpy(again, text, sizeof(text));
	limit = strtoll(info_value(text, "\nmaxmemory:"), NULL, 10);
	policy = info_value(again, "\nmaxmemory_policy:");
	if (limit == 0)
		doctor_say(f, SEEN_WARNING, "no limit: it grows as long as the host has memory");
	else if (strcmp(policy, "noeviction") == 0)
		doctor_say(f, SEEN_WARNING, "noeviction: once it is full, it takes nothing more");
	else
		doctor_say(f, SEEN_OK, "%s at %lld MB", policy, limit >> 20);
}

void
look_rabbitmq(const struct doctor *d, struct finding *f)
{
	char error[BUS_ERROR_SIZE] = "";

	if (bus_check(d->conf->rabbitmq_url, BUS_MS, error, sizeof(error)) == 0)
		doctor_say(f, SEEN_OK, "lets us in");
	else
		doctor_say(f, SEEN_FAILED, "%s", error);
}

void
look_exchange(const struct doctor *d, struct finding *f)
{
	char error[BUS_ERROR_SIZE] = "";

	if (bus_check_exchange(d->conf->rabbitmq_url, BUS_MS, error, sizeof(error)) == 0)
		doctor_say(f, SEEN_OK, "%s is there", BUS_EXCHANGE);
	else
		doctor_say(f, SEEN_FAILED, "%s: %s", BUS_EXCHANGE, error);
}

/* --- HTTP --------------------------------------------------------------------------------------
 */

struct http_get {
	const char *url;
	const char *unix_path; /* connect there instead; NULL */
	const char *token;     /* NULL: none */
	const char *until;     /* the answer may end behind this; NULL: it ends by itself */
	/* set by get() */
	long status; /* 0: none came */
	char body[8192];
	size_t size;
	char error[CURL_ERROR_SIZE];
};

static size_t
take_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct http_get *g = arg;
	size_t room = sizeof(g->body) - 1 - g->size, took = n < room ? n : room;

	(void)one;
	memcpy(g->body + g->size, bytes, took);
	g->size += took;
	return g->until != NULL && strstr(g->body, g->until) != NULL ? 0 : n;
}

/* The handle is the caller's, with what is particular about it. Returns whether an answer came. */
static bool
get(CURL *curl, struct http_get *g)
{
	struct curl_slist *headers = NULL;
	char authorization[4200];
	CURLcode result;

	if (g->token != NULL) {
		snprintf(
		    authorization, sizeof(authorization), "Authorization: Bearer %s", g->token);
		headers = curl_slist_append(headers, authorization);
	}
	curl_easy_setopt(curl, CURLOPT_URL, g->url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, g->unix_path);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "orderctl/" PACKAGE_VERSION);
	/* a proxy of the operator's is not on the guests' way */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, HTTP_SECONDS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, g->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, g);
	result = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &g->status);
	curl_slist_free_all(headers);
	if (g->error[0] == '\0')
		snprintf(g->error, sizeof(g->error), "%s", curl_easy_strerror(result));
	return result == CURLE_OK ||
	    (result == CURLE_WRITE_ERROR && g->until != NULL && strstr(g->body, g->until) != NULL);
}

/* PUBLIC_URL and the path behind it. */
static const char *
public_path(const struct doctor *d, const char *path)
{
	static char url[1024];
	size_t n = strlen(d->conf->public_url);

	if (n > 0 && d->conf->public_url[n - 1] == '/')
		n--;
	snprintf(url, sizeof(url), "%.*s%s", (int)n, d->conf->public_url, path);
	return url;
}

static bool
is_https(const struct doctor *d)
{
	return strncmp(d->conf->public_url, "https://", 8) == 0;
}

static CURL *
new_curl(struct finding *f)
{
	/* a certificate that the operator trusts, as curl(1) takes it */
	const char *trusted = getenv("SSL_CERT_FILE");
	CURL *curl = curl_easy_init();

	if (curl == NULL)
		doctor_say(f, SEEN_FAILED, "libcurl does not start");
	else if (trusted != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, trusted);
	return curl;
}

static const char *
member(json_object *o, const char *name)
{
	json_object *v = json_object_object_get(o, name);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

void
look_public_url(const struct doctor *d, struct finding *f)
{
	struct http_get g = { .url = public_path(d, "/health") };
	CURL *curl = new_curl(f);
	json_object *health;
	const char *state;

	if (curl == NULL)
		return;
	if (!get(curl, &g)) {
		doctor_say(f, SEEN_FAILED, "%s: %s", g.url, g.error);
		if (is_https(d))
			doctor_remedy(f,
			    "start the web server, or correct PUBLIC_URL; a certificate of your "
			    "own is trusted here with SSL_CERT_FILE=FILE in the environment");
		return;
	}
	health = json_tokener_parse(g.body);
	state = member(health, "status");
	if (*state == '\0') {
		doctor_say(
		    f, SEEN_FAILED, "%s: %ld, and not from table-order's status", g.url, g.status);
		return;
	}
	doctor_say(f,
	    strcmp(state, "up") == 0             ? SEEN_OK
		: strcmp(state, "degraded") == 0 ? SEEN_WARNING
						 : SEEN_FAILED,
	    "%s: %s", g.url, state);
	if (f->outcome != SEEN_OK)
		doctor_remedy(f, "see database, redis and rabbitmq");
	if (strcmp(member(health, "version"), PACKAGE_VERSION) != 0) {
		doctor_say(f, SEEN_WARNING, "it answers as version %s, this is " PACKAGE_VERSION,
		    member(health, "version"));
		doctor_remedy(f, "restart the program status; see programs");
	}
}

/* --- TLS ---------------------------------------------------------------------------------------
 */

/* Days until the server's certificate expires; false when it did not show one. */
static bool
days_left(CURL *curl, int *days)
{
	struct curl_certinfo *info = NULL;
	X509 *certificate = NULL;
	int seconds;

	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL ||
	    info->num_of_certs < 1)
		return false;
	for (struct curl_slist *s = info->certinfo[0]; s != NULL; s = s->next) {
		const char *pem = strncmp(s->data, "Cert:", 5) == 0 ? s->data + 5 : NULL;
		BIO *in = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;

		if (in != NULL)
			certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
		BIO_free(in);
	}
	return certificate != NULL &&
	    ASN1_TIME_diff(days, &seconds, NULL, X509_get0_notAfter(certificate)) == 1;
}

/* Whether the server talks TLS 1.1 or older. */
static bool
takes_old_tls(const struct doctor *d, struct finding *f)
{
	struct http_get g = { .url = public_path(d, "/health") };
	CURL *curl = new_curl(f);

	if (curl == NULL)
		return false;
	/* our own side forbids it otherwise */
	curl_easy_setopt(curl, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_0 | (long)CURL_SSLVERSION_MAX_TLSv1_1);
	curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	return get(curl, &g);
}

static void
look_https(const struct doctor *d, struct finding *f)
{
	struct http_get g = { .url = public_path(d, "/health") };
	CURL *curl = new_curl(f);
	int days;

	if (curl == NULL)
		return;
	/* whether it is trusted is told by public-url; here an expired one is to be seen, too */
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!get(curl, &g) || !days_left(curl, &days)) {
		doctor_say(f, SEEN_FAILED, "no TLS 1.2 or newer: %s", g.error);
		doctor_remedy(f, "have the web server speak TLS 1.2 and 1.3 (" PAGE("tls") ")");
		return;
	}
	doctor_say(f,
	    days < CERTIFICATE_FAILED_DAYS        ? SEEN_FAILED
		: days < CERTIFICATE_WARNING_DAYS ? SEEN_WARNING
						  : SEEN_OK,
	    "the certificate holds for %d days", days);
	if (takes_old_tls(d, f)) {
		doctor_say(f, SEEN_FAILED, "TLS 1.1 or older is taken");
		doctor_remedy(f, "allow TLS 1.2 and 1.3 only in the web server (" PAGE("tls") ")");
	}
}

static bool
is_loopback(const char *url)
{
	return strncmp(url, "http://localhost", 16) == 0 || strncmp(url, "http://127.", 11) == 0 ||
	    strncmp(url, "http://[::1]", 12) == 0;
}

void
look_tls(const struct doctor *d, struct finding *f)
{
	if (is_https(d)) {
		look_https(d, f);
	} else if (is_loopback(d->conf->public_url)) {
		doctor_say(f, SEEN_SKIPPED, "PUBLIC_URL is http on this host");
		doctor_remedy(f, "for guests, PUBLIC_URL must be https (" PAGE("tls") ")");
	} else {
		doctor_say(
		    f, SEEN_WARNING, "PUBLIC_URL is http: passwords cross the network openly");
		doctor_remedy(f, "serve https, and make PUBLIC_URL https (" PAGE("tls") ")");
	}
}

/* --- streams -----------------------------------------------------------------------------------
 */

void
look_relay(const struct doctor *d, struct finding *f)
{
	const char *listen = d->conf->sse_listen;
	bool is_unix = strncmp(listen, "unix:", 5) == 0;
	CURL *curl = new_curl(f);
	struct http_get g = { .unix_path = is_unix ? listen + 5 : NULL };
	char url[512];

	if (curl == NULL)
		return;
	snprintf(url, sizeof(url), "http://%s" STREAM_PATH, is_unix ? "table-order-relay" : listen);
	g.url = url;
	if (!get(curl, &g))
		doctor_say(f, SEEN_FAILED, "%s: %s", listen, g.error);
	else if (g.status != 401)
		doctor_say(
		    f, SEEN_FAILED, "%s: %ld for a request without a token", listen, g.status);
	else
		doctor_say(f, SEEN_OK, "answers at %s", listen);
}

/* A token of half a minute for a store's admin, since nobody else has a stream; NULL when that was
 * not to be had, which has been said. */
static const char *
mint_token(const struct doctor *d, struct finding *f)
{
	struct arena *a = arena_new(16 << 10);
	struct claims c = { .role = ROLE_STORE_ADMIN, .iat = time(NULL) };
	PGconn *db = doctor_connect("DATABASE_OWNER_URL", d->conf->database_owner_url, f);
	PGresult *r = db != NULL ? doctor_row(db, &SQL_DOCTOR_STORE_ADMIN, NULL, f) : NULL;
	struct tokens *t;

	if (r == NULL)
		return NULL;
	if (PQntuples(r) == 0) {
		doctor_say(f, SEEN_SKIPPED, "no store has an active admin yet");
		doctor_remedy(f, "look again when there is a store with an admin");
		return NULL;
	}
	snprintf(c.subject, sizeof(c.subject), "admin:%s", PQgetvalue(r, 0, 0));
	snprintf(c.store_id, sizeof(c.store_id), "%s", PQgetvalue(r, 0, 1));
	c.account_id = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	c.gen = strtoll(PQgetvalue(r, 0, 2), NULL, 10);
	c.exp = c.iat + TOKEN_SECONDS;
	memcpy(c.jti, uuid_new(a), UUID_LENGTH + 1);
	t = tokens_new(d->conf, stderr);
	return t != NULL ? tokens_sign(t, a, &c) : NULL;
}

void
look_stream(const struct doctor *d, struct finding *f)
{
	/* the relay begins with an id; the web server's page for a relay that is away has none */
	struct http_get g = { .url = public_path(d, STREAM_PATH), .until = "id: " };
	int64_t start_us;
	CURL *curl = new_curl(f);

	g.token = curl != NULL ? mint_token(d, f) : NULL;
	if (g.token == NULL) {
		if (f->outcome == SEEN_NOTHING)
			doctor_say(f, SEEN_FAILED, "no token could be signed");
		return;
	}
	start_us = clock_mono_us();
	if (get(curl, &g) && g.status == 200 && strstr(g.body, g.until) != NULL)
		doctor_say(f, SEEN_OK, "the first byte came after %" PRId64 " ms",
		    (clock_mono_us() - start_us + 500) / 1000);
	else if (g.status == 200 && g.size == 0)
		doctor_say(f, SEEN_FAILED, "%s: nothing came in %ld s", g.url, HTTP_SECONDS);
	else if (g.status == 200)
		doctor_say(f, SEEN_FAILED, "%s: the relay, or its database, is away", g.url);
	else
		doctor_say(
		    f, SEEN_FAILED, "%s: %ld %s", g.url, g.status, g.status == 0 ? g.error : "");
}
