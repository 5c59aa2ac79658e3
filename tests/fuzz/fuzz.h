/*
 * fuzz: what the fuzz targets share. A target is one LLVMFuzzerTestOneInput(),
 * linked with libFuzzer by configure --enable-fuzzing, or with replay.c, which
 * feeds it the files of its corpus.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input; a finding when it does not. */
#define FUZZ_CHECK(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

/* The bytes in memory of exactly their size, with a NUL behind them when asked for; free() it. */
static inline char *
fuzz_copy(const void *bytes, size_t size, size_t nul)
{
	char *copy = malloc(size + nul > 0 ? size + nul : 1);

	FUZZ_CHECK(copy != NULL);
	if (size > 0)
		memcpy(copy, bytes, size);
	if (nul > 0)
		copy[size] = '\0';
	return copy;
}

/* How many bytes stand before the first newline; *rest is where the next line begins. */
static inline size_t
fuzz_first_line(const uint8_t *data, size_t size, size_t *rest)
{
	const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n = newline != NULL ? (size_t)(newline - data) : size;

	*rest = newline != NULL ? n + 1 : size;
	return n;
}

#endif
