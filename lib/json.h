/*
 * json: json-c, bound to an arena, and strict: what json-c takes silently
 * (saturated integers, NUL in strings, trailing bytes) is refused.
 */
#ifndef JSON_H
#define JSON_H

#include "arena.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 16
/* The greatest integer that every client can hold exactly, 2^53 - 1. */
#define JSON_INT_MAX INT64_C(9007199254740991)

/* Parses n bytes as one JSON text (RFC 8259). The arena owns the result. NULL and *why (English,
 * for details) when it is none. A JSON null comes back as NULL with *why NULL. */
json_object *json_read(struct arena *a, const char *bytes, size_t n, const char **why);

/* New values that the arena owns; pass them to json_put_* or give them on with json_object_get. */
json_object *json_new_object(struct arena *a);
json_object *json_new_array(struct arena *a);

/* Members of an object; a NULL text becomes null. */
void json_put_text(json_object *o, const char *name, const char *value);
void json_put_int(json_object *o, const char *name, int64_t value);
void json_put_bool(json_object *o, const char *name, bool value);
/* The value keeps its owner, the object takes a reference. */
void json_put(json_object *o, const char *name, json_object *value);
void json_append(json_object *array, json_object *value);

/* The text of a value, without spaces; the arena's. */
const char *json_text(struct arena *a, json_object *o);
/* NULL when it has more bytes than most. */
const char *json_text_within(struct arena *a, json_object *o, size_t most);

#endif
