/* req and page: inputs of a request, read on a gateway that is a table. */
#include "config.h"

#include "page.h"
#include "reply.h"
#include "req.h"

#include "unit.h"

static struct arena *arena;
static struct req req;
static struct gateway gateway;

/* A gateway's variables: name, value, name, value, …, NULL. */
static const char *
param(void *self, const char *name)
{
	for (const char *const *v = self; *v != NULL; v += 2)
		if (strcmp(v[0], name) == 0)
			return v[1];
	return NULL;
}

static const char *const json_headers[] = { "CONTENT_TYPE", "application/json", NULL };
static const struct route status_route = { .pattern = "/api/orders/{order_id}/status" };

/* A new request with a body. */
static struct req *
with_body(const char *body)
{
	gateway = (struct gateway) { .self = (void *)(uintptr_t)json_headers, .param = param };
	req = (struct req) {
		.arena = arena, .gateway = &gateway, .body = body, .body_len = strlen(body)
	};
	return &req;
}

static struct req *
with_query(const char *query)
{
	with_body("")->query = query;
	return &req;
}

static const char *
detail(const char *name)
{
	const char *s = json_object_get_string(json_object_object_get(req.error_details, name));

	return s != NULL ? s : "";
}

/* Whether the request failed as a bad one, for this field, with a reason that holds these words. */
static bool
refused(const char *field, const char *words)
{
	bool so = req_failed(&req) && req.error == ERR_INVALID_REQUEST &&
	    strcmp(detail("field"), field) == 0 && strstr(detail("reason"), words) != NULL;

	if (!so)
		printf("%s, %s: %s ", error_name(req.error), detail("field"), detail("reason"));
	return so;
}

static bool
fine(void)
{
	if (req_failed(&req))
		printf("%s, %s: %s ", error_name(req.error), detail("field"), detail("reason"));
	return !req_failed(&req) && req.error_details == NULL;
}

static void
the_first_failure_stands(void)
{
	struct req *r = with_body("{}");

	CU_ASSERT_FALSE(req_failed(r));
	req_fail_field(r, "a", "first");
	req_fail_field(r, "b", "second");
	req_fail(r, ERR_FORBIDDEN);
	req_fail_retry(r, ERR_RATE_LIMITED, 7);
	req_fail_details(r, ERR_PRICE_CHANGED, NULL);
	CU_ASSERT_TRUE(refused("a", "first"));
	CU_ASSERT_EQUAL(r->retry_after_s, 0);

	r = with_body("{}");
	req_fail_retry(r, ERR_RATE_LIMITED, 7);
	req_fail_retry(r, ERR_LOGIN_THROTTLED, 9);
	CU_ASSERT_EQUAL(r->error, ERR_RATE_LIMITED);
	CU_ASSERT_EQUAL(r->retry_after_s, 7);
	CU_ASSERT_PTR_NULL(r->error_details);
}

static void
a_finished_request_does_not_fail(void)
{
	struct req *r = with_body("");

	r->finished = true;
	CU_ASSERT_TRUE(req_failed(r));
	req_fail(r, ERR_FORBIDDEN);
	CU_ASSERT_EQUAL(r->error, ERR_NONE);
}

static void
after_a_failure_inputs_are_empty_not_null(void)
{
	struct req *r = with_body("{\"a\":5,\"l\":[{}]}");
	json_object *o = req_body(r), *list;

	r->query = "q=1";
	req_fail(r, ERR_FORBIDDEN);
	CU_ASSERT_STRING_EQUAL(req_text(r, o, "", "a", 1, 2), "");
	CU_ASSERT_PTR_NULL(req_optional_text(r, o, "", "a", 1, 2));
	CU_ASSERT_EQUAL(req_int(r, o, "", "a", 1, 9), 0);
	CU_ASSERT_EQUAL(req_optional_int(r, o, "", "a", 1, 9, 4), 4);
	CU_ASSERT_EQUAL(req_optional_bool(r, o, "", "a"), -1);
	CU_ASSERT_STRING_EQUAL(req_password(r, o, "a"), "");
	list = req_array(r, o, "", "l", 0, 9);
	CU_ASSERT_EQUAL(json_object_array_length(list), 0);
	CU_ASSERT_TRUE(json_object_is_type(req_element(r, list, 0, "l"), json_type_object));
	CU_ASSERT_STRING_EQUAL(req_query_text(r, "q", 9), "");
	CU_ASSERT_EQUAL(req_query_int(r, "q", 0, 9, 3), 3);
	CU_ASSERT_EQUAL(r->error, ERR_FORBIDDEN);
	CU_ASSERT_PTR_NULL(r->error_details);

	r = with_body("{");
	req_fail(r, ERR_FORBIDDEN);
	CU_ASSERT_TRUE(json_object_is_type(req_body(r), json_type_object));
	CU_ASSERT_EQUAL(r->error, ERR_FORBIDDEN);
}

