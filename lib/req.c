#include "config.h"

#include "req.h"

#include "http.h"
#include "password.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void
req_fail(struct req *r, enum error_code code)
{
	if (!req_failed(r))
		r->error = code;
}

void
req_fail_details(struct req *r, enum error_code code, json_object *details)
{
	if (req_failed(r))
		return;
	r->error = code;
	r->error_details = details;
}

void
req_fail_field(struct req *r, const char *field, const char *why)
{
	json_object *details;

	if (req_failed(r))
		return;
	details = json_new_object(r->arena);
	json_put_text(details, "field", field);
	json_put_text(details, "reason", why);
	req_fail_details(r, ERR_INVALID_REQUEST, details);
}

void
req_fail_retry(struct req *r, enum error_code code, int64_t seconds)
{
	if (req_failed(r))
		return;
	r->error = code;
	r->retry_after_s = seconds;
}

bool
req_failed(const struct req *r)
{
	return r->error != ERR_NONE || r->finished;
}

static void
note_file(struct req *r, struct file **list, const char *path)
{
	struct file *f = arena_alloc(r->arena, sizeof(*f));

	f->path = path;
	f->next = *list;
	*list = f;
}

void
req_file_created(struct req *r, const char *path)
{
	note_file(r, &r->created, path);
}

void
req_file_obsolete(struct req *r, const char *path)
{
	if (!req_failed(r))
		note_file(r, &r->obsolete, path);
}

void
req_void(struct req *r, const char *kind)
{
	size_t i = 0;

	while (r->voided[i] != NULL && strcmp(r->voided[i], kind) != 0)
		if (++i == REQ_KINDS)
			abort(); /* a programmer's mistake */
	r->voided[i] = kind;
}

