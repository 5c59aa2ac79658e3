#include "config.h"

#include "redis.h"

#include "clock.h"
#include "http.h"
#include "metrics.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 100
#define LEFT_ALONE_US CLOCK_SECOND_US
#define WINDOW_MS "60000"
/* of what follows redis://, so that no part of it can be cut */
#define AUTHORITY_SIZE 512

/*
 * Rate limit: a sorted set of the requests of the last minute; a refused one is not counted, so
 * a client that waits Retry-After is let in; nor is one of the future, from before the clock was
 * set back. Answer: limited, remaining, reset in ms, token agreed
 * to, generation of tokens, generation of values, value.
 */
static const char script[] =
    "local limited, remaining, reset = 0, 0, 0\n"
    "local limit = tonumber(ARGV[1])\n"
    "if KEYS[1] ~= '' and limit > 0 then\n"
    "  local t = redis.call('TIME')\n"
    "  local now, window = t[1] * 1000 + math.floor(t[2] / 1000), " WINDOW_MS "\n"
    "  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)\n"
    "  redis.call('ZREMRANGEBYSCORE', KEYS[1], now + 1000, '+inf')\n"
    "  local used = redis.call('ZCARD', KEYS[1])\n"
    "  if used >= limit then limited = 1 else\n"
    "    redis.call('ZADD', KEYS[1], now, t[1] .. '.' .. t[2] .. '.' .. ARGV[2])\n"
    "    redis.call('PEXPIRE', KEYS[1], window)\n"
    "    used = used + 1\n"
    "  end\n"
    "  remaining = limit - used\n"
    "  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')\n"
    "  reset = oldest[2] + window - now\n"
    "end\n"
    "if ARGV[3] == '' then return {limited, remaining, reset} end\n"
    "local auth = tonumber(redis.call('GET', 'gen:auth:' .. ARGV[3]) or 0)\n"
    "local gen = tonumber(redis.call('GET', 'gen:' .. ARGV[5] .. ':' .. ARGV[3]) or 0)\n"
    "local agreed = redis.call('EXISTS', 'auth:' .. ARGV[3] .. ':' .. auth .. ':' .. ARGV[4])\n"
    "local value = redis.call('GET', 'cache:' .. ARGV[3] .. ':' .. gen .. ':' .. ARGV[6])\n"
    "return {limited, remaining, reset, agreed, auth, gen, value}\n";

struct redis {
	const struct conf *conf;
	char host[AUTHORITY_SIZE];
	int port; /* 0: host is a socket's path */
	char password[AUTHORITY_SIZE];
	int64_t database;
	_Atomic int64_t alone_until_us;
	_Atomic uint64_t serial;
};

struct redis_link {
	struct redis *shared;
	redisContext *context;
	char sha[48];
	char why[128]; /* it was given up last */
	bool closed;   /* it was given up because Redis had closed it: no time was lost */
};

/* text with its %XX undone; false when that cannot be, or does not fit. */
static bool
decode(char out[AUTHORITY_SIZE], const char *text)
{
	struct arena *a = arena_new(2 * AUTHORITY_SIZE);
	const char *decoded = http_percent_decode(a, text, strlen(text), false);
	bool fits = decoded != NULL && strlen(decoded) < AUTHORITY_SIZE;

	if (fits)
		strcpy(out, decoded);
	arena_free(a);
	return fits;
}

/* host, host:port, [address] or [address]:port; the brackets are no part of the address. */
static int
parse_place(struct redis *s, char *host)
{
	char *end = *host == '[' ? strchr(host, ']') : NULL;
	char *colon = strrchr(end != NULL ? end : host, ':');

	if (*host == '[' && (end == NULL || (end[1] != '\0' && end[1] != ':')))
		return -1;
	s->port = 6379;
	if (colon != NULL) {
		*colon = '\0';
		s->port = (int)http_number(colon + 1, 1, 65535);
	}
	if (end != NULL) {
		*end = '\0';
		host++;
	}
	snprintf(s->host, sizeof(s->host), "%s", host);
	return s->host[0] != '\0' && s->port > 0 ? 0 : -1;
}

static int
parse_authority(struct redis *s, char *authority)
{
	char *at = strrchr(authority, '@'), *host = authority, *colon, *slash;

	if (at != NULL) {
		*at = '\0';
		host = at + 1;
		colon = strchr(authority, ':');
		if (!decode(s->password, colon != NULL ? colon + 1 : authority))
			return -1;
	}
	slash = strchr(host, '/');
	if (slash != NULL) {
		*slash = '\0';
		s->database = slash[1] != '\0' ? http_number(slash + 1, 0, 1000) : 0;
	}
	return s->database >= 0 ? parse_place(s, host) : -1;
}

