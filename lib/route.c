#include "config.h"

#include "route.h"

#include "http.h"

#include <string.h>

#define SEGMENT_LIMIT (sizeof(((struct req *)NULL)->segments) / sizeof(char *))

bool
route_split(struct req *r)
{
	const char *p = r->path;
	int n = 0;

	/* what cannot be split fits nothing */
	r->segment_count = 0;
	while (*p == '/') {
		size_t length = strcspn(p + 1, "/");

		if (length == 0 || (size_t)n == SEGMENT_LIMIT)
			return false;
		r->segments[n++] = arena_strndup(r->arena, p + 1, length);
		p += length + 1;
	}
	r->segment_count = n;
	return n > 0;
}

bool
route_fits(const struct req *r, const char *pattern)
{
	int i = 0;

	while (*pattern == '/') {
		size_t n = strcspn(pattern + 1, "/");

		if (i == r->segment_count)
			return false;
		if (pattern[1] != '{' &&
		    (strlen(r->segments[i]) != n || memcmp(r->segments[i], pattern + 1, n) != 0))
			return false;
		pattern += n + 1;
		i++;
	}
	return i == r->segment_count;
}

const char *
route_allow(struct arena *a, const char *allowed, const char *method)
{
	if (http_list_has(allowed, method))
		return allowed;
	return arena_printf(a, "%s%s%s", allowed, *allowed != '\0' ? ", " : "", method);
}

const char *
route_methods(struct req *r)
{
	const char *methods = "";

	for (const struct route *row = r->app->routes; row->method != NULL; row++) {
		if (row->pattern[0] != '/' || !route_fits(r, row->pattern))
			continue;
		methods = route_allow(r->arena, methods, row->method);
		if (strcmp(row->method, "GET") == 0)
			methods = route_allow(r->arena, methods, "HEAD");
	}
	return methods;
}

const struct route *
route_find(struct req *r)
{
	const char *method = strcmp(r->method, "HEAD") == 0 ? "GET" : r->method;
	bool splits = route_split(r);

	for (const struct route *row = r->app->routes; row->method != NULL; row++) {
		if (strcmp(row->method, "*") == 0)
			return row;
		if (splits && strcmp(row->method, method) == 0 && route_fits(r, row->pattern))
			return row;
	}
	return NULL;
}

/* Those of the names that are in the set, or -. */
static void
print_names(FILE *out, unsigned set, const char *const *names, size_t count)
{
	const char *separator = "";

	for (size_t i = 0; i < count; i++) {
		if ((set & 1u << i) == 0)
			continue;
		fprintf(out, "%s%s", separator, names[i]);
		separator = ",";
	}
	if (*separator == '\0')
		fputs("-", out);
}

void
route_print(const char *program, const struct route *routes, FILE *out)
{
	static const char *const roles[] = { "table", "store_admin", "super_admin" };
	static const char *const flags[] = { "write", "idempotent", "snapshot", "platform", "local",
		"commits", "upload" };

	for (const struct route *row = routes; row->method != NULL; row++) {
		if (strcmp(row->method, "*") == 0)
			continue;
		fprintf(out, "%s\t%s\t%s\t", row->method, row->pattern, program);
		print_names(out, row->roles, roles, sizeof(roles) / sizeof(roles[0]));
		fputc('\t', out);
		print_names(out, row->flags, flags, sizeof(flags) / sizeof(flags[0]));
		fputc('\n', out);
	}
}
