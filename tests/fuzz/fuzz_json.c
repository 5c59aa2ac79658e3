/* A request's inputs: the same bytes as its JSON body, as its query and as an id in its path. */
#include "config.h"

#include "fuzz.h"
#include "http.h"
#include "req.h"

static const char *
param(void *self, const char *name)
{
	(void)self;
	return strcmp(name, "CONTENT_TYPE") == 0 ? "application/json" : NULL;
}

static const struct gateway gateway = { .param = param };

/* What is read is written so that it can be read again. */
static void
check_text(struct arena *a, json_object *o)
{
	const char *text = json_text(a, o), *why = NULL;
	json_object *again = json_read(a, text, strlen(text), &why);

	FUZZ_CHECK(why == NULL);
	FUZZ_CHECK(strcmp(json_text(a, again), text) == 0);
}

/* It may be a part of an answer, too. */
static void
check_answer(struct arena *a, json_object *o)
{
	json_object *answer = json_new_object(a), *list = json_new_array(a);

	json_append(list, o);
	json_put(answer, "data", list);
	json_put_int(answer, "count", 1);
	json_put_bool(answer, "more", false);
	FUZZ_CHECK(strlen(json_text(a, answer)) > strlen(json_text(a, o)));
}

static void
check_fields(struct req *r, json_object *o)
{
	const char *s = req_optional_text(r, o, "", "note", 0, 200);
	int64_t n = req_optional_int(r, o, "", "expected_total_price", 0, JSON_INT_MAX, -1);

	if (s != NULL)
		FUZZ_CHECK(http_utf8_valid(s, strlen(s)) && http_utf8_length(s) <= 200);
	FUZZ_CHECK(n >= -1 && n <= JSON_INT_MAX);
	n = req_optional_bool(r, o, "", "is_available");
	FUZZ_CHECK(n >= -1 && n <= 1);
	s = req_text(r, o, "", "name", 1, 100);
	FUZZ_CHECK(http_utf8_length(s) <= 100 && (*s != '\0' || req_failed(r)));
	s = req_password(r, o, "password");
	FUZZ_CHECK(strlen(s) <= 72 || req_failed(r));
}

static void
check_items(struct req *r, json_object *o)
{
	json_object *items = req_array(r, o, "", "items", 1, 50);
	size_t n = json_object_array_length(items);

	FUZZ_CHECK(n <= 50 && (n >= 1 || req_failed(r)));
	for (size_t i = 0; i < n; i++) {
		json_object *item = req_element(r, items, i, "items");
		int64_t quantity = req_int(r, item, "items[i].", "quantity", 1, 100);

		FUZZ_CHECK(quantity <= 100 && (quantity >= 1 || req_failed(r)));
	}
}

/* The first error stands. */
static void
check_first_error(struct req *r)
{
	enum error_code first = r->error;

	req_fail_retry(r, ERR_DEPENDENCY_UNAVAILABLE, 1);
	req_fail(r, ERR_NOT_FOUND);
	FUZZ_CHECK(r->error == (first != ERR_NONE ? first : ERR_DEPENDENCY_UNAVAILABLE));
}

static void
check_target(struct arena *a, const char *text)
{
	static const struct route route = { .pattern = "/api/orders/{order_id}" };
	struct req r = { .arena = a, .route = &route, .gateway = &gateway, .query = text };
	struct req by_path = { .arena = a, .route = &route, .segments = { "", "", text } };
	int64_t n = req_query_int(&r, "page", 1, 1000000, 1);
	const char *status = req_query_text(&r, "status", 20);

	FUZZ_CHECK(http_utf8_length(status) <= 20);
	FUZZ_CHECK(n >= 1 && n <= 1000000);
	FUZZ_CHECK(r.error == ERR_NONE || r.error == ERR_INVALID_REQUEST);
	n = req_path_id(&by_path, "order_id", ERR_ORDER_NOT_FOUND);
	FUZZ_CHECK(n >= 0 && n <= JSON_INT_MAX && (n == 0) == req_failed(&by_path));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(4096);
	char *body = fuzz_copy(data, size, 0), *text = fuzz_copy(data, size, 1);
	void (*const checks[])(struct req *, json_object *) = { check_fields, check_items };

	for (size_t i = 0; i < 2; i++) {
		struct req r = { .arena = a, .gateway = &gateway, .body = body, .body_len = size };
		json_object *o = i == 0 ? req_body(&r) : req_optional_body(&r);

		FUZZ_CHECK(json_object_is_type(o, json_type_object));
		if (i == 0 && !req_failed(&r))
			check_text(a, o);
		if (i == 0)
			check_answer(a, o);
		checks[i](&r, o);
		FUZZ_CHECK(r.error == ERR_NONE || r.error == ERR_INVALID_REQUEST);
		FUZZ_CHECK((r.error == ERR_NONE) == (r.error_details == NULL));
		check_first_error(&r);
	}
	check_target(a, text);
	free(text);
	free(body);
	arena_free(a);
	return 0;
}
