/* arena: memory that goes back at once. */
#include "config.h"

#include "arena.h"

#include "unit.h"

#include <stdalign.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int calls[4];
static int call_count;

static void
note(void *object)
{
	calls[call_count++] = *(int *)object;
}

static void
memory_is_zeroed_and_aligned(void)
{
	struct arena *a = arena_new(100);

	for (size_t size = 0; size < 300; size++) {
		unsigned char *p = arena_alloc(a, size);
		unsigned char any = 0;

		CU_ASSERT_EQUAL_FATAL((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			any |= p[i];
		CU_ASSERT_EQUAL_FATAL(any, 0);
		memset(p, 0xff, size);
	}
	arena_free(a);
}

static void
memory_taken_again_is_zeroed(void)
{
	struct arena *a = arena_new(100);
	struct arena_mark mark = arena_mark(a);
	char *first = arena_alloc(a, 50);

	memset(first, 'x', 50);
	arena_reset(a, mark);
	CU_ASSERT_PTR_EQUAL(arena_alloc(a, 50), first);
	CU_ASSERT_EQUAL(first[49], '\0');
	arena_free(a);
}

/* A chunk after a large one is no larger than any: an answer's text, its copy to send, and so on.
 */
static void
large_pieces_do_not_make_large_chunks(void)
{
	struct arena *a = arena_new(64);
	struct arena_mark mark = arena_mark(a);

	arena_alloc(a, ARENA_LIMIT_BYTES / 2);
	for (int i = 0; i < 1000; i++)
		arena_alloc(a, 64);
	arena_alloc(a, ARENA_LIMIT_BYTES / 4);
	arena_reset(a, mark);
	arena_alloc(a, ARENA_LIMIT_BYTES - 64);
	arena_free(a);
}

static void
reset_keeps_what_was_before_the_mark(void)
{
	struct arena *a = arena_new(64);
	char *before = arena_strdup(a, "before");
	struct arena_mark mark = arena_mark(a);

	for (int i = 0; i < 100; i++)
		memset(arena_alloc(a, 1000), 'x', 1000);
	arena_reset(a, mark);
	CU_ASSERT_STRING_EQUAL(before, "before");
	CU_ASSERT_STRING_EQUAL(arena_strdup(a, "after"), "after");
	CU_ASSERT_STRING_EQUAL(before, "before");
	arena_free(a);
}

static void
objects_are_released_last_first(void)
{
	struct arena *a = arena_new(64);
	static int ids[] = { 0, 1, 2 };
	struct arena_mark mark;

	call_count = 0;
	arena_defer(a, note, &ids[0]);
	mark = arena_mark(a);
	arena_defer(a, note, &ids[1]);
	arena_alloc(a, 5000);
	arena_defer(a, note, &ids[2]);
	arena_reset(a, mark);
	CU_ASSERT_EQUAL(call_count, 2);
	CU_ASSERT_EQUAL(calls[0], 2);
	CU_ASSERT_EQUAL(calls[1], 1);
	arena_reset(a, mark);
	CU_ASSERT_EQUAL(call_count, 2);
	arena_free(a);
	CU_ASSERT_EQUAL(call_count, 3);
	CU_ASSERT_EQUAL(calls[2], 0);
}

static void
texts_are_copies(void)
{
	struct arena *a = arena_new(16);
	char source[] = "abcdef";
	char *part = arena_strndup(a, source, 3);

	source[0] = 'x';
	CU_ASSERT_STRING_EQUAL(part, "abc");
	CU_ASSERT_STRING_EQUAL(arena_strndup(a, NULL, 0), "");
	CU_ASSERT_STRING_EQUAL(arena_printf(a, "%s-%d", "t", 12), "t-12");
	CU_ASSERT_EQUAL(strlen(arena_printf(a, "%5000s", "")), 5000);
	arena_free(a);
}

static void
a_buffer_grows(void)
{
	struct arena *a = arena_new(16);
	struct buf b;

	buf_init(&b, a, 0);
	CU_ASSERT_STRING_EQUAL(b.data, "");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%03d,", i);
	buf_add(&b, "", 0);
	buf_puts(&b, "end");
	CU_ASSERT_EQUAL(b.len, 4003);
	CU_ASSERT_EQUAL(strlen(b.data), 4003);
	CU_ASSERT_NSTRING_EQUAL(b.data + 400, "100,101,", 8);
	CU_ASSERT_STRING_EQUAL(b.data + 3996, "999,end");
	buf_add(&b, "a\0b", 3);
	CU_ASSERT_EQUAL(b.len, 4006);
	CU_ASSERT_EQUAL(b.data[4005], 'b');
	arena_free(a);
}

/* The signal that ends a child which takes size bytes n times; 0 when it lives. */
static int
death_by(size_t size, int n)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct rlimit none = { 0, 0 };
		struct arena *a = arena_new(100);

		setrlimit(RLIMIT_CORE, &none);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(3);
		while (n-- > 0)
			arena_alloc(a, size);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
a_request_that_wants_too_much_aborts(void)
{
	CU_ASSERT_EQUAL(death_by(ARENA_LIMIT_BYTES / 4, 2), 0);
	CU_ASSERT_EQUAL(death_by(ARENA_LIMIT_BYTES + 1, 1), SIGABRT);
	CU_ASSERT_EQUAL(death_by(SIZE_MAX, 1), SIGABRT);
	CU_ASSERT_EQUAL(death_by(SIZE_MAX - 3, 1), SIGABRT);
	CU_ASSERT_EQUAL(death_by(ARENA_LIMIT_BYTES / 16, 20), SIGABRT);
}

static void
what_a_reset_gave_back_counts_no_more(void)
{
	struct arena *a = arena_new(100);
	struct arena_mark mark = arena_mark(a);

	for (int i = 0; i < 50; i++) {
		arena_alloc(a, ARENA_LIMIT_BYTES / 4);
		arena_reset(a, mark);
	}
	arena_free(a);
	arena_free(NULL);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "memory is zeroed and aligned", memory_is_zeroed_and_aligned },
		{ "memory taken again is zeroed", memory_taken_again_is_zeroed },
		{ "large pieces do not make large chunks", large_pieces_do_not_make_large_chunks },
		{ "reset keeps what was before the mark", reset_keeps_what_was_before_the_mark },
		{ "objects are released, last first", objects_are_released_last_first },
		{ "texts are copies", texts_are_copies },
		{ "a buffer grows", a_buffer_grows },
		{ "a request that wants too much aborts", a_request_that_wants_too_much_aborts },
		{ "what a reset gave back counts no more", what_a_reset_gave_back_counts_no_more },
		CU_TEST_INFO_NULL,
	};

	return unit_main("arena", tests);
}
