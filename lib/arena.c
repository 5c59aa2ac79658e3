#include "config.h"

#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
	struct chunk *prev;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char bytes[];
};

struct defer {
	struct defer *prev;
	void (*release)(void *);
	void *object;
};

struct arena {
	struct chunk *top;
	struct defer *defers;
	size_t chunk; /* what a chunk has at least */
	size_t total;
};

static void
out_of_memory(const char *why)
{
	fprintf(stderr, "table-order: %s\n", why);
	abort();
}

static struct chunk *
chunk_new(struct chunk *prev, size_t size)
{
	struct chunk *c = malloc(sizeof(*c) + size);

	if (c == NULL)
		out_of_memory("out of memory");
	c->prev = prev;
	c->size = size;
	c->used = 0;
	return c;
}

struct arena *
arena_new(size_t first_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a == NULL)
		out_of_memory("out of memory");
	a->top = chunk_new(NULL, first_bytes);
	a->chunk = first_bytes;
	a->total = first_bytes;
	return a;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a, (struct arena_mark) { 0 });
	free(a->top);
	free(a);
}

void *
arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct chunk *c = a->top;
	void *p;

	if (need < size || need > ARENA_LIMIT_BYTES)
		out_of_memory("a request asked for more memory than any may have");
	if (c->size - c->used < need) {
		size_t grow = a->chunk > need ? a->chunk : need;

		if (a->total + grow > ARENA_LIMIT_BYTES)
			out_of_memory("a request asked for more memory than any may have");
		c = a->top = chunk_new(c, grow);
		a->total += grow;
	}
	p = c->bytes + c->used;
	c->used += need;
	return memset(p, 0, need);
}

char *
arena_strndup(struct arena *a, const char *p, size_t n)
{
	char *s = arena_alloc(a, n + 1);

	if (n > 0)
		memcpy(s, p, n);
	return s;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_vprintf(struct arena *a, const char *format, va_list args)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		abort();
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, format, args);
	return s;
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	s = arena_vprintf(a, format, args);
	va_end(args);
	return s;
}

void
arena_defer(struct arena *a, void (*release)(void *), void *object)
{
	struct defer *d = arena_alloc(a, sizeof(*d));

	d->prev = a->defers;
	d->release = release;
	d->object = object;
	a->defers = d;
}

struct arena_mark
arena_mark(struct arena *a)
{
	return (struct arena_mark) { a->top, a->top->used, a->defers };
}

void
arena_reset(struct arena *a, struct arena_mark mark)
{
	while (a->defers != NULL && a->defers != mark.defers) {
		struct defer *d = a->defers;

		a->defers = d->prev;
		d->release(d->object);
	}
	while (a->top->prev != NULL && a->top != mark.chunk) {
		struct chunk *c = a->top;

		a->top = c->prev;
		a->total -= c->size;
		free(c);
	}
	a->top->used = a->top == mark.chunk ? mark.used : 0;
}

void
buf_init(struct buf *b, struct arena *a, size_t size_hint)
{
	*b = (struct buf) { .arena = a, .size = size_hint + 1 };
	b->data = arena_alloc(a, b->size);
}

void
buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (n >= b->size - b->len) {
		size_t size = (b->len + n + 1) * 2;
		char *data = arena_alloc(b->arena, size);

		memcpy(data, b->data, b->len);
		b->data = data;
		b->size = size;
	}
	if (n > 0)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	s = arena_vprintf(b->arena, format, args);
	va_end(args);
	buf_puts(b, s);
}
