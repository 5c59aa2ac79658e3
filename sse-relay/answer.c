#include "config.h"

#include "answer.h"

#include "http.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define RETRY "retry: 2000\n\n"
#define SECURITY_HEADERS \
	"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n" \
	"Referrer-Policy: no-referrer\r\n" \
	"X-Content-Type-Options: nosniff\r\n" \
	"X-Frame-Options: DENY\r\n"
#define COMMON_SIZE 1400

static bool
is_request_id(const char *s)
{
	size_t n = s != NULL ? strspn(s,
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789._-")
			     : 0;

	return n >= 1 && n <= 64 && s[n] == '\0';
}

void
asker_init(struct asker *a, const struct head *h, const char *allowed_origins)
{
	unsigned char random[16] = { 0 };

	memset(a, 0, sizeof(*a));
	a->lang = http_language(h->accept_language);
	if (h->origin != NULL && strlen(h->origin) < sizeof(a->origin) &&
	    http_list_has(allowed_origins, h->origin))
		memcpy(a->origin, h->origin, strlen(h->origin) + 1);
	if (is_request_id(h->request_id)) {
		memcpy(a->request_id, h->request_id, strlen(h->request_id) + 1);
		return;
	}
	(void)!getrandom(random, sizeof(random), 0);
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(a->request_id + 2 * i, 3, "%02x", random[i]);
}

/* The headers that every answer has. */
static const char *
common(const struct asker *a, char text[COMMON_SIZE])
{
	int n = snprintf(text, COMMON_SIZE,
	    "Cache-Control: no-store\r\nConnection: close\r\nVary: Origin\r\nX-Request-Id: "
	    "%s\r\n" SECURITY_HEADERS,
	    a->request_id);

	if (a->origin[0] != '\0')
		snprintf(text + n, COMMON_SIZE - (size_t)n,
		    "Access-Control-Allow-Origin: %s\r\n"
		    "Access-Control-Allow-Credentials: true\r\n"
		    "Access-Control-Expose-Headers: X-Request-Id\r\n",
		    a->origin);
	return text;
}

static const char *
reason_of(int status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	default:
		return "Error";
	}
}

static const char *
special_header(enum error_code code)
{
	switch (code) {
	case ERR_TOKEN_MISSING:
		return "WWW-Authenticate: Bearer\r\n";
	case ERR_TOKEN_EXPIRED:
	case ERR_TOKEN_INVALID:
		return "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
	case ERR_METHOD_NOT_ALLOWED:
		return "Allow: GET, OPTIONS\r\n";
	default:
		return "";
	}
}

struct frame *
answer_error(const struct asker *a, enum error_code code, int with_body)
{
	char headers[COMMON_SIZE], body[1024];
	int status = error_status(code);
	/* none of the texts needs escaping */
	int n = snprintf(body, sizeof(body),
	    "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"request_id\":\"%s\"}}",
	    error_name(code), error_message(code, a->lang), a->request_id);

	return frame_printf("HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
			    "Content-Length: %d\r\n%s%s\r\n%s",
	    status, reason_of(status), n, special_header(code), common(a, headers),
	    with_body ? body : "");
}

/* The answer's end is the connection's: no length is told. */
#define STREAM_HEAD \
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: " \
	"no\r\n%s\r\n" RETRY

struct frame *
answer_stream(const struct asker *a, int64_t cursor)
{
	char headers[COMMON_SIZE];

	return frame_printf(STREAM_HEAD "id: %lld\n\n", common(a, headers), (long long)cursor);
}

struct frame *
answer_reset(const struct asker *a, int64_t current)
{
	char headers[COMMON_SIZE];
	long long id = (long long)current;

	return frame_printf(STREAM_HEAD
	    "id: %lld\n\nid: %lld\nevent: reset\ndata: {\"last_event_id\":%lld}\n\n",
	    common(a, headers), id, id, id);
}

struct frame *
answer_later(const struct asker *a)
{
	char headers[COMMON_SIZE];

	return frame_printf(STREAM_HEAD, common(a, headers));
}
