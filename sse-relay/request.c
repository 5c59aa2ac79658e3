#include "config.h"

#include "request.h"

#include "eventlog.h"
#include "http.h"
#include "json.h"

#include <string.h>

static const struct {
	const char *path;
	enum role role;
	const char *cookie;
} routes[] = {
	{ "/api/admin/orders/stream", ROLE_STORE_ADMIN, "table_order_admin_stream" },
	{ "/api/customer/orders/stream", ROLE_TABLE, "table_order_customer_stream" },
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

void
request_print_routes(FILE *out)
{
	for (size_t i = 0; i < ROUTE_COUNT; i++)
		fprintf(out, "GET\t%s\tsse-relay\t%s\tstream\n", routes[i].path,
		    role_name(routes[i].role));
}

/* A page cannot set EventSource's headers: hence the cookie. */
static enum error_code
check_token(const struct head *h, const char *cookie, struct tokens *tokens, struct arena *scratch,
    int64_t now_s, struct claims *who)
{
	const char *token;

	if (h->authorization != NULL)
		token = http_bearer(h->authorization);
	else if (h->cookie == NULL || (token = http_cookie_get(scratch, h->cookie, cookie)) == NULL)
		return ERR_TOKEN_MISSING;
	if (token == NULL)
		return ERR_TOKEN_INVALID;
	switch (tokens_verify(tokens, token, now_s, who)) {
	case TOKEN_OK:
		return ERR_NONE;
	case TOKEN_OLD:
		return ERR_TOKEN_EXPIRED;
	default:
		return ERR_TOKEN_INVALID;
	}
}

static int64_t
read_cursor(const struct head *h, struct arena *scratch)
{
	const char *text = h->last_event_id;

	if (text == NULL || *text == '\0') {
		int found = http_query_get(scratch, h->query, "last_event_id", &text);

		if (found != 1)
			return found == 0 ? CURSOR_NONE : CURSOR_BAD;
	}
	return http_number(text, 0, JSON_INT_MAX);
}

enum error_code
request_check(const struct head *h, struct tokens *tokens, struct arena *scratch, int64_t now_s,
    struct request *out)
{
	enum error_code error;
	size_t i = 0;

	while (i < ROUTE_COUNT && strcmp(routes[i].path, h->path) != 0)
		i++;
	if (i == ROUTE_COUNT)
		return ERR_NOT_FOUND;
	if (strcmp(h->method, "GET") != 0)
		return ERR_METHOD_NOT_ALLOWED;
	error = check_token(h, routes[i].cookie, tokens, scratch, now_s, &out->who);
	if (error != ERR_NONE)
		return error;
	if (out->who.role != routes[i].role)
		return ERR_FORBIDDEN;
	/* they go into statements as parts of lists */
	if (!http_is_uuid(out->who.jti) || !http_is_uuid(out->who.store_id))
		return ERR_TOKEN_INVALID;
	out->cursor = read_cursor(h, scratch);
	return ERR_NONE;
}
