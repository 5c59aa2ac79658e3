/* multipart: whole forms are read; what lies about itself is refused. */
#include "config.h"

#include "multipart.h"

#include "unit.h"

#include <stdbool.h>

#define TYPE "multipart/form-data; boundary=b"
#define FIELD(name) "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n"

static struct arena *arena;
static struct multipart form;
static char *body; /* of the last read: parts point into it */

/* Reads n bytes that lie in memory of exactly their size. */
static const char *
read_bytes(const char *type, const char *bytes, size_t n)
{
	free(body);
	body = malloc(n > 0 ? n : 1);
	if (body == NULL)
		abort();
	memcpy(body, bytes, n);
	memset(&form, 0xff, sizeof(form));
	return multipart_read(arena, type, body, n, &form);
}

static const char *
read_form(const char *type, const char *text)
{
	return read_bytes(type, text, strlen(text));
}

static bool
has(int i, const char *name, const char *filename, const char *bytes)
{
	const struct multipart_part *p = &form.parts[i];

	return i < form.count && strcmp(p->name, name) == 0 &&
	    (filename == NULL ? p->filename == NULL
			      : p->filename != NULL && strcmp(p->filename, filename) == 0) &&
	    p->size == strlen(bytes) && memcmp(p->bytes, bytes, p->size) == 0;
}

static void
fields_and_files_are_told_apart(void)
{
	CU_ASSERT_PTR_NULL(read_form("Multipart/Form-Data; charset=utf-8; boundary=\"x y\"",
	    "--x y\r\n" FIELD(
		"name") "Kimchi\r\n"
			"--x y\r\ncontent-type: image/png\r\n"
			"CONTENT-DISPOSITION: form-data; name=image; filename=\"a;b.png\"\r\n"
			"X-Other: 1\r\n\r\n\x89PNG\r\n--x\r\n"
			"\r\n--x y--\r\n"));
	CU_ASSERT_EQUAL_FATAL(form.count, 2);
	CU_ASSERT_TRUE(has(0, "name", NULL, "Kimchi"));
	CU_ASSERT_TRUE(has(1, "image", "a;b.png", "\x89PNG\r\n--x\r\n"));
}

static void
parts_may_be_empty_or_hold_line_ends(void)
{
	CU_ASSERT_PTR_NULL(read_form(TYPE,
	    "--b\r\n" FIELD("empty") "\r\n--b\r\n" FIELD("lines") "\r\na\r\n\r\nb\r\n\r\n--b--"));
	CU_ASSERT_EQUAL_FATAL(form.count, 2);
	CU_ASSERT_TRUE(has(0, "empty", NULL, ""));
	CU_ASSERT_TRUE(has(1, "lines", NULL, "\r\na\r\n\r\nb\r\n"));
}

static void
a_form_without_parts_is_one(void)
{
	CU_ASSERT_PTR_NULL(read_form(TYPE, "--b--"));
	CU_ASSERT_EQUAL(form.count, 0);
}

static void
what_follows_the_last_boundary_does_not_count(void)
{
	CU_ASSERT_PTR_NULL(
	    read_form(TYPE, "--b\r\n" FIELD("a") "1\r\n--b--\r\n--b\r\n" FIELD("c") "2\r\n--b--"));
	CU_ASSERT_EQUAL(form.count, 1);
}