struct redis *
redis_new(const struct conf *c, FILE *err)
{
	struct redis *s = calloc(1, sizeof(*s));
	const char *url = c->redis_url;
	char authority[AUTHORITY_SIZE];
	int bad = -1;

	if (s == NULL)
		abort();
	s->conf = c;
	if (strncmp(url, "unix:/", 6) == 0 && strlen(url) < sizeof(s->host)) {
		snprintf(s->host, sizeof(s->host), "%s", url + 5);
		bad = 0;
	} else if (strncmp(url, "redis://", 8) == 0 && strlen(url) < sizeof(authority)) {
		snprintf(authority, sizeof(authority), "%s", url + 8);
		bad = parse_authority(s, authority);
	}
	if (bad == -1) {
		fprintf(err,
		    "REDIS_URL: must be redis://[:password@]host[:port][/database] or "
		    "unix:/path\n");
		free(s);
		return NULL;
	}
	return s;
}

void
redis_free(struct redis *shared)
{
	free(shared);
}

struct redis_link *
redis_link_new(struct redis *shared)
{
	struct redis_link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->shared = shared;
	return l;
}

static void
disconnect(struct redis_link *l)
{
	if (l->context != NULL)
		redisFree(l->context);
	l->context = NULL;
}

void
redis_link_free(struct redis_link *l)
{
	if (l == NULL)
		return;
	disconnect(l);
	free(l);
}

/* Leaves Redis alone for a while, telling why once. */
static void
give_up(struct redis_link *l, const char *why)
{
	struct redis *s = l->shared;
	int64_t now_us = clock_mono_us();
	int64_t before = atomic_exchange(&s->alone_until_us, now_us + LEFT_ALONE_US);

	if (before < now_us)
		log_warning("redis is away; requests pass without rate limit and cache",
		    LOG_S("redis", s->host), LOG_S("error", why));
	metrics_add(METRIC_REDIS_FAILURES, "", 1);
	snprintf(l->why, sizeof(l->why), "%s", why);
	disconnect(l);
}

static redisReply *
answer_of(struct redis_link *l)
{
	void *reply = NULL;

	if (redisGetReply(l->context, &reply) != REDIS_OK) {
		l->closed = l->context->err != REDIS_ERR_IO || errno != EAGAIN;
		give_up(l, l->context->errstr);
		return NULL;
	}
	return reply;
}

static redisContext *
dial(const struct redis *s)
{
	struct timeval timeout = { 0, TIMEOUT_MS * 1000 };

	if (s->port == 0)
		return redisConnectUnixWithTimeout(s->host, timeout);
	return redisConnectWithTimeout(s->host, s->port, timeout);
}

/* Authenticates, selects, loads the script: one round trip at a connection's start. */
static bool
greet(struct redis_link *l)
{
	const struct redis *s = l->shared;
	char refusal[128] = "";
	int replies = 0;

	if (s->password[0] != '\0' && ++replies)
		redisAppendCommand(l->context, "AUTH %s", s->password);
	if (s->database != 0 && ++replies)
		redisAppendCommand(l->context, "SELECT %lld", (long long)s->database);
	redisAppendCommand(l->context, "SCRIPT LOAD %s", script);
	for (; replies >= 0; replies--) {
		redisReply *r = answer_of(l);

		if (r == NULL)
			return false;
		if (r->type == REDIS_REPLY_ERROR && refusal[0] == '\0')
			snprintf(refusal, sizeof(refusal), "%s", r->str);
		else if (replies == 0 && r->type == REDIS_REPLY_STRING)
			snprintf(l->sha, sizeof(l->sha), "%s", r->str);
		freeReplyObject(r);
	}
	if (refusal[0] == '\0')
		return true;
	log_error("redis refused", LOG_S("redis", s->host), LOG_S("error", refusal));
	give_up(l, refusal);
	return false;
}

static bool
linked(struct redis_link *l)
{
	struct timeval timeout = { 0, TIMEOUT_MS * 1000 };

	if (l->context != NULL)
		return true;
	l->context = dial(l->shared);
	if (l->context == NULL)
		abort();
	if (l->context->err != 0 || redisSetTimeout(l->context, timeout) != REDIS_OK) {
		give_up(l, l->context->errstr);
		return false;
	}
	return greet(l);
}

static bool
connected(struct redis_link *l)
{
	return clock_mono_us() >= l->shared->alone_until_us && linked(l);
}

static int64_t
number(const redisReply *r, size_t i)
{
	return i < r->elements && r->element[i]->type == REDIS_REPLY_INTEGER
	    ? r->element[i]->integer
	    : 0;
}

static struct redis_answer
read_answer(const redisReply *r, struct arena *a)
{
	struct redis_answer answer = {
		.there = true,
		.limited = number(r, 0) != 0,
		.remaining = number(r, 1),
		.reset_s = (number(r, 2) + 999) / 1000,
		.agreed = number(r, 3) != 0,
		.auth_gen = number(r, 4),
		.value_gen = number(r, 5),
	};

	if (r->elements > 6 && r->element[6]->type == REDIS_REPLY_STRING) {
		answer.value_len = (size_t)r->element[6]->len;
		answer.value = arena_strndup(a, r->element[6]->str, answer.value_len);
	}
	return answer;
}

