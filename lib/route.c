#include "config.h"

#include "route.h"

#include "http.h"

#include <string.h>

#define SEGMENT_LIMIT (sizeof(((struct req *)NULL)->segments) / sizeof(char *))

bool
route_split(struct req *r)
{
	const char *p = r->path;

	r->segment_count = 0;
	while (*p == '/') {
		size_t n = strcspn(p + 1, "/");

		if (n == 0 || (size_t)r->segment_count == SEGMENT_LIMIT)
			return false;
		r->segments[r->segment_count++] = arena_strndup(r->arena, p + 1, n);
		p += n + 1;
	}
	return r->segment_count > 0;
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
	return arena_printf(a, "%s%s%s%s", allowed, *allowed != '\0' ? ", " : "", method,
	    strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

const struct route *
route_find(struct req *r, const char **allowed)
{
	const char *method = strcmp(r->method, "HEAD") == 0 ? "GET" : r->method;
	bool splits = route_split(r);

	*allowed = "";
	for (const struct route *row = r->app->routes; row->method != NULL; row++) {
		if (strcmp(row->method, "*") == 0)
			return row;
		if (!splits || !route_fits(r, row->pattern))
			continue;
		if (strcmp(row->method, method) == 0)
			return row;
		*allowed = route_allow(r->arena, *allowed, row->method);
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
