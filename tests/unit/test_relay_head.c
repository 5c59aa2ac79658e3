/* relay: which bytes are a request, and what is in it. */
#include "config.h"

#include "../../sse-relay/head.h"

#include "unit.h"

/* The text is copied: parsing changes it. */
static char bytes[2 * HEAD_LIMIT];

static int
parse(const char *text, struct head *h)
{
	size_t n = strlen(text);

	memcpy(bytes, text, n);
	return head_parse(bytes, n, h);
}

static int
parse_header(const char *header)
{
	char text[512];
	struct head h;

	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n\r\n", header);
	return parse(text, &h);
}

static void
a_request_is_taken_apart(void)
{
	static const char text[] = "GET /a/b?c=d&e HTTP/1.1\r\nHost: x\r\naccept-language:en\r\n"
				   "AUTHORIZATION: \tBearer a.b.c \t\r\nCookie: a=b; c=d\r\n"
				   "Last-Event-ID: 12\r\nOrigin: https://a.example\r\n"
				   "X-Request-Id: r-1\r\n\r\nmore";
	struct head h;

	CU_ASSERT_EQUAL(parse(text, &h), (int)sizeof(text) - 1 - 4);
	CU_ASSERT_STRING_EQUAL(h.method, "GET");
	CU_ASSERT_STRING_EQUAL(h.path, "/a/b");
	CU_ASSERT_STRING_EQUAL(h.query, "c=d&e");
	CU_ASSERT_STRING_EQUAL(h.accept_language, "en");
	CU_ASSERT_STRING_EQUAL(h.authorization, "Bearer a.b.c");
	CU_ASSERT_STRING_EQUAL(h.cookie, "a=b; c=d");
	CU_ASSERT_STRING_EQUAL(h.last_event_id, "12");
	CU_ASSERT_STRING_EQUAL(h.origin, "https://a.example");
	CU_ASSERT_STRING_EQUAL(h.request_id, "r-1");
}

static void
what_is_not_sent_is_null(void)
{
	struct head h;

	CU_ASSERT(parse("HEAD / HTTP/1.0\r\n\r\n", &h) > 0);
	CU_ASSERT_STRING_EQUAL(h.method, "HEAD");
	CU_ASSERT_PTR_NULL(h.query);
	CU_ASSERT_PTR_NULL(h.authorization);
	CU_ASSERT_PTR_NULL(h.last_event_id);
}

static void
every_beginning_of_a_request_is_incomplete(void)
{
	static const char text[] = "GET /a HTTP/1.1\r\nCookie: a=b\r\n\r\n";
	struct head h;

	memcpy(bytes, text, sizeof(text));
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		CU_ASSERT_EQUAL(head_parse(bytes, n, &h), 0);
	CU_ASSERT_EQUAL(memcmp(bytes, text, sizeof(text)), 0);
	CU_ASSERT_EQUAL(head_parse(bytes, sizeof(text) - 1, &h), (int)sizeof(text) - 1);
}

static void
what_does_not_end_is_refused_at_the_limit(void)
{
	struct head h;

	memset(bytes, 'a', sizeof(bytes));
	CU_ASSERT_EQUAL(head_parse(bytes, HEAD_LIMIT - 1, &h), 0);
	CU_ASSERT_EQUAL(head_parse(bytes, HEAD_LIMIT, &h), -1);
}

static void
malformed_request_lines_are_refused(void)
{
	static const char *const lines[] = { "", "GET", "GET /", "GET / HTTP/2", "GET  / HTTP/1.1",
		"GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET a HTTP/1.1", "G(T / HTTP/1.1",
		"GET /\x7f HTTP/1.1", "GET /\xc3\xa9 HTTP/1.1", "GET /a b HTTP/1.1",
		"GET /\tHTTP/1.1" };
	char text[128];
	struct head h;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "%s\r\nHost: x\r\n\r\n", lines[i]);
		CU_ASSERT_EQUAL(parse(text, &h), -1);
	}
}

static void
malformed_headers_are_refused(void)
{
	CU_ASSERT_EQUAL(parse_header("Name : value"), -1);
	CU_ASSERT_EQUAL(parse_header("Na me: value"), -1);
	CU_ASSERT_EQUAL(parse_header(": value"), -1);
	CU_ASSERT_EQUAL(parse_header("Name"), -1);
	CU_ASSERT_EQUAL(parse_header("Name: a\r\n folded"), -1);
	CU_ASSERT_EQUAL(parse_header("Name: a\nOther: b"), -1);
	CU_ASSERT_EQUAL(parse_header("Name: a\rb"), -1);
	CU_ASSERT_EQUAL(parse_header("Name: \x01"), -1);
	CU_ASSERT(parse_header("Name:") > 0);
	CU_ASSERT(parse_header("Name: tab\tinside, caf\xc3\xa9") > 0);
}

static void
a_nul_is_refused(void)
{
	static const char text[] = "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n";
	struct head h;

	memcpy(bytes, text, sizeof(text));
	CU_ASSERT_EQUAL(head_parse(bytes, sizeof(text) - 1, &h), -1);
}

static void
a_header_of_ours_stands_once(void)
{
	CU_ASSERT_EQUAL(parse_header("Cookie: a=b\r\ncookie: c=d"), -1);
	CU_ASSERT_EQUAL(parse_header("Authorization: a\r\nAuthorization: a"), -1);
	CU_ASSERT(parse_header("Accept: a\r\nAccept: b") > 0);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "a request is taken apart", a_request_is_taken_apart },
		{ "what is not sent is NULL", what_is_not_sent_is_null },
		{ "every beginning of a request is incomplete",
		    every_beginning_of_a_request_is_incomplete },
		{ "what does not end is refused at the limit",
		    what_does_not_end_is_refused_at_the_limit },
		{ "malformed request lines are refused", malformed_request_lines_are_refused },
		{ "malformed headers are refused", malformed_headers_are_refused },
		{ "a NUL is refused", a_nul_is_refused },
		{ "a header of ours stands once", a_header_of_ours_stands_once },
		CU_TEST_INFO_NULL,
	};

	return unit_main("relay head", tests);
}