/* A new connection in place of one that was kept: a restarted Redis has closed that. */
static bool
renewed(struct redis_link *l)
{
	disconnect(l);
	l->shared->alone_until_us = 0;
	return connected(l);
}

static redisReply *
run_script(struct redis_link *l, const struct redis_ask *ask)
{
	struct redis *s = l->shared;
	char rate_key[128] = "";

	if (ask->subject != NULL)
		snprintf(rate_key, sizeof(rate_key), "rate:%s", ask->subject);
	redisAppendCommand(l->context, "EVALSHA %s 1 %s %lld %llu %s %s %s %s", l->sha, rate_key,
	    (long long)s->conf->rate_limit_per_minute, (unsigned long long)s->serial++,
	    ask->what != NULL ? ask->store_id : "", ask->what != NULL ? ask->jti : "",
	    ask->what != NULL ? ask->kind : "", ask->what != NULL ? ask->what : "");
	return answer_of(l);
}

struct redis_answer
redis_ask(struct redis_link *l, struct arena *a, const struct redis_ask *ask)
{
	struct redis_answer answer = { 0 };
	bool kept = l->context != NULL;
	redisReply *r;

	if ((ask->subject == NULL || l->shared->conf->rate_limit_per_minute == 0) &&
	    ask->what == NULL)
		return answer;
	if (!connected(l))
		return answer;
	r = run_script(l, ask);
	/* or that has lost the script */
	if (kept && (r != NULL ? r->type == REDIS_REPLY_ERROR : l->closed)) {
		freeReplyObject(r);
		if (!renewed(l))
			return answer;
		r = run_script(l, ask);
	}
	if (r == NULL)
		return answer;
	if (r->type == REDIS_REPLY_ARRAY)
		answer = read_answer(r, a);
	else
		give_up(l, r->type == REDIS_REPLY_ERROR ? r->str : "unexpected answer");
	freeReplyObject(r);
	return answer;
}

/* Reads and forgets n answers. */
static void
settle(struct redis_link *l, int n)
{
	for (; n > 0; n--) {
		redisReply *r = answer_of(l);

		if (r == NULL)
			return;
		freeReplyObject(r);
	}
}

void
redis_fill(struct redis_link *l, const struct redis_ask *ask, const struct redis_answer *answer,
    const char *value, size_t value_len)
{
	long long ttl = (long long)l->shared->conf->cache_ttl_seconds;

	if (!answer->there || !connected(l))
		return;
	redisAppendCommand(l->context, "SET auth:%s:%lld:%s 1 EX %lld", ask->store_id,
	    (long long)answer->auth_gen, ask->jti, ttl);
	redisAppendCommand(l->context, "SET cache:%s:%lld:%s %b EX %lld", ask->store_id,
	    (long long)answer->value_gen, ask->what, value, value_len, ttl);
	settle(l, 2);
}

static redisReply *
raise_generation(struct redis_link *l, const char *kind, const char *store_id)
{
	redisAppendCommand(l->context, "INCR gen:%s:%s", kind, store_id);
	return answer_of(l);
}

void
redis_void(struct redis_link *l, const char *kind, const char *store_id)
{
	bool kept = l->context != NULL;
	redisReply *r;

	/* also while it is left alone: what is not voided now is shown for CACHE_TTL_SECONDS */
	if (!linked(l))
		return;
	r = raise_generation(l, kind, store_id);
	if (r == NULL && kept && l->closed && renewed(l))
		r = raise_generation(l, kind, store_id);
	freeReplyObject(r);
}

bool
redis_ping(struct redis_link *l, char *error, size_t size)
{
	redisReply *r;
	bool ok;

	if (!renewed(l)) {
		snprintf(error, size, "%s does not answer: %s", l->shared->host, l->why);
		return false;
	}
	redisAppendCommand(l->context, "PING");
	r = answer_of(l);
	ok = r != NULL && r->type == REDIS_REPLY_STATUS;
	if (!ok)
		snprintf(error, size, "%s does not answer a PING", l->shared->host);
	freeReplyObject(r);
	return ok;
}

bool
redis_info(struct redis_link *l, const char *section, char *text, size_t size)
{
	redisReply *r;
	bool ok;

	if (!connected(l))
		return false;
	redisAppendCommand(l->context, "INFO %s", section);
	r = answer_of(l);
	ok = r != NULL && r->type == REDIS_REPLY_STRING;
	if (ok)
		snprintf(text, size, "%s", r->str);
	freeReplyObject(r);
	return ok;
}