static void
headers_are_cgi_variables(void)
{
	static const char *const variables[] = { "HTTP_IF_NONE_MATCH", "\"x\"", "CONTENT_TYPE",
		"a/b", "CONTENT_LENGTH", "5", "HTTP_CONTENT_TYPE", "no", NULL };
	struct req *r = with_body("");

	gateway.self = (void *)(uintptr_t)variables;
	CU_ASSERT_STRING_EQUAL(req_header(r, "If-None-Match"), "\"x\"");
	CU_ASSERT_STRING_EQUAL(req_header(r, "Content-Type"), "a/b");
	CU_ASSERT_STRING_EQUAL(req_header(r, "content-length"), "5");
	CU_ASSERT_PTR_NULL(req_header(r, "Accept"));
	CU_ASSERT_PTR_NULL(req_header(r, ""));
}

static int64_t
path_id(const char *segment)
{
	struct req *r = with_body("");

	r->route = &status_route;
	r->segments[2] = segment;
	return req_path_id(r, "order_id", ERR_ORDER_NOT_FOUND);
}

static void
path_ids_that_cannot_be_do_not_exist(void)
{
	static const char *const bad[] = { "0", "-1", "x", "1x", "01", "%31", "9007199254740992",
		"9223372036854775808", "18446744073709551617", "99999999999999999999999999", " 1",
		"+1", "1.0" };

	CU_ASSERT_EQUAL(path_id("1"), 1);
	CU_ASSERT_EQUAL(path_id("9007199254740991"), JSON_INT_MAX);
	CU_ASSERT_TRUE(fine());
	CU_ASSERT_STRING_EQUAL(req_path_text(&req, "order_id"), "9007199254740991");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (path_id(bad[i]) != 0 || req.error != ERR_ORDER_NOT_FOUND)
			CU_FAIL(bad[i]);
}

static void
query_texts_have_a_length(void)
{
	struct req *r = with_query("status=ready&empty=&ko=%EA%B9%80%EC%B9%98");

	CU_ASSERT_STRING_EQUAL(req_query_text(r, "status", 5), "ready");
	CU_ASSERT_STRING_EQUAL(req_query_text(r, "empty", 5), "");
	CU_ASSERT_STRING_EQUAL(req_query_text(r, "absent", 5), "");
	CU_ASSERT_STRING_EQUAL(req_query_text(r, "ko", 2), "\xea\xb9\x80\xec\xb9\x98");
	CU_ASSERT_TRUE(fine());
	CU_ASSERT_STRING_EQUAL(req_query_text(r, "status", 4), "");
	CU_ASSERT_TRUE(refused("status", "too long"));
	CU_ASSERT_STRING_EQUAL(req_query_text(with_query("a=%ff"), "a", 5), "");
	CU_ASSERT_TRUE(refused("a", "percent-encoded"));
	CU_ASSERT_STRING_EQUAL(req_query_text(with_query("a=%0"), "a", 5), "");
	CU_ASSERT_TRUE(refused("a", "percent-encoded"));
	CU_ASSERT_STRING_EQUAL(req_query_text(with_query(NULL), "a", 5), "");
	CU_ASSERT_TRUE(fine());
}

