#include "config.h"

#include "guard.h"

#include "clock.h"
#include "http.h"
#include "metrics.h"
#include "reply.h"
#include "uuid.h"

#include <string.h>

#define ALLOW_HEADERS "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, If-None-Match"
#define EXPOSE_HEADERS \
	"ETag, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, " \
	"X-Request-Id, Idempotent-Replayed"
#define IDEMPOTENCY_KEY_LIMIT 128

void
guard_cors(struct req *r)
{
	const char *origin = req_header(r, "Origin");

	reply_header_always(
	    r, "Vary", route_has_etag(r->route) ? "Authorization, Origin" : "Origin");
	if (origin == NULL || !http_list_has(r->app->conf.cors_allowed_origins, origin))
		return;
	reply_header_always(r, "Access-Control-Allow-Origin", origin);
	reply_header_always(r, "Access-Control-Allow-Credentials", "true");
	reply_header_always(r, "Access-Control-Expose-Headers", EXPOSE_HEADERS);
}

void
guard_preflight(struct req *r, const char *methods)
{
	const char *origin = req_header(r, "Origin");

	if (origin == NULL || !http_list_has(r->app->conf.cors_allowed_origins, origin))
		return;
	reply_header(r, "Access-Control-Allow-Methods", methods);
	reply_header(r, "Access-Control-Allow-Headers", ALLOW_HEADERS);
	reply_header(r, "Access-Control-Max-Age", "3600");
}

void
guard_token(struct req *r)
{
	const char *authorization = req_header(r, "Authorization"), *token;

	if (req_failed(r) || r->route->roles == ROLE_NONE)
		return;
	token = http_bearer(authorization);
	if (token == NULL) {
		req_fail(r, authorization == NULL ? ERR_TOKEN_MISSING : ERR_TOKEN_INVALID);
		return;
	}
	switch (tokens_verify(r->app->tokens, token, clock_wall_us() / CLOCK_SECOND_US, &r->who)) {
	case TOKEN_OK:
		break;
	case TOKEN_OLD:
		req_fail(r, ERR_TOKEN_EXPIRED);
		return;
	case TOKEN_BAD:
		req_fail(r, ERR_TOKEN_INVALID);
		return;
	}
	if ((r->route->roles & r->who.role) == 0)
		req_fail(r, ERR_FORBIDDEN);
}

void
guard_idempotency_key(struct req *r)
{
	const char *key = req_header(r, "Idempotency-Key");
	size_t n = key != NULL ? strlen(key) : 0;

	if (req_failed(r) || (r->route->flags & RT_IDEMPOTENT) == 0)
		return;
	r->own_key = key == NULL;
	r->idempotency_key = key != NULL ? key : uuid_new(r->arena);
	if (key == NULL)
		return;
	for (const char *p = key; *p != '\0'; p++)
		if (*p < '!' || *p > '~')
			n = 0;
	if (n < 1 || n > IDEMPOTENCY_KEY_LIMIT)
		req_fail_field(r, "Idempotency-Key", "must be 1 to 128 visible ASCII characters");
}

static void
rate_limit(struct req *r)
{
	const struct redis_answer *a = &r->redis_answer;
	long long limit = (long long)r->app->conf.rate_limit_per_minute;

	if (!a->there || limit == 0)
		return;
	reply_header(r, "RateLimit-Limit", arena_printf(r->arena, "%lld", limit));
	reply_header(
	    r, "RateLimit-Remaining", arena_printf(r->arena, "%lld", (long long)a->remaining));
	reply_header(r, "RateLimit-Reset", arena_printf(r->arena, "%lld", (long long)a->reset_s));
	if (!a->limited)
		return;
	metrics_add(METRIC_RATE_LIMITED, "", 1);
	req_fail_retry(r, ERR_RATE_LIMITED, a->reset_s > 0 ? a->reset_s : 1);
}

void
guard_redis(struct req *r)
{
	if (req_failed(r) || r->who.role == ROLE_NONE)
		return;
	r->ask.subject = r->who.subject;
	if (r->route->cached != NULL) {
		r->ask.store_id = r->who.store_id;
		r->ask.jti = r->who.jti;
		r->ask.kind = r->route->cached;
		r->ask.what =
		    arena_printf(r->arena, "%s?%s", r->path, r->query != NULL ? r->query : "");
	}
	r->redis_answer = redis_ask(r->redis, r->arena, &r->ask);
	rate_limit(r);
}

const char *
guard_address(struct req *r)
{
	const char *address = r->gateway->param(r->gateway->self, "REMOTE_ADDR");
	const char *trusted = r->app->conf.trusted_proxies;
	const char *forwarded = req_header(r, "X-Forwarded-For");
	size_t n = forwarded != NULL ? strlen(forwarded) : 0;

	if (address == NULL)
		return "0.0.0.0";
	/* from the right: each proxy has added whom it saw */
	while (n > 0 && http_address_in(trusted, address)) {
		size_t start = n;

		while (start > 0 && forwarded[start - 1] != ',')
			start--;
		while (start < n && forwarded[start] == ' ')
			start++;
		address = arena_strndup(r->arena, forwarded + start, n - start);
		while (n > 0 && forwarded[n - 1] != ',')
			n--;
		n -= n > 0;
	}
	return http_is_address(address) ? address : "0.0.0.0";
}