const char *
req_header(struct req *r, const char *name)
{
	char *variable = arena_printf(r->arena, "HTTP_%s", name);

	for (char *p = variable; *p != '\0'; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	/* CGI has two headers without the prefix (RFC 3875 §4.1) */
	if (strcmp(variable, "HTTP_CONTENT_TYPE") == 0 ||
	    strcmp(variable, "HTTP_CONTENT_LENGTH") == 0)
		variable += strlen("HTTP_");
	return r->gateway->param(r->gateway->self, variable);
}

/* The number of the pattern's segment {name}; -1 when it has none. */
static int
segment_of(const char *pattern, const char *name)
{
	size_t n = strlen(name);
	int i = -1;

	for (const char *p = pattern; (p = strchr(p, '/')) != NULL; p++) {
		i++;
		if (p[1] == '{' && strncmp(p + 2, name, n) == 0 && p[2 + n] == '}')
			return i;
	}
	return -1;
}

const char *
req_path_text(struct req *r, const char *name)
{
	int i = segment_of(r->route->pattern, name);

	if (i == -1)
		abort(); /* the handler and its route disagree */
	return r->segments[i];
}

int64_t
req_path_id(struct req *r, const char *name, enum error_code missing)
{
	int64_t id = http_number(req_path_text(r, name), 1, JSON_INT_MAX);

	if (id == -1)
		req_fail(r, missing);
	return req_failed(r) ? 0 : id;
}

/* A parameter's value, NULL when absent; fails the request when it cannot be decoded. */
static const char *
query_value(struct req *r, const char *name)
{
	const char *value = NULL;

	if (req_failed(r))
		return NULL;
	if (http_query_get(r->arena, r->query, name, &value) == -1)
		req_fail_field(r, name, "is not valid percent-encoded UTF-8");
	return value;
}

const char *
req_query_text(struct req *r, const char *name, size_t max_length)
{
	const char *value = query_value(r, name);

	if (value != NULL && http_utf8_length(value) > max_length)
		req_fail_field(r, name, "is too long");
	return value == NULL || req_failed(r) ? "" : value;
}

int64_t
req_query_int(struct req *r, const char *name, int64_t least, int64_t most, int64_t dflt)
{
	const char *value = query_value(r, name);
	int64_t n;

	if (value == NULL)
		return dflt;
	n = http_number(value, least, most);
	if (n == -1)
		req_fail_field(r, name,
		    arena_printf(r->arena, "must be a whole number from %lld to %lld",
			(long long)least, (long long)most));
	return n == -1 ? dflt : n;
}

json_object *
req_body(struct req *r)
{
	const char *why = NULL;

	if (r->json != NULL)
		return r->json;
	if (!req_failed(r) && r->body_len > 0 &&
	    !http_type_is(req_header(r, "Content-Type"), "application/json"))
		req_fail(r, ERR_UNSUPPORTED_MEDIA_TYPE);
	if (!req_failed(r)) {
		r->json = json_read(r->arena, r->body, r->body_len, &why);
		if (!json_object_is_type(r->json, json_type_object))
			req_fail_field(r, "", why != NULL ? why : "the body must be a JSON object");
	}
	if (req_failed(r))
		r->json = json_new_object(r->arena);
	return r->json;
}

json_object *
req_optional_body(struct req *r)
{
	if (r->json == NULL && r->body_len == 0)
		r->json = json_new_object(r->arena);
	return req_body(r);
}

static void
fail_member(struct req *r, const char *where, const char *name, const char *why)
{
	if (!req_failed(r))
		req_fail_field(r, arena_printf(r->arena, "%s%s", where, name), why);
}

static const char *
check_text(
    struct req *r, json_object *v, const char *where, const char *name, size_t least, size_t most)
{
	const char *s = json_object_get_string(v);
	size_t length;

	if (!json_object_is_type(v, json_type_string)) {
		fail_member(r, where, name, "must be a string");
		return "";
	}
	if (strlen(s) != (size_t)json_object_get_string_len(v)) {
		fail_member(r, where, name, "must not contain a NUL");
		return "";
	}
	length = http_utf8_length(s);
	if (length < least || length > most) {
		fail_member(r, where, name,
		    arena_printf(r->arena, "must have %zu to %zu characters", least, most));
		return "";
	}
	return s;
}

const char *
req_text(
    struct req *r, json_object *o, const char *where, const char *name, size_t least, size_t most)
{
	json_object *v = json_object_object_get(o, name);

	if (v == NULL)
		fail_member(r, where, name, "is required");
	return req_failed(r) ? "" : check_text(r, v, where, name, least, most);
}

const char *
req_optional_text(
    struct req *r, json_object *o, const char *where, const char *name, size_t least, size_t most)
{
	json_object *v = json_object_object_get(o, name);

	return v == NULL || req_failed(r) ? NULL : check_text(r, v, where, name, least, most);
}

/* A control character (C0, DEL, C1) in valid UTF-8. */
static bool
has_control(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	for (; *p != '\0'; p++)
		if (*p < ' ' || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return true;
	return false;
}

static const char *
check_name(struct req *r, const char *member, const char *name)
{
	if (req_failed(r) || name == NULL)
		return name;
	if (has_control(name))
		fail_member(r, "", member, "must have no control characters");
	else if (name[strspn(name, " ")] == '\0')
		fail_member(r, "", member, "must not be blank");
	return name;
}

const char *
req_name(struct req *r, json_object *o, const char *name)
{
	return check_name(r, name, req_text(r, o, "", name, 1, NAME_LENGTH));
}

const char *
req_optional_name(struct req *r, json_object *o, const char *name)
{
	return check_name(r, name, req_optional_text(r, o, "", name, 1, NAME_LENGTH));
}

static int64_t
check_int(
    struct req *r, json_object *v, const char *where, const char *name, int64_t least, int64_t most)
{
	int64_t n = json_object_get_int64(v);

	/* json-c saturates what does not fit; no limit of ours is that high */
	if (json_object_is_type(v, json_type_int) && n >= least && n <= most)
		return n;
	fail_member(r, where, name,
	    arena_printf(r->arena, "must be a whole number from %lld to %lld", (long long)least,
		(long long)most));
	return 0;
}

int64_t
req_int(
    struct req *r, json_object *o, const char *where, const char *name, int64_t least, int64_t most)
{
	json_object *v = json_object_object_get(o, name);

	if (v == NULL)
		fail_member(r, where, name, "is required");
	return req_failed(r) ? 0 : check_int(r, v, where, name, least, most);
}

int64_t
req_optional_int(struct req *r, json_object *o, const char *where, const char *name, int64_t least,
    int64_t most, int64_t dflt)
{
	json_object *v = json_object_object_get(o, name);

	return v == NULL || req_failed(r) ? dflt : check_int(r, v, where, name, least, most);
}

int
req_optional_bool(struct req *r, json_object *o, const char *where, const char *name)
{
	json_object *v = json_object_object_get(o, name);

	if (v != NULL && !json_object_is_type(v, json_type_boolean))
		fail_member(r, where, name, "must be true or false");
	return v == NULL || req_failed(r) ? -1 : json_object_get_boolean(v);
}

const char *
req_password(struct req *r, json_object *o, const char *name)
{
	const char *password = req_text(r, o, "", name, 1, PASSWORD_LIMIT_BYTES);

	if (!req_failed(r) && !password_acceptable(password))
		fail_member(r, "", name, "must have 1 to 72 bytes");
	return password;
}

json_object *
req_array(
    struct req *r, json_object *o, const char *where, const char *name, size_t least, size_t most)
{
	json_object *v = json_object_object_get(o, name);
	size_t n = json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 0;

	if (v == NULL)
		fail_member(r, where, name, "is required");
	else if (!json_object_is_type(v, json_type_array))
		fail_member(r, where, name, "must be an array");
	else if (n < least || n > most)
		fail_member(r, where, name,
		    arena_printf(r->arena, "must have %zu to %zu elements", least, most));
	return req_failed(r) ? json_new_array(r->arena) : v;
}

json_object *
req_element(struct req *r, json_object *array, size_t i, const char *name)
{
	json_object *v = json_object_array_get_idx(array, i);

	if (!json_object_is_type(v, json_type_object))
		fail_member(r, "", arena_printf(r->arena, "%s[%zu]", name, i), "must be an object");
	return req_failed(r) ? json_new_object(r->arena) : v;
}