static void
query_numbers_have_limits(void)
{
	static const char *const bad[] = { "n=", "n", "n=0", "n=101", "n=-1", "n=1.5", "n=x",
		"n=1x", "n=+1", "n=9223372036854775808", "n=01" };

	CU_ASSERT_EQUAL(req_query_int(with_query("n=100"), "n", 1, 100, 50), 100);
	CU_ASSERT_EQUAL(req_query_int(with_query("n=1"), "n", 1, 100, 50), 1);
	CU_ASSERT_EQUAL(req_query_int(with_query("m=1"), "n", 1, 100, 50), 50);
	CU_ASSERT_TRUE(fine());
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (req_query_int(with_query(bad[i]), "n", 1, 100, 50) != 50 ||
		    !refused("n", "must be a whole number from 1 to 100"))
			CU_FAIL(bad[i]);
	CU_ASSERT_EQUAL(req_query_int(with_query("n=%"), "n", 1, 100, 50), 50);
	CU_ASSERT_TRUE(refused("n", "percent-encoded"));
}

static void
a_body_is_a_json_object(void)
{
	static const char *const bad[] = { "", "null", "1", "[]", "\"a\"", "true", "{", "{}x",
		"{'a':1}", "{\"a\":\"\xff\"}" };
	struct req *r = with_body("{\"a\":1}");

	CU_ASSERT_PTR_EQUAL(req_body(r), req_body(r));
	CU_ASSERT_EQUAL(json_object_object_length(req_body(r)), 1);
	CU_ASSERT_TRUE(fine());
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_object *o = req_body(with_body(bad[i]));

		if (!json_object_is_type(o, json_type_object) ||
		    json_object_object_length(o) != 0 || !refused("", "") ||
		    *detail("reason") == '\0')
			CU_FAIL(bad[i]);
	}
}

static void
a_body_says_that_it_is_json(void)
{
	static const char *const text[] = { "CONTENT_TYPE", "text/plain", NULL };
	static const char *const none[] = { NULL };
	static const char *const utf8[] = { "CONTENT_TYPE", "Application/JSON; charset=UTF-8",
		NULL };
	struct req *r = with_body("{}");

	gateway.self = (void *)(uintptr_t)utf8;
	req_body(r);
	CU_ASSERT_TRUE(fine());
	r = with_body("{}");
	gateway.self = (void *)(uintptr_t)text;
	CU_ASSERT_TRUE(json_object_is_type(req_body(r), json_type_object));
	CU_ASSERT_EQUAL(r->error, ERR_UNSUPPORTED_MEDIA_TYPE);
	r = with_body("{}");
	gateway.self = (void *)(uintptr_t)none;
	req_body(r);
	CU_ASSERT_EQUAL(r->error, ERR_UNSUPPORTED_MEDIA_TYPE);
}

static void
a_body_may_be_left_out_where_it_is_optional(void)
{
	static const char *const none[] = { NULL };
	struct req *r = with_body("");

	gateway.self = (void *)(uintptr_t)none;
	CU_ASSERT_EQUAL(json_object_object_length(req_optional_body(r)), 0);
	CU_ASSERT_TRUE(fine());
	CU_ASSERT_EQUAL(json_object_object_length(req_optional_body(with_body("{\"a\":1}"))), 1);
	CU_ASSERT_TRUE(fine());
	req_optional_body(with_body("[]"));
	CU_ASSERT_TRUE(refused("", "must be a JSON object"));
}

static const char *
text_of(const char *body)
{
	struct req *r = with_body(body);

	return req_text(r, req_body(r), "", "t", 1, 4);
}

static void
texts_are_strings_of_a_length(void)
{
	static const struct {
		const char *body, *words;
	} bad[] = {
		{ "{}", "is required" },
		{ "{\"t\":null}", "is required" },
		{ "{\"T\":\"a\"}", "is required" },
		{ "{\"t\":1}", "must be a string" },
		{ "{\"t\":true}", "must be a string" },
		{ "{\"t\":[\"a\"]}", "must be a string" },
		{ "{\"t\":{}}", "must be a string" },
		{ "{\"t\":\"\"}", "must have 1 to 4 characters" },
		{ "{\"t\":\"abcde\"}", "must have 1 to 4 characters" },
		{ "{\"t\":\"a\\u0000b\"}", "NUL" },
		{ "{\"t\":\"\\u0000\"}", "NUL" },
	};

	CU_ASSERT_STRING_EQUAL(text_of("{\"t\":\"a\"}"), "a");
	CU_ASSERT_STRING_EQUAL(text_of("{\"t\":\"a\\nb\"}"), "a\nb");
	CU_ASSERT_STRING_EQUAL(text_of("{\"t\":\"\xea\xb9\x80\xec\xb9\x98\xf0\x9f\x98\x80!\"}"),
	    "\xea\xb9\x80\xec\xb9\x98\xf0\x9f\x98\x80!");
	CU_ASSERT_TRUE(fine());
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(text_of(bad[i].body), "") != 0 || !refused("t", bad[i].words))
			CU_FAIL(bad[i].body);
}

