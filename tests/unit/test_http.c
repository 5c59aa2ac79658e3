/* http: what a stranger sent, read without trust. */
#include "config.h"

#include "http.h"

#include "unit.h"

static struct arena *arena;

/* The bytes in memory of exactly their size, so that a sanitizer sees a read past their end. */
static char *
exactly(const char *bytes, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, n);
	return copy;
}

static bool
is_utf8(const char *bytes, size_t n)
{
	char *copy = exactly(bytes, n);
	bool valid = http_utf8_valid(copy, n);

	free(copy);
	return valid;
}

static void
every_code_point_is_taken_and_no_other(void)
{
	unsigned char s[4];

	for (unsigned c = 1; c < 0x120000; c++) {
		bool wanted = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		if (n == 1)
			s[0] = (unsigned char)c;
		for (size_t i = n - 1; n > 1 && i > 0; i--)
			s[i] = (unsigned char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
		if (n > 1)
			s[0] = (unsigned char)(0xf00u >> n | c >> (6 * (n - 1)));
		if (http_utf8_valid((char *)s, n) != wanted) {
			printf("U+%06X ", c);
			CU_FAIL_FATAL("taken wrongly");
		}
	}
}

static void
malformed_utf8_is_refused(void)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {
		{ "\0", 1 },
		{ "a\0b", 3 },
		{ "\x80", 1 },
		{ "\xbf", 1 },
		{ "\xc0\x80", 2 }, /* overlong NUL */
		{ "\xc0\xaf", 2 }, /* overlong / */
		{ "\xc1\xbf", 2 },
		{ "\xe0\x80\x80", 3 },
		{ "\xe0\x9f\xbf", 3 },
		{ "\xf0\x80\x80\x80", 4 },
		{ "\xf0\x8f\xbf\xbf", 4 },
		{ "\xed\xa0\x80", 3 }, /* surrogates */
		{ "\xed\xbf\xbf", 3 },
		{ "\xed\xa0\xbd\xed\xb8\x80", 6 },
		{ "\xf4\x90\x80\x80", 4 }, /* U+110000 */
		{ "\xf5\x80\x80\x80", 4 },
		{ "\xff", 1 },
		{ "\xfe", 1 },
		{ "\xc3", 1 }, /* truncated */
		{ "\xed\x95", 2 },
		{ "\xf0\x9f\x98", 3 },
		{ "\xed\x95x", 3 }, /* broken off */
		{ "\xc3(", 2 },
		{ "\xf0\x9f\x98(", 4 },
		{ "\xf0(\x9f\x98", 4 },
		{ "ab\xe2\x82\xac\x80", 6 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_utf8(bad[i].bytes, bad[i].n)) {
			printf("row %zu ", i);
			CU_FAIL("malformed UTF-8 taken");
		}
	/* nor is what lies behind the end looked at */
	CU_ASSERT_FALSE(http_utf8_valid("\xed\x95\x9c", 2));
	CU_ASSERT_TRUE(is_utf8("", 0));
	CU_ASSERT_TRUE(is_utf8("a\xc3\xa9\xed\x95\x9c\xf0\x9f\x98\x80", 10));
}

static void
length_counts_code_points(void)
{
	CU_ASSERT_EQUAL(http_utf8_length(""), 0);
	CU_ASSERT_EQUAL(http_utf8_length("abc"), 3);
	CU_ASSERT_EQUAL(http_utf8_length("\xea\xb9\x80\xec\xb9\x98 \xf0\x9f\x98\x80"), 4);
}

static void
percent_escapes_are_undone(void)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
		bool is_query;
	} cases[] = {
		{ "", "", false },
		{ "plain", "plain", false },
		{ "a%20b", "a b", false },
		{ "%ED%95%9c", "\xed\x95\x9c", false },
		{ "a+b", "a+b", false },
		{ "a+b%2Bc", "a b+c", true },
		{ "%25%32%35", "%25", false },
		{ "%", NULL, false },
		{ "%4", NULL, false },
		{ "a%", NULL, false },
		{ "%4g", NULL, false },
		{ "%g4", NULL, false },
		{ "% 4", NULL, false },
		{ "%-1", NULL, false },
		{ "%0x", NULL, false },
		{ "%00", NULL, false },
		{ "a%00b", NULL, true },
		{ "%ff", NULL, false },
		{ "%c0%af", NULL, false },
		{ "%ED%95", NULL, false },
		{ "\xff", NULL, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].in);
		char *in = exactly(cases[i].in, n);
		char *out = http_percent_decode(arena, in, n, cases[i].is_query);

		if ((out == NULL) != (cases[i].out == NULL) ||
		    (out != NULL && strcmp(out, cases[i].out) != 0))
			CU_FAIL(cases[i].in);
		free(in);
	}
	CU_ASSERT_PTR_NULL(http_percent_decode(arena, "%41", 2, false));
}

