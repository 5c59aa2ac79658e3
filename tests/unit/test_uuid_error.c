/* uuid and error: names that do not repeat, codes that are complete. */
#include "config.h"

#include "error.h"
#include "http.h"
#include "uuid.h"

#include "unit.h"

#include <ctype.h>

static void
names_are_uuids_of_version_4_in_lower_case(void)
{
	struct arena *a = arena_new(1 << 16);

	for (int i = 0; i < 1000; i++) {
		const char *name = uuid_new(a);

		CU_ASSERT_EQUAL_FATAL(strlen(name), UUID_LENGTH);
		CU_ASSERT_TRUE_FATAL(http_is_uuid(name));
		CU_ASSERT_EQUAL_FATAL(name[14], '4');
		CU_ASSERT_PTR_NOT_NULL_FATAL(strchr("89ab", name[19]));
		CU_ASSERT_EQUAL_FATAL(name[strcspn(name, "ABCDEF")], '\0');
	}
	arena_free(a);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
names_do_not_repeat(void)
{
	struct arena *a = arena_new(1 << 16);
	char *names[2000];

	for (int i = 0; i < 2000; i++)
		names[i] = uuid_new(a);
	qsort(names, 2000, sizeof(names[0]), compare);
	for (int i = 1; i < 2000; i++)
		CU_ASSERT_STRING_NOT_EQUAL_FATAL(names[i - 1], names[i]);
	arena_free(a);
}

static bool
has_hangul(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0xea && (unsigned char)*s <= 0xed)
			return true;
	return false;
}

static void
every_code_has_a_status_and_both_messages(void)
{
	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++) {
		enum error_code code = (enum error_code)i;
		const char *ko = error_message(code, LANG_KO), *en = error_message(code, LANG_EN);

		CU_ASSERT_TRUE(error_status(code) >= 400 && error_status(code) <= 504);
		if (!has_hangul(ko) || !http_utf8_valid(ko, strlen(ko)))
			CU_FAIL(error_name(code));
		if (has_hangul(en) || !isupper((unsigned char)en[0]))
			CU_FAIL(error_name(code));
		for (const char *p = en; *p != '\0'; p++)
			CU_ASSERT_TRUE((unsigned char)*p < 0x80);
	}
}

static void
codes_are_upper_snake_case_and_unique(void)
{
	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++) {
		const char *name = error_name((enum error_code)i);

		if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(name) || name[0] == '_')
			CU_FAIL(name);
		for (int k = ERR_NONE; k < i; k++)
			if (strcmp(error_name((enum error_code)k), name) == 0)
				CU_FAIL(name);
	}
}

/* Codes are permanent: what was once given to clients keeps its name and its status. */
static void
codes_of_the_first_release_stay(void)
{
	static const struct {
		enum error_code code;
		const char *name;
		int status;
	} codes[] = {
		{ ERR_INVALID_REQUEST, "INVALID_REQUEST", 400 },
		{ ERR_IMAGE_INVALID, "IMAGE_INVALID", 400 },
		{ ERR_INVALID_CREDENTIALS, "INVALID_CREDENTIALS", 401 },
		{ ERR_TOKEN_MISSING, "TOKEN_MISSING", 401 },
		{ ERR_TOKEN_EXPIRED, "TOKEN_EXPIRED", 401 },
		{ ERR_TOKEN_INVALID, "TOKEN_INVALID", 401 },
		{ ERR_ACCOUNT_INACTIVE, "ACCOUNT_INACTIVE", 403 },
		{ ERR_FORBIDDEN, "FORBIDDEN", 403 },
		{ ERR_NOT_FOUND, "NOT_FOUND", 404 },
		{ ERR_ORDER_NOT_FOUND, "ORDER_NOT_FOUND", 404 },
		{ ERR_SESSION_NOT_FOUND, "SESSION_NOT_FOUND", 404 },
		{ ERR_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", 405 },
		{ ERR_NOT_ACCEPTABLE, "NOT_ACCEPTABLE", 406 },
		{ ERR_ORDER_ITEMS_UNAVAILABLE, "ORDER_ITEMS_UNAVAILABLE", 409 },
		{ ERR_PRICE_CHANGED, "PRICE_CHANGED", 409 },
		{ ERR_INVALID_STATUS_TRANSITION, "INVALID_STATUS_TRANSITION", 409 },
		{ ERR_VERSION_CONFLICT, "VERSION_CONFLICT", 409 },
		{ ERR_ORDER_CANNOT_DELETE, "ORDER_CANNOT_DELETE", 409 },
		{ ERR_TABLE_IN_USE, "TABLE_IN_USE", 409 },
		{ ERR_MENU_IN_USE, "MENU_IN_USE", 409 },
		{ ERR_CATEGORY_NOT_EMPTY, "CATEGORY_NOT_EMPTY", 409 },
		{ ERR_PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", 413 },
		{ ERR_UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", 415 },
		{ ERR_IDEMPOTENCY_KEY_REUSED, "IDEMPOTENCY_KEY_REUSED", 422 },
		{ ERR_RATE_LIMITED, "RATE_LIMITED", 429 },
		{ ERR_LOGIN_THROTTLED, "LOGIN_THROTTLED", 429 },
		{ ERR_INTERNAL_ERROR, "INTERNAL_ERROR", 500 },
		{ ERR_DEPENDENCY_UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", 503 },
		{ ERR_GATEWAY_TIMEOUT, "GATEWAY_TIMEOUT", 504 },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		CU_ASSERT_STRING_EQUAL(error_name(codes[i].code), codes[i].name);
		CU_ASSERT_EQUAL(error_status(codes[i].code), codes[i].status);
	}
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "names are UUIDs of version 4 in lower case",
		    names_are_uuids_of_version_4_in_lower_case },
		{ "names do not repeat", names_do_not_repeat },
		{ "every code has a status and both messages",
		    every_code_has_a_status_and_both_messages },
		{ "codes are upper snake case and unique", codes_are_upper_snake_case_and_unique },
		{ "codes of the first release stay", codes_of_the_first_release_stay },
		CU_TEST_INFO_NULL,
	};

	return unit_main("uuid, error", tests);
}