static void
names_are_no_blanks_and_have_no_control_characters(void)
{
	static const char *const control[] = { "\\u0001", "\\n", "a\\tb", "\\u007f", "x\\u0085",
		"\\u009f" };
	static const char *const good[] = { "\\u00a0", "\\u00df", "\\u20ac", "a b",
		"\\ud83c\\udf5c" };
	struct req *r;

	for (size_t i = 0; i < sizeof(control) / sizeof(control[0]); i++) {
		r = with_body(arena_printf(arena, "{\"name\":\"%s\"}", control[i]));
		req_name(r, req_body(r), "name");
		CU_ASSERT_TRUE(refused("name", "no control characters"));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		r = with_body(arena_printf(arena, "{\"name\":\"%s\"}", good[i]));
		CU_ASSERT_STRING_NOT_EQUAL(req_optional_name(r, req_body(r), "name"), "");
		CU_ASSERT_TRUE(fine());
	}
	r = with_body("{\"name\":\"  \"}");
	req_name(r, req_body(r), "name");
	CU_ASSERT_TRUE(refused("name", "blank"));
	r = with_body("{}");
	CU_ASSERT_PTR_NULL(req_optional_name(r, req_body(r), "name"));
	CU_ASSERT_TRUE(fine());
	req_name(r, req_body(r), "name");
	CU_ASSERT_TRUE(refused("name", "required"));
}

static void
kinds_are_voided_once_each(void)
{
	struct req *r = with_body("{}");

	req_void(r, "auth");
	req_void(r, "history");
	req_void(r, "auth");
	CU_ASSERT_STRING_EQUAL(r->voided[0], "auth");
	CU_ASSERT_STRING_EQUAL(r->voided[1], "history");
	CU_ASSERT_PTR_NULL(r->voided[2]);
}

static void
an_answer_has_a_limit(void)
{
	struct req *r = with_body("{}");
	char *text = arena_alloc(arena, REPLY_LIMIT_BYTES);
	json_object *o = json_new_object(arena);

	memset(text, 'x', REPLY_LIMIT_BYTES - 1);
	json_put_text(o, "text", text);
	reply_json(r, 200, o);
	CU_ASSERT_EQUAL(r->error, ERR_INTERNAL_ERROR);
	CU_ASSERT_PTR_NULL(r->reply.body);
	r = with_body("{}");
	text[REPLY_LIMIT_BYTES - 100] = '\0';
	json_put_text(o, "text", text);
	reply_json(r, 200, o);
	CU_ASSERT_TRUE(fine());
	CU_ASSERT_EQUAL(r->reply.body_len, REPLY_LIMIT_BYTES - 100 + strlen("{\"text\":\"\"}"));
}

static void
optional_texts_may_be_absent_or_null(void)
{
	struct req *r = with_body("{\"n\":null,\"e\":\"\",\"t\":\"ab\",\"i\":1}");
	json_object *o = req_body(r);

	CU_ASSERT_PTR_NULL(req_optional_text(r, o, "", "absent", 0, 2));
	CU_ASSERT_PTR_NULL(req_optional_text(r, o, "", "n", 0, 2));
	CU_ASSERT_STRING_EQUAL(req_optional_text(r, o, "", "e", 0, 2), "");
	CU_ASSERT_STRING_EQUAL(req_optional_text(r, o, "", "t", 0, 2), "ab");
	CU_ASSERT_TRUE(fine());
	req_optional_text(r, o, "", "i", 0, 2);
	CU_ASSERT_TRUE(refused("i", "must be a string"));
	r = with_body("{\"t\":\"ab\"}");
	req_optional_text(r, req_body(r), "", "t", 0, 1);
	CU_ASSERT_TRUE(refused("t", "must have 0 to 1 characters"));
}