static void
query_parameters_are_found_by_their_whole_name(void)
{
	static const struct {
		const char *query, *value;
		int found;
	} cases[] = {
		{ NULL, NULL, 0 },
		{ "", NULL, 0 },
		{ "page=2", "2", 1 },
		{ "a=1&page=2&b=3", "2", 1 },
		{ "page=1&page=2", "1", 1 },
		{ "page", "", 1 },
		{ "page=", "", 1 },
		{ "a&page&b", "", 1 },
		{ "&&page=7&&", "7", 1 },
		{ "page=a=b", "a=b", 1 },
		{ "page=a+b%20c", "a b c", 1 },
		{ "page_size=2", NULL, 0 },
		{ "pag=2", NULL, 0 },
		{ "Page=2", NULL, 0 },
		{ "a=page=2", NULL, 0 },
		{ "=2", NULL, 0 },
		{ "%70age=2", NULL, 0 },
		{ "page=%", NULL, -1 },
		{ "page=%zz&page=2", NULL, -1 },
		{ "page=%00", NULL, -1 },
		{ "page=%ff", NULL, -1 },
		{ "b=%&page=2", "2", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *value = NULL;
		int found = http_query_get(arena, cases[i].query, "page", &value);

		if (found != cases[i].found || (found == 1 && strcmp(value, cases[i].value) != 0))
			CU_FAIL(cases[i].query);
	}
}

static void
cookies_are_found_by_their_whole_name(void)
{
	static const struct {
		const char *header, *value;
	} cases[] = {
		{ NULL, NULL },
		{ "", NULL },
		{ "sid=1", "1" },
		{ "a=b; sid=1; c=d", "1" },
		{ "a=b;sid=1", "1" },
		{ "a=b;\t sid=1 \t;", "1" },
		{ "sid=", "" },
		{ "sid=\"\"", "" },
		{ "sid=\"1\"", "1" },
		{ "sid=\"", "\"" },
		{ "sid=\"1", "\"1" },
		{ "sid=1=2", "1=2" },
		{ "sid=1; sid=2", "1" },
		{ "sid", NULL },
		{ "SID=1", NULL },
		{ "xsid=1", NULL },
		{ "sidx=1", NULL },
		{ "a=sid=1", NULL },
		{ "sid =1", NULL },
		{ ";;;", NULL },
		{ "a=\"; sid=2\"", "2\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *value = http_cookie_get(arena, cases[i].header, "sid");

		if ((value == NULL) != (cases[i].value == NULL) ||
		    (value != NULL && strcmp(value, cases[i].value) != 0))
			CU_FAIL(cases[i].header);
	}
}

static void
a_bearer_token_is_told_from_other_schemes(void)
{
	CU_ASSERT_PTR_NULL(http_bearer(NULL));
	CU_ASSERT_PTR_NULL(http_bearer(""));
	CU_ASSERT_PTR_NULL(http_bearer("Bearer"));
	CU_ASSERT_PTR_NULL(http_bearer("Bearer "));
	CU_ASSERT_PTR_NULL(http_bearer("Bearer    "));
	CU_ASSERT_PTR_NULL(http_bearer("Basic abc"));
	CU_ASSERT_PTR_NULL(http_bearer("Bearerabc"));
	CU_ASSERT_PTR_NULL(http_bearer(" Bearer abc"));
	CU_ASSERT_STRING_EQUAL(http_bearer("Bearer abc.d.e"), "abc.d.e");
	CU_ASSERT_STRING_EQUAL(http_bearer("bEARER abc"), "abc");
	CU_ASSERT_STRING_EQUAL(http_bearer("Bearer   abc"), "abc");
}

static void
the_better_liked_language_is_spoken(void)
{
	static const struct {
		const char *header;
		enum lang lang;
	} cases[] = {
		{ NULL, LANG_KO },
		{ "", LANG_KO },
		{ "en", LANG_EN },
		{ "EN-us", LANG_EN },
		{ "en-US,en;q=0.9", LANG_EN },
		{ "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", LANG_KO },
		{ "en;q=0.8, ko;q=0.9", LANG_KO },
		{ "ko;q=0.8, en;q=0.9", LANG_EN },
		{ "ko, en", LANG_KO },
		{ "en, ko", LANG_KO },
		{ "fr, de", LANG_KO },
		{ "fr, en;q=0.1", LANG_EN },
		{ "en;q=0", LANG_KO },
		{ "en;q=0.000", LANG_KO },
		{ "en;q=0.001", LANG_EN },
		{ "ko;q=0, en;q=0.5", LANG_EN },
		{ "en;q=2", LANG_KO },
		{ "en;q=-1", LANG_KO },
		{ "en;q=", LANG_KO },
		{ "en;q", LANG_EN },
		{ "en;q=x", LANG_KO },
		{ "en;q=nan", LANG_KO },
		{ "en;q=inf", LANG_KO },
		{ "en ; q=0.5 , ko ;q=0.4", LANG_EN },
		{ "en;Q=0.5,ko;q=0.4", LANG_EN },
		{ "en;q=0.4,ko;x=1;q=0.5", LANG_KO },
		{ "eng", LANG_KO },
		{ "e", LANG_KO },
		{ "enx, kox", LANG_KO },
		{ "kor, en;q=0.5", LANG_EN },
		{ ",,en,,", LANG_EN },
		{ "*", LANG_KO },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_language(cases[i].header) != cases[i].lang)
			CU_FAIL(cases[i].header);
}

static void
accept_admits_by_its_most_specific_range(void)
{
	static const struct {
		const char *header;
		bool admits;
	} cases[] = {
		{ NULL, true },
		{ "", true },
		{ "  ", true },
		{ "application/json", true },
		{ "APPLICATION/JSON", true },
		{ "application/json;version=1", true },
		{ "application/*", true },
		{ "*/*", true },
		{ "text/html, application/json;q=0.1", true },
		{ "text/html,application/xhtml+xml,*/*;q=0.8", true },
		{ "text/html", false },
		{ "application/jsonx", false },
		{ "application/jso", false },
		{ "application", false },
		{ "application/", false },
		{ "text/*", false },
		{ "*", false },
		{ ",", false },
		{ "application/json;q=0", false },
		{ "application/json;q=0, */*", false },
		{ "*/*, application/json;q=0", false },
		{ "application/*;q=0, */*", false },
		{ "application/json, */*;q=0", true },
		{ "*/*;q=0, application/*;q=0.1", true },
		{ "*/*;q=0", false },
		{ "application/json ; q=0.0", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_accepts(cases[i].header, "application/json") != cases[i].admits)
			CU_FAIL(cases[i].header);
}

static void
media_types_are_compared_without_parameters(void)
{
	CU_ASSERT_TRUE(http_type_is("application/json", "application/json"));
	CU_ASSERT_TRUE(http_type_is("Application/JSON; charset=utf-8", "application/json"));
	CU_ASSERT_TRUE(http_type_is(" application/json ;x", "application/json"));
	CU_ASSERT_FALSE(http_type_is(NULL, "application/json"));
	CU_ASSERT_FALSE(http_type_is("", "application/json"));
	CU_ASSERT_FALSE(http_type_is("application/jsonp", "application/json"));
	CU_ASSERT_FALSE(http_type_is("application/json, text/html", "application/json"));
	CU_ASSERT_FALSE(http_type_is("text/plain; application/json", "application/json"));
}

static void
list_items_are_compared_exactly(void)
{
	CU_ASSERT_TRUE(http_list_has("GET, PUT ,POST", "PUT"));
	CU_ASSERT_TRUE(http_list_has("PUT", "PUT"));
	CU_ASSERT_TRUE(http_list_has("a,\tb", "b"));
	CU_ASSERT_FALSE(http_list_has("GET,PUT", "PU"));
	CU_ASSERT_FALSE(http_list_has("GET,PUT", "put"));
	CU_ASSERT_FALSE(http_list_has("", "PUT"));
	CU_ASSERT_FALSE(http_list_has("", ""));
	CU_ASSERT_FALSE(http_list_has(NULL, "PUT"));
	CU_ASSERT_TRUE(http_list_has("https://a.example,https://b.example", "https://b.example"));
	CU_ASSERT_FALSE(http_list_has("https://a.example", "https://a.example:1"));
}

static void
addresses_are_told_from_other_text(void)
{
	static const char *const good[] = { "127.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1",
		"2001:db8::7", "::ffff:10.0.0.1" };
	static const char *const bad[] = { "", "localhost", "127.0.0", "127.0.0.256", "127.0.0.1 ",
		" 127.0.0.1", "127.0.0.1/8", "127.0.0.01x", "1", "0x7f.0.0.1", ":",
		":::", "fe80::1%lo", "[::1]", "2001:db8::7::8", "12345::" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!http_is_address(good[i]))
			CU_FAIL(good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (http_is_address(bad[i]))
			CU_FAIL(bad[i]);
}

static void
networks_hold_their_addresses(void)
{
	static const struct {
		const char *list, *address;
		bool in;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "192.168.4.0/22", "192.168.7.255", true },
		{ "192.168.4.0/22", "192.168.8.0", false },
		{ "10.1.2.3/8", "10.9.9.9", true }, /* host bits do not count */
		{ "10.0.0.1/32", "10.0.0.1", true },
		{ "10.0.0.1/32", "10.0.0.0", false },
		{ "10.0.0.0/31", "10.0.0.1", true },
		{ "10.0.0.0/31", "10.0.0.2", false },
		{ "0.0.0.0/0", "8.8.8.8", true },
		{ "0.0.0.0/0", "::1", false },
		{ "0.0.0.0/0", "::ffff:8.8.8.8", true },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "10.0.0.1", true }, /* as ::ffff:10.0.0.1 */
		{ "10.0.0.0/8", "::ffff:10.1.1.1", true },
		{ "::ffff:10.0.0.0/104", "10.1.1.1", true },
		{ "::ffff:10.0.0.0/104", "11.1.1.1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::1/128", "::1", true },
		{ "::1", "::2", false },
		{ " 10.0.0.1 ,\t::1 ", "::1", true },
		{ "10.0.0.1,::1", "10.0.0.2", false },
		{ "nonsense,::1", "::1", true },
		{ "10.0.0.0/33", "10.0.0.0", false },
		{ "10.0.0.0/", "10.0.0.0", false },
		{ "", "10.0.0.0", false },
		{ NULL, "10.0.0.0", false },
		{ "10.0.0.0/8", "", false },
		{ "10.0.0.0/8", NULL, false },
		{ "10.0.0.0/8", "unix:", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_address_in(cases[i].list, cases[i].address) != cases[i].in) {
			printf("%s: ", cases[i].address);
			CU_FAIL(cases[i].list);
		}
}

static void
misshapen_networks_are_told(void)
{
	static const char *const good[] = { "", "10.0.0.0/8", "127.0.0.0/8,::1/128",
		"::/0, 0.0.0.0/0", "1.2.3.4", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128" };
	static const char *const bad[] = { "x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
		"::/129", "10.0.0.0/8/8", "10.0.0.0 /8", "/8", ",", "10.0.0.0,,::1", "10.0.0.0;::1",
		"10/8",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	CU_ASSERT_TRUE(http_networks_valid(NULL));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!http_networks_valid(good[i]))
			CU_FAIL(good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (http_networks_valid(bad[i]))
			CU_FAIL(bad[i]);
}

static void
numbers_are_plain_decimals_within_limits(void)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "01", "00", "1.0", "1e3",
		"0x1", "a", "1a", "1000000000000000000", "18446744073709551617", "\xd9\xa1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (http_number(bad[i], 0, INT64_MAX) != -1)
			CU_FAIL(bad[i]);
	CU_ASSERT_EQUAL(http_number("0", 0, 10), 0);
	CU_ASSERT_EQUAL(http_number("10", 0, 10), 10);
	CU_ASSERT_EQUAL(http_number("11", 0, 10), -1);
	CU_ASSERT_EQUAL(http_number("0", 1, 10), -1);
	CU_ASSERT_EQUAL(http_number("9007199254740991", 1, INT64_C(9007199254740991)),
	    INT64_C(9007199254740991));
	CU_ASSERT_EQUAL(
	    http_number("999999999999999999", 0, INT64_MAX), INT64_C(999999999999999999));
}

static void
uuids_have_their_shape(void)
{
	static const char *const bad[] = { "", "0", "00000000-0000-0000-0000-00000000000",
		"00000000-0000-0000-0000-0000000000000", "000000000-000-0000-0000-000000000000",
		"00000000-0000-0000-0000-00000000000g", "{0000000-0000-0000-0000-000000000000",
		"00000000000000000000000000000000", "00000000-0000-0000-0000 000000000000",
		"00000000_0000-0000-0000-000000000000" };

	CU_ASSERT_TRUE(http_is_uuid("00000000-0000-0000-0000-000000000000"));
	CU_ASSERT_TRUE(http_is_uuid("0189aBcD-ef01-4234-9abc-deF012345678"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *copy = exactly(bad[i], strlen(bad[i]) + 1);

		if (http_is_uuid(copy))
			CU_FAIL(bad[i]);
		free(copy);
	}
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "every code point is taken, and no other",
		    every_code_point_is_taken_and_no_other },
		{ "malformed UTF-8 is refused", malformed_utf8_is_refused },
		{ "length counts code points", length_counts_code_points },
		{ "percent escapes are undone", percent_escapes_are_undone },
		{ "query parameters are found by their whole name",
		    query_parameters_are_found_by_their_whole_name },
		{ "cookies are found by their whole name", cookies_are_found_by_their_whole_name },
		{ "a bearer token is told from other schemes",
		    a_bearer_token_is_told_from_other_schemes },
		{ "the better-liked language is spoken", the_better_liked_language_is_spoken },
		{ "Accept admits by its most specific range",
		    accept_admits_by_its_most_specific_range },
		{ "media types are compared without parameters",
		    media_types_are_compared_without_parameters },
		{ "list items are compared exactly", list_items_are_compared_exactly },
		{ "addresses are told from other text", addresses_are_told_from_other_text },
		{ "networks hold their addresses", networks_hold_their_addresses },
		{ "misshapen networks are told", misshapen_networks_are_told },
		{ "numbers are plain decimals within limits",
		    numbers_are_plain_decimals_within_limits },
		{ "UUIDs have their shape", uuids_have_their_shape },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(1 << 16);
	status = unit_main("http", tests);
	arena_free(arena);
	return status;
}
