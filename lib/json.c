#include "config.h"

#include "json.h"

#include "http.h"

#include <string.h>

static void
release(void *object)
{
	json_object_put(object);
}

static json_object *
own(struct arena *a, json_object *o)
{
	if (o != NULL)
		arena_defer(a, release, o);
	return o;
}

/* Steps over digits; NULL when p is NULL or there are none. */
static const char *
digits(const char *p, const char *end)
{
	const char *first = p;

	while (p != NULL && p < end && *p >= '0' && *p <= '9')
		p++;
	return p != first ? p : NULL;
}

/* Whether the text from p on begins with a number (RFC 8259 §6) that ends there, too. */
static bool
is_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	p = p < end && *p == '0' ? p + 1 : digits(p, end);
	if (p != NULL && p < end && *p == '.')
		p = digits(p + 1, end);
	if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p = digits(p + (p < end && (*p == '+' || *p == '-')), end);
	}
	return p != NULL && (p == end || memchr(" \t\r\n,]}", *p, 7) != NULL);
}

/* A value's first byte, in no string, that json-c would take for more than JSON knows. */
static const char *
lax_value(const char *bytes, size_t i, size_t n)
{
	static const char signs[] = "+-.0123456789eE";
	bool starts = i == 0 || memchr(signs, bytes[i - 1], sizeof(signs) - 1) == NULL;

	if (bytes[i] == '\'')
		return "a string in single quotes";
	if (bytes[i] == 'N' || bytes[i] == 'I')
		return "a number that is none";
	if (starts && (bytes[i] == '-' || (bytes[i] >= '0' && bytes[i] <= '9')) &&
	    !is_number(bytes + i, bytes + n))
		return "a misshapen number";
	return NULL;
}

/* What json-c takes, strict as it is told to be, but RFC 8259 does not know; NULL when there is
 * none of it. */
static const char *
laxity(const char *bytes, size_t n)
{
	bool in_string = false;
	const char *why = NULL;

	if (memchr(bytes, '\0', n) != NULL)
		return "a NUL byte";
	if (!http_utf8_valid(bytes, n))
		return "not UTF-8";
	for (size_t i = 0; i < n && why == NULL; i++) {
		if (bytes[i] == '"')
			in_string = !in_string;
		else if (in_string && bytes[i] == '\\')
			i++;
		else if (in_string && (unsigned char)bytes[i] < 0x20)
			why = "a control character in a string";
		else if (!in_string)
			why = lax_value(bytes, i, n);
	}
	return why;
}

json_object *
json_read(struct arena *a, const char *bytes, size_t n, const char **why)
{
	json_tokener *t = json_tokener_new_ex(JSON_MAX_DEPTH);
	json_object *o = NULL;

	if (t == NULL)
		abort();
	*why = laxity(bytes, n);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	if (*why == NULL) {
		o = json_tokener_parse_ex(t, bytes, (int)n);
		/* a number may go on: a NUL tells that it does not */
		if (json_tokener_get_error(t) == json_tokener_continue)
			o = json_tokener_parse_ex(t, "", 1);
		if (json_tokener_get_error(t) != json_tokener_success)
			*why = json_tokener_error_desc(json_tokener_get_error(t));
	}
	json_tokener_free(t);
	return own(a, o);
}

json_object *
json_new_object(struct arena *a)
{
	return own(a, json_object_new_object());
}

json_object *
json_new_array(struct arena *a)
{
	return own(a, json_object_new_array());
}

void
json_put_text(json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value != NULL ? json_object_new_string(value) : NULL);
}

void
json_put_int(json_object *o, const char *name, int64_t value)
{
	json_object_object_add(o, name, json_object_new_int64(value));
}

void
json_put_bool(json_object *o, const char *name, bool value)
{
	json_object_object_add(o, name, json_object_new_boolean(value));
}

void
json_put(json_object *o, const char *name, json_object *value)
{
	json_object_object_add(o, name, json_object_get(value));
}

void
json_append(json_object *array, json_object *value)
{
	json_object_array_add(array, json_object_get(value));
}

const char *
json_text_within(struct arena *a, json_object *o, size_t most)
{
	size_t n;
	const char *s = json_object_to_json_string_length(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

	return n <= most ? arena_strndup(a, s, n) : NULL;
}

const char *
json_text(struct arena *a, json_object *o)
{
	return json_text_within(a, o, SIZE_MAX);
}
