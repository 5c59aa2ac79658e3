/* json: RFC 8259 and nothing more, whatever json-c would take. */
#include "config.h"

#include "json.h"

#include "unit.h"

static struct arena *arena;
static const char *why;

/* The value of the n bytes, which lie in memory of exactly their size. */
static json_object *
read_bytes(const char *bytes, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);
	json_object *o;

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, n);
	o = json_read(arena, copy, n, &why);
	free(copy);
	return o;
}

static json_object *
read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void
expect(const char *text, const char *again)
{
	json_object *o = read_text(text);

	if (why != NULL || strcmp(json_text(arena, o), again) != 0) {
		printf("%s: %s ", text, why != NULL ? why : json_text(arena, o));
		CU_FAIL("not read as it should be");
	}
}

static void
refuse(const char *bytes, size_t n)
{
	json_object *o = read_bytes(bytes, n);

	if (o != NULL || why == NULL || *why == '\0') {
		printf("%.*s: ", (int)n, bytes);
		CU_FAIL("not refused");
	}
}

static void
values_of_every_type_are_read(void)
{
	expect("{}", "{}");
	expect("[]", "[]");
	expect(" \t\r\n{ \"a\" : [ 1 , -2 , true , false , null ] } \n",
	    "{\"a\":[1,-2,true,false,null]}");
	expect("{\"a\":\"\\u0041\\n\\\"\\\\\\/\"}", "{\"a\":\"A\\n\\\"\\\\/\"}");
	expect("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"");
	expect("{\"\xea\xb0\x80\":\"\xea\xb0\x81\"}", "{\"\xea\xb0\x80\":\"\xea\xb0\x81\"}");
	expect("[0,10,1.5,-0.25,1e2,1E+2,1e-2]", "[0,10,1.5,-0.25,1e2,1E+2,1e-2]");
	expect("\"it's /* no comment */\"", "\"it's /* no comment */\"");
}

static void
a_text_may_be_any_value(void)
{
	expect("1", "1");
	expect("-1", "-1");
	expect("true", "true");
	expect("\"\"", "\"\"");
	CU_ASSERT_PTR_NULL(read_text("null"));
	CU_ASSERT_PTR_NULL(why);
	CU_ASSERT_PTR_NULL(read_text(" null "));
	CU_ASSERT_PTR_NULL(why);
}

static void
what_is_not_json_is_refused(void)
{
	static const char *const bad[] = { "", " ", "{", "}", "[", "]", "{]", "[}", "[1", "[1,",
		"[1,]", "[,1]", "[1 2]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
		"{\"a\":1 \"b\":2}", "{a:1}", "{1:1}", "{'a':1}", "['a']", "\"", "\"a", "\"\\",
		"\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\'\"", "\"a\nb\"", "\"a\tb\"", "tru",
		"True", "TRUE", "nul", "Null", "nulls", "truefalse", "NaN", "nan", "-NaN",
		"Infinity", "-Infinity", "[NaN]", "[-Infinity]", "infinity", "01", "-01", "00", "-",
		"+1", ".5", "1.", "-.5", "1e", "1e+", "1.e1", "0x10", "1_000", "--1", "1-1",
		"1.2.3", "/* a */ 1", "1 // a", "{}x", "{}{}", "[] []", "1 2", "1,2", "{}\"",
		"\xef\xbb\xbf{}", "\v1", "1\f", "[01]", "{\"a\":01}", "[1.]", "[-]", "\x7f", "[1e]",
		"[1-1]", "{\"a\":Infinity}", "[-I]" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse(bad[i], strlen(bad[i]));
}

static void
nul_bytes_are_refused_wherever_they_stand(void)
{
	refuse("\0", 1);
	refuse("{}\0", 3);
	refuse("{}\0x", 4);
	refuse("\0{}", 3);
	refuse("{\"a\":\"b\0c\"}", 11);
	refuse("1\0", 2);
}

static void
invalid_utf8_is_refused(void)
{
	refuse("\"\xff\"", 3);
	refuse("\"\xc0\xaf\"", 4);
	refuse("\"\xed\xa0\x80\"", 5);
	refuse("{\"\x80\":1}", 7);
	refuse("{}\xc3", 3);
	refuse("\"\xed\x95", 3);
}

static void
nested(char *out, size_t depth, const char *open, const char *close)
{
	*out = '\0';
	for (size_t i = 0; i < depth; i++)
		strcat(out, open);
	for (size_t i = 0; i < depth; i++)
		strcat(out, close);
}

static void
nested_in_objects(char *out, size_t depth)
{
	*out = '\0';
	for (size_t i = 0; i < depth; i++)
		strcat(out, "{\"a\":");
	strcat(out, "1");
	for (size_t i = 0; i < depth; i++)
		strcat(out, "}");
}

static void
sixteen_levels_are_the_limit(void)
{
	char text[4000];

	nested(text, 16, "[", "]");
	CU_ASSERT_PTR_NOT_NULL(read_text(text));
	nested(text, 17, "[", "]");
	refuse(text, strlen(text));
	nested(text, 1000, "[", "]");
	refuse(text, strlen(text));
	/* a scalar is a level, too */
	nested_in_objects(text, 15);
	CU_ASSERT_PTR_NOT_NULL(read_text(text));
	nested_in_objects(text, 16);
	refuse(text, strlen(text));
}

static void
the_last_of_equal_names_counts(void)
{
	expect("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}");
}

static void
integers_beyond_64_bits_are_no_small_ones(void)
{
	CU_ASSERT_EQUAL(json_object_get_int64(read_text("9223372036854775807")), INT64_MAX);
	CU_ASSERT_EQUAL(json_object_get_int64(read_text("9223372036854775808")), INT64_MAX);
	CU_ASSERT_EQUAL(json_object_get_int64(read_text("99999999999999999999999")), INT64_MAX);
	CU_ASSERT_EQUAL(json_object_get_int64(read_text("-99999999999999999999999")), INT64_MIN);
}

static void
every_cut_of_a_text_is_refused(void)
{
	static const char text[] =
	    "{\"items\":[{\"menu_id\":12,\"note\":\"\\u00e9\xed\x95\x9c\"},true]}";

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		refuse(text, n);
	CU_ASSERT_PTR_NOT_NULL(read_text(text));
}

static void
what_is_made_can_be_read_again(void)
{
	json_object *o = json_new_object(arena), *list = json_new_array(arena);

	json_put_text(o, "text", "a\"b/\x01\xed\x95\x9c");
	json_put_text(o, "none", NULL);
	json_put_int(o, "int", JSON_INT_MAX);
	json_put_bool(o, "bool", true);
	json_append(list, o);
	json_append(list, o);
	expect(json_text(arena, list),
	    "[{\"text\":\"a\\\"b/\\u0001\xed\x95\x9c\",\"none\":null,\"int\":9007199254740991,"
	    "\"bool\":true},{\"text\":\"a\\\"b/\\u0001\xed\x95\x9c\",\"none\":null,"
	    "\"int\":9007199254740991,\"bool\":true}]");
}

static void
the_arena_owns_every_value(void)
{
	struct arena *a = arena_new(256);
	struct arena_mark mark = arena_mark(a);
	json_object *outer = json_new_object(arena), *inner;

	inner = json_new_array(a);
	json_put(outer, "inner", inner);
	arena_reset(a, mark);
	CU_ASSERT_STRING_EQUAL(json_text(arena, outer), "{\"inner\":[]}");
	arena_free(a);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "values of every type are read", values_of_every_type_are_read },
		{ "a text may be any value", a_text_may_be_any_value },
		{ "what is not JSON is refused", what_is_not_json_is_refused },
		{ "NUL bytes are refused wherever they stand",
		    nul_bytes_are_refused_wherever_they_stand },
		{ "invalid UTF-8 is refused", invalid_utf8_is_refused },
		{ "sixteen levels are the limit", sixteen_levels_are_the_limit },
		{ "the last of equal names counts", the_last_of_equal_names_counts },
		{ "integers beyond 64 bits are no small ones",
		    integers_beyond_64_bits_are_no_small_ones },
		{ "every cut of a text is refused", every_cut_of_a_text_is_refused },
		{ "what is made can be read again", what_is_made_can_be_read_again },
		{ "the arena owns every value", the_arena_owns_every_value },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(1 << 16);
	status = unit_main("json", tests);
	arena_free(arena);
	return status;
}
