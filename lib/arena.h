/*
 * arena: the memory of one request. Everything is taken from here and goes
 * back at once when the arena is reset to a mark; nothing is freed singly.
 *
 * Allocation never returns NULL: a process that is out of memory, or a request
 * that passes ARENA_LIMIT_BYTES, aborts (the supervisor starts a new one). An
 * arena belongs to one thread.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stdarg.h>
#include <stddef.h>

/* More than any request may need: a 6 MiB body, decoded, and its answer. */
#define ARENA_LIMIT_BYTES ((size_t)128 << 20)

struct arena;

/* A point to return to; made by arena_mark(). */
struct arena_mark {
	void *chunk;
	size_t used;
	void *defers;
};

/* A new arena whose first chunk holds first_bytes and is kept over resets. */
struct arena *arena_new(size_t first_bytes);
void arena_free(struct arena *a);

/* size zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy of the n bytes at p with a NUL behind them. */
char *arena_strndup(struct arena *a, const char *p, size_t n);
char *arena_strdup(struct arena *a, const char *s);
/* printf into new memory. */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), nonnull(2)));

/* Calls release(object) when the arena is reset past this point; last in, first out. */
void arena_defer(struct arena *a, void (*release)(void *object), void *object);

struct arena_mark arena_mark(struct arena *a);
/* Takes back everything since the mark. */
void arena_reset(struct arena *a, struct arena_mark mark);

/* A growing string in an arena, always NUL-terminated; data is valid until the next buf_ call. */
struct buf {
	struct arena *arena;
	char *data;
	size_t len;
	size_t size;
};

void buf_init(struct buf *b, struct arena *a, size_t size_hint);
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