static int64_t
int_of(const char *body)
{
	struct req *r = with_body(body);

	return req_int(r, req_body(r), "", "i", 1, JSON_INT_MAX);
}

static void
integers_are_whole_and_never_saturated(void)
{
	static const struct {
		const char *body, *words;
	} bad[] = {
		{ "{}", "is required" },
		{ "{\"i\":null}", "is required" },
		{ "{\"i\":0}", "must be a whole number from 1 to 9007199254740991" },
		{ "{\"i\":-1}", "must be a whole number" },
		{ "{\"i\":1.5}", "must be a whole number" },
		{ "{\"i\":1.0}", "must be a whole number" },
		{ "{\"i\":1e2}", "must be a whole number" },
		{ "{\"i\":\"1\"}", "must be a whole number" },
		{ "{\"i\":true}", "must be a whole number" },
		{ "{\"i\":[1]}", "must be a whole number" },
		{ "{\"i\":{}}", "must be a whole number" },
		{ "{\"i\":9007199254740992}", "must be a whole number" },
		{ "{\"i\":9223372036854775807}", "must be a whole number" },
		{ "{\"i\":9223372036854775808}", "must be a whole number" },
		{ "{\"i\":18446744073709551615}", "must be a whole number" },
		{ "{\"i\":18446744073709551617}", "must be a whole number" },
		{ "{\"i\":99999999999999999999999999}", "must be a whole number" },
		{ "{\"i\":-99999999999999999999999999}", "must be a whole number" },
	};

	CU_ASSERT_EQUAL(int_of("{\"i\":1}"), 1);
	CU_ASSERT_EQUAL(int_of("{\"i\":9007199254740991}"), JSON_INT_MAX);
	CU_ASSERT_EQUAL(int_of("{\"i\":0,\"i\":3}"), 3);
	CU_ASSERT_TRUE(fine());
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (int_of(bad[i].body) != 0 || !refused("i", bad[i].words))
			CU_FAIL(bad[i].body);
}

static void
optional_integers_have_a_default(void)
{
	struct req *r = with_body("{\"n\":null,\"i\":2,\"big\":11}");
	json_object *o = req_body(r);

	CU_ASSERT_EQUAL(req_optional_int(r, o, "", "absent", 1, 10, -5), -5);
	CU_ASSERT_EQUAL(req_optional_int(r, o, "", "n", 1, 10, -5), -5);
	CU_ASSERT_EQUAL(req_optional_int(r, o, "", "i", 1, 10, -5), 2);
	CU_ASSERT_TRUE(fine());
	req_optional_int(r, o, "", "big", 1, 10, -5);
	CU_ASSERT_TRUE(refused("big", "must be a whole number from 1 to 10"));
}

static void
booleans_are_true_or_false(void)
{
	static const char *const bad[] = { "{\"b\":0}", "{\"b\":1}", "{\"b\":\"true\"}",
		"{\"b\":[]}" };
	struct req *r = with_body("{\"yes\":true,\"no\":false,\"n\":null}");
	json_object *o = req_body(r);

	CU_ASSERT_EQUAL(req_optional_bool(r, o, "", "yes"), 1);
	CU_ASSERT_EQUAL(req_optional_bool(r, o, "", "no"), 0);
	CU_ASSERT_EQUAL(req_optional_bool(r, o, "", "n"), -1);
	CU_ASSERT_EQUAL(req_optional_bool(r, o, "", "absent"), -1);
	CU_ASSERT_TRUE(fine());
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = with_body(bad[i]);
		if (req_optional_bool(r, req_body(r), "", "b") != -1 ||
		    !refused("b", "must be true or false"))
			CU_FAIL(bad[i]);
	}
}

static const char *
password_of(const char *value)
{
	char *body = arena_printf(arena, "{\"p\":%s}", value);
	struct req *r = with_body(body);

	return req_password(r, req_body(r), "p");
}