static void
the_boundary_may_be_written_in_many_ways(void)
{
	static const char *const good[] = { "multipart/form-data;boundary=b",
		"multipart/form-data; Boundary=b", "multipart/form-data; boundary=\"b\"",
		"multipart/form-data; x=\"; boundary=no\"; boundary=b",
		"multipart/form-data;\tboundary=b ; charset=utf-8",
		"multipart/form-data; xboundary=c; boundary=b" };
	static const char *const bad[] = { "", "multipart/form-data", "multipart/form-data;",
		"multipart/form-data; boundary",
		"multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"b", "multipart/form-data; boundary =b",
		"multipart/form-data; x=\"; boundary=b", "multipart/form-data; boundary=c",
		"multipart/form-data boundary=b",
		("multipart/form-data; boundary="
		 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb") };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (read_form(good[i], "--b\r\n" FIELD("a") "1\r\n--b--") != NULL ||
		    !has(0, "a", NULL, "1"))
			CU_FAIL(good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_form(bad[i], "--b\r\n" FIELD("a") "1\r\n--b--") == NULL)
			CU_FAIL(bad[i]);
}

static void
seventy_characters_are_a_boundary_71_are_not(void)
{
	char type[200], text[300], boundary[72];

	for (size_t n = 70; n <= 71; n++) {
		memset(boundary, 'x', n);
		boundary[n] = '\0';
		snprintf(type, sizeof(type), "multipart/form-data; boundary=%s", boundary);
		snprintf(
		    text, sizeof(text), "--%s\r\n" FIELD("a") "1\r\n--%s--", boundary, boundary);
		CU_ASSERT_EQUAL(read_form(type, text) == NULL, n == 70);
	}
}

static void
forms_that_lie_are_refused(void)
{
	static const char *const bad[] = {
		"", "-", "--", "--b", "--b-", "--b\r", "--b\r\n", "--b\n" FIELD("a") "1\n--b--",
		"\r\n--b\r\n" FIELD("a") "1\r\n--b--", /* a preamble */
		"preamble\r\n--b\r\n" FIELD("a") "1\r\n--b--", "xxb\r\n" FIELD("a") "1\r\n--b--",
		"--bxx" FIELD("a") "1\r\n--b--", "--B\r\n" FIELD("a") "1\r\n--B--",
		"--b\r\n" FIELD("a") "1", "--b\r\n" FIELD("a") "1\r\n",
		"--b\r\n" FIELD("a") "1\r\n--b", "--b\r\n" FIELD("a") "1\r\n--b-",
		"--b\r\n" FIELD("a") "1\r\n--b\r\n",
		"--b\r\n" FIELD("a") "1\r\n--bb--", /* a boundary that only begins like it */
		"--b \r\n" FIELD("a") "1\r\n--b--", "--b\r\n\r\n--b--", /* no header */
		"--b\r\n\r\n\r\n--b--", "--b\r\n\r\n1\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=a\r\n--b--",  /* no blank line */
		"--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--",       /* no disposition */
		"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", /* no name */
		"--b\r\nContent-Disposition: form-data; name=\r\n\r\n1\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n1\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--b--",
		"--b\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\n1\r\n--b--",
		"--b\r\nContent-Disposition: form-data; x=\"; name=a\r\n\r\n1\r\n--b--",
		"--b\r\nX: 1\r\n Content-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
		"--b\r\n" FIELD("\xff") "1\r\n--b--", "--b\r\n" FIELD("\xed\x95") "1\r\n--b--",
		"--b\r\n" FIELD("a") "1\r\n--b\r\n" FIELD("") "1\r\n--b--", /* the second part */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why = read_form(TYPE, bad[i]);

		if (why == NULL || *why == '\0')
			CU_FAIL(bad[i]);
	}
}

static void
a_nul_does_not_cut_a_name_short(void)
{
	static const char name[] =
	    "--b\r\nContent-Disposition: form-data; name=\"image\0x\"\r\n\r\n1\r\n--b--";
	static const char filename[] =
	    "--b\r\nContent-Disposition: form-data; name=a; filename=\"\0x\"\r\n\r\n1\r\n--b--";
	static const char bare[] =
	    "--b\r\nContent-Disposition: form-data; name=image\0x\r\n\r\n1\r\n--b--";
	static const char content[] = "--b\r\n" FIELD("a") "1\0002\r\n--b--";

	CU_ASSERT_PTR_NOT_NULL(read_bytes(TYPE, name, sizeof(name) - 1));
	CU_ASSERT_PTR_NOT_NULL(read_bytes(TYPE, filename, sizeof(filename) - 1));
	CU_ASSERT_PTR_NOT_NULL(read_bytes(TYPE, bare, sizeof(bare) - 1));
	CU_ASSERT_PTR_NULL(read_bytes(TYPE, content, sizeof(content) - 1));
	CU_ASSERT_EQUAL(form.parts[0].size, 3);
}

static void
every_cut_of_a_form_is_refused(void)
{
	static const char text[] =
	    "--b\r\n" FIELD("a") "1\r\n--b\r\nContent-Disposition: form-data; "
				 "name=\"f\"; filename=\"x\"\r\n\r\n\x89PNG\r\n--b--";

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		if (read_bytes(TYPE, text, n) == NULL) {
			printf("%zu bytes ", n);
			CU_FAIL("a cut form was taken");
		}
	CU_ASSERT_PTR_NULL(read_bytes(TYPE, text, sizeof(text) - 1));
}

static void
thirty_two_parts_are_the_limit(void)
{
	for (int n = MULTIPART_PARTS; n <= MULTIPART_PARTS + 1; n++) {
		char text[8000] = "";

		for (int i = 0; i < n; i++)
			strcat(text, "--b\r\n" FIELD("a") "1\r\n");
		strcat(text, "--b--");
		CU_ASSERT_EQUAL(read_form(TYPE, text) == NULL, n == MULTIPART_PARTS);
		CU_ASSERT_EQUAL(form.count, MULTIPART_PARTS);
	}
}

static void
headers_have_a_limit(void)
{
	char text[6000];

	snprintf(text, sizeof(text), "--b\r\nX: %04000d\r\n" FIELD("a") "1\r\n--b--", 0);
	CU_ASSERT_PTR_NULL(read_form(TYPE, text));
	snprintf(text, sizeof(text), "--b\r\nX: %04096d\r\n" FIELD("a") "1\r\n--b--", 0);
	CU_ASSERT_PTR_NOT_NULL(read_form(TYPE, text));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "fields and files are told apart", fields_and_files_are_told_apart },
		{ "parts may be empty or hold line ends", parts_may_be_empty_or_hold_line_ends },
		{ "a form without parts is one", a_form_without_parts_is_one },
		{ "what follows the last boundary does not count",
		    what_follows_the_last_boundary_does_not_count },
		{ "the boundary may be written in many ways",
		    the_boundary_may_be_written_in_many_ways },
		{ "70 characters are a boundary, 71 are not",
		    seventy_characters_are_a_boundary_71_are_not },
		{ "forms that lie are refused", forms_that_lie_are_refused },
		{ "a NUL does not cut a name short", a_nul_does_not_cut_a_name_short },
		{ "every cut of a form is refused", every_cut_of_a_form_is_refused },
		{ "32 parts are the limit", thirty_two_parts_are_the_limit },
		{ "headers have a limit", headers_have_a_limit },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(1 << 16);
	status = unit_main("multipart", tests);
	free(body);
	arena_free(arena);
	return status;
}
