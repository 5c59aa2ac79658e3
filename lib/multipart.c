#include "config.h"

#include "multipart.h"

#include "http.h"

#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 70
#define HEAD_MAX 4096

/* The value of a parameter (;name=value or ;name="value") in a header's n bytes, or NULL. */
static char *
parameter(struct arena *a, const char *header, size_t n, const char *name)
{
	const char *end = header + n, *p = memchr(header, ';', n);
	size_t len = strlen(name);

	while (p != NULL) {
		const char *start;
		size_t size;

		for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
			continue;
		if ((size_t)(end - p) > len && strncasecmp(p, name, len) == 0 && p[len] == '=') {
			p += len + 1;
			if (p < end && *p == '"') {
				start = p + 1;
				p = memchr(start, '"', (size_t)(end - start));
				return p != NULL ? arena_strndup(a, start, (size_t)(p - start))
						 : NULL;
			}
			for (size = 0; p + size < end && strchr("; \t\r\n", p[size]) == NULL;
			     size++)
				continue;
			return arena_strndup(a, p, size);
		}
		/* over a quoted value, in which ; means nothing */
		for (; p < end && *p != ';'; p++) {
			if (*p != '"')
				continue;
			start = p + 1;
			p = memchr(start, '"', (size_t)(end - start));
			if (p == NULL)
				return NULL;
		}
		if (p >= end)
			p = NULL;
	}
	return NULL;
}

/* The Content-Disposition among a part's header lines; its length in *n. NULL: none. */
static const char *
disposition(const char *head, size_t size, size_t *n)
{
	static const char field[] = "Content-Disposition:";
	const char *end = head + size;

	while (head < end) {
		const char *eol = memmem(head, (size_t)(end - head), "\r\n", 2);
		size_t len = (size_t)((eol != NULL ? eol : end) - head);

		if (len >= sizeof(field) - 1 && strncasecmp(head, field, sizeof(field) - 1) == 0) {
			*n = len;
			return head;
		}
		head += len + 2;
	}
	return NULL;
}

static const char *
read_part(struct arena *a, const char *part, size_t size, struct multipart_part *out)
{
	const char *blank = memmem(part, size < HEAD_MAX ? size : HEAD_MAX, "\r\n\r\n", 4);
	const char *line;
	size_t n;

	if (blank == NULL)
		return "a part has no end of its headers";
	if (memchr(part, '\0', (size_t)(blank - part)) != NULL)
		return "a part's headers hold a NUL byte";
	line = disposition(part, (size_t)(blank - part), &n);
	out->name = line != NULL ? parameter(a, line, n, "name") : NULL;
	if (out->name == NULL || *out->name == '\0')
		return "a part has no name";
	out->filename = parameter(a, line, n, "filename");
	if (!http_utf8_valid(out->name, strlen(out->name)))
		return "a part's name is not UTF-8";
	out->bytes = blank + 4;
	out->size = size - (size_t)(out->bytes - part);
	return NULL;
}

const char *
multipart_read(
    struct arena *a, const char *content_type, const char *body, size_t size, struct multipart *out)
{
	const char *boundary = parameter(a, content_type, strlen(content_type), "boundary");
	const char *p, *end = body + size, *delimiter, *why;
	size_t n;

	out->count = 0;
	if (boundary == NULL || *boundary == '\0' || strlen(boundary) > BOUNDARY_MAX)
		return "the Content-Type has no boundary";
	delimiter = arena_printf(a, "\r\n--%s", boundary);
	n = strlen(delimiter);
	/* the first delimiter may open the body, without a line end before it */
	if (size < n || memcmp(body, delimiter + 2, n - 2) != 0)
		return "the body does not begin with its boundary";
	for (p = body + n - 2;; p += n) {
		const char *next;

		if (end - p >= 2 && memcmp(p, "--", 2) == 0)
			return NULL;
		if (end - p < 2 || memcmp(p, "\r\n", 2) != 0)
			return "a boundary is not followed by a line end";
		p += 2;
		next = memmem(p, (size_t)(end - p), delimiter, n);
		if (next == NULL)
			return "the body ends within a part";
		if (out->count == MULTIPART_PARTS)
			return "there are too many parts";
		why = read_part(a, p, (size_t)(next - p), &out->parts[out->count]);
		if (why != NULL)
			return why;
		out->count++;
		p = next;
	}
}