static void
passwords_have_1_to_72_bytes(void)
{
	char long_one[80];

	snprintf(long_one, sizeof(long_one), "\"%072d\"", 1);
	CU_ASSERT_EQUAL(strlen(password_of(long_one)), 72);
	CU_ASSERT_STRING_EQUAL(password_of("\" \""), " ");
	CU_ASSERT_TRUE(fine());
	snprintf(long_one, sizeof(long_one), "\"%073d\"", 1);
	password_of(long_one);
	CU_ASSERT_TRUE(refused("p", "1 to 72"));
	/* 25 Hangul are 75 bytes */
	password_of("\"\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80"
		    "\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80"
		    "\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80"
		    "\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80"
		    "\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\"");
	CU_ASSERT_TRUE(refused("p", "72 bytes"));
	password_of("\"\"");
	CU_ASSERT_TRUE(refused("p", "1 to 72"));
	password_of("1");
	CU_ASSERT_TRUE(refused("p", "must be a string"));
	password_of("\"a\\u0000\"");
	CU_ASSERT_TRUE(refused("p", "NUL"));
	password_of("null");
	CU_ASSERT_TRUE(refused("p", "is required"));
}

static size_t
array_of(const char *body)
{
	struct req *r = with_body(body);

	return json_object_array_length(req_array(r, req_body(r), "", "items", 1, 3));
}

static void
arrays_have_a_length(void)
{
	static const struct {
		const char *body, *words;
	} bad[] = {
		{ "{}", "is required" },
		{ "{\"items\":null}", "is required" },
		{ "{\"items\":{}}", "must be an array" },
		{ "{\"items\":\"[1]\"}", "must be an array" },
		{ "{\"items\":1}", "must be an array" },
		{ "{\"items\":[]}", "must have 1 to 3 elements" },
		{ "{\"items\":[1,2,3,4]}", "must have 1 to 3 elements" },
	};

	CU_ASSERT_EQUAL(array_of("{\"items\":[1]}"), 1);
	CU_ASSERT_EQUAL(array_of("{\"items\":[1,2,3]}"), 3);
	CU_ASSERT_TRUE(fine());
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (array_of(bad[i].body) != 0 || !refused("items", bad[i].words))
			CU_FAIL(bad[i].body);
}

static void
a_field_is_named_with_its_place(void)
{
	static const char *const bad[] = { "{\"items\":[{\"q\":1},1]}",
		"{\"items\":[{\"q\":1},null]}", "{\"items\":[{\"q\":1},[]]}" };
	struct req *r = with_body("{\"items\":[{\"q\":1},{\"q\":0}]}");
	json_object *list = req_array(r, req_body(r), "", "items", 1, 3);

	CU_ASSERT_EQUAL(req_int(r, req_element(r, list, 0, "items"), "items[0].", "q", 1, 9), 1);
	CU_ASSERT_TRUE(fine());
	CU_ASSERT_EQUAL(req_int(r, req_element(r, list, 1, "items"), "items[1].", "q", 1, 9), 0);
	CU_ASSERT_TRUE(refused("items[1].q", "from 1 to 9"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = with_body(bad[i]);
		list = req_array(r, req_body(r), "", "items", 1, 3);
		if (!json_object_is_type(req_element(r, list, 1, "items"), json_type_object) ||
		    !refused("items[1]", "must be an object"))
			CU_FAIL(bad[i]);
	}
}

static void
files_are_noted_for_their_fate(void)
{
	struct req *r = with_body("");

	req_file_created(r, "/new1");
	req_file_created(r, "/new2");
	req_file_obsolete(r, "/old");
	CU_ASSERT_STRING_EQUAL(r->created->path, "/new2");
	CU_ASSERT_STRING_EQUAL(r->created->next->path, "/new1");
	CU_ASSERT_STRING_EQUAL(r->obsolete->path, "/old");
	req_fail(r, ERR_FORBIDDEN);
	req_file_created(r, "/new3");
	req_file_obsolete(r, "/kept");
	CU_ASSERT_STRING_EQUAL(r->created->path, "/new3");
	CU_ASSERT_STRING_EQUAL(r->obsolete->path, "/old");
}

static void
expect_page(const char *query, int64_t number, int64_t size, int64_t start)
{
	struct page p = page_read(with_query(query));

	if (!fine() || p.number != number || p.size != size || p.start != start)
		CU_FAIL(query);
}

static void
pages_are_counted_from_1(void)
{
	static const struct {
		const char *query, *field;
	} bad[] = {
		{ "page=0", "page" },
		{ "page=-1", "page" },
		{ "page=x", "page" },
		{ "page=", "page" },
		{ "page=1000001", "page" },
		{ "page=9223372036854775807", "page" },
		{ "page_size=0", "page_size" },
		{ "page_size=101", "page_size" },
		{ "page=x&page_size=0", "page" },
	};

	expect_page(NULL, 1, 50, 0);
	expect_page("page=1", 1, 50, 0);
	expect_page("page=3&page_size=20", 3, 20, 40);
	expect_page("page_size=100", 1, 100, 0);
	expect_page("page_size=1&page=1000000", 1000000, 1, 999999);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		page_read(with_query(bad[i].query));
		if (!refused(bad[i].field, "must be a whole number"))
			CU_FAIL(bad[i].query);
	}
}

static const char *
page_json(int64_t number, int64_t size, int64_t total)
{
	struct page p = { number, size, (number - 1) * size };
	struct req *r = with_body("");
	json_object *answer = json_new_object(arena);

	page_put(r, answer, &p, total);
	return json_text(arena, answer);
}

static void
a_pages_answer_tells_how_many_there_are(void)
{
	CU_ASSERT_STRING_EQUAL(page_json(1, 50, 0),
	    "{\"pagination\":{\"page\":1,\"page_size\":50,\"total_count\":0,\"total_pages\":0}}");
	CU_ASSERT_STRING_EQUAL(page_json(2, 20, 40),
	    "{\"pagination\":{\"page\":2,\"page_size\":20,\"total_count\":40,\"total_pages\":2}}");
	CU_ASSERT_STRING_EQUAL(page_json(9, 20, 41),
	    "{\"pagination\":{\"page\":9,\"page_size\":20,\"total_count\":41,\"total_pages\":3}}");
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "the first failure stands", the_first_failure_stands },
		{ "a finished request does not fail", a_finished_request_does_not_fail },
		{ "after a failure inputs are empty, not NULL",
		    after_a_failure_inputs_are_empty_not_null },
		{ "headers are CGI variables", headers_are_cgi_variables },
		{ "path ids that cannot be do not exist", path_ids_that_cannot_be_do_not_exist },
		{ "query texts have a length", query_texts_have_a_length },
		{ "query numbers have limits", query_numbers_have_limits },
		{ "a body is a JSON object", a_body_is_a_json_object },
		{ "a body says that it is JSON", a_body_says_that_it_is_json },
		{ "a body may be left out where it is optional",
		    a_body_may_be_left_out_where_it_is_optional },
		{ "texts are strings of a length", texts_are_strings_of_a_length },
		{ "names are no blanks and have no control characters",
		    names_are_no_blanks_and_have_no_control_characters },
		{ "kinds are voided once each", kinds_are_voided_once_each },
		{ "an answer has a limit", an_answer_has_a_limit },
		{ "optional texts may be absent or null", optional_texts_may_be_absent_or_null },
		{ "integers are whole and never saturated",
		    integers_are_whole_and_never_saturated },
		{ "optional integers have a default", optional_integers_have_a_default },
		{ "booleans are true or false", booleans_are_true_or_false },
		{ "passwords have 1 to 72 bytes", passwords_have_1_to_72_bytes },
		{ "arrays have a length", arrays_have_a_length },
		{ "a field is named with its place", a_field_is_named_with_its_place },
		{ "files are noted for their fate", files_are_noted_for_their_fate },
		{ "pages are counted from 1", pages_are_counted_from_1 },
		{ "a page's answer tells how many there are",
		    a_pages_answer_tells_how_many_there_are },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(1 << 16);
	status = unit_main("req, page", tests);
	arena_free(arena);
	return status;
}
