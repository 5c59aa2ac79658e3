#include "config.h"

#include "frame.h"

#include "clock.h"
#include "http.h"
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* id: and event: with their longest values, and data: */
#define EVENT_OVERHEAD 128
#define EVENT_TYPE_MAX 40

static struct frame *
allocate(size_t size)
{
	struct frame *f = calloc(1, sizeof(*f) + size + 1);

	if (f == NULL)
		abort();
	f->refs = 1;
	f->size = size;
	return f;
}

struct frame *
frame_new(const char *bytes, size_t size)
{
	struct frame *f = allocate(size);

	memcpy(f->bytes, bytes, size);
	return f;
}

struct frame *
frame_printf(const char *format, ...)
{
	struct frame *f;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	f = allocate((size_t)n);
	va_start(args, format);
	vsnprintf(f->bytes, (size_t)n + 1, format, args);
	va_end(args);
	return f;
}

struct frame *
frame_ref(struct frame *f)
{
	f->refs++;
	return f;
}

void
frame_unref(struct frame *f)
{
	if (f != NULL && --f->refs == 0)
		free(f);
}

int64_t
frame_parse_time(const char *text)
{
	struct tm tm = { 0 };
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t us = 0, unit = 100000;

	if (p == NULL)
		return 0;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
			us += (*p - '0') * unit;
	if (strcmp(p, "Z") != 0)
		return 0;
	return (int64_t)timegm(&tm) * CLOCK_SECOND_US + us;
}

static const char *
text_of(json_object *envelope, const char *name)
{
	json_object *v = json_object_object_get(envelope, name);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

static int64_t
number_of(json_object *envelope, const char *name)
{
	json_object *v = json_object_object_get(envelope, name);

	return json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : 0;
}

static bool
is_event_type(const char *type)
{
	size_t n = strspn(type, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return n > 0 && n <= EVENT_TYPE_MAX && type[n] == '\0';
}

static enum frame_audience
audience_of(const char *type)
{
	if (strcmp(type, "MenuChanged") == 0)
		return FRAME_STORE;
	if (strncmp(type, "Order", 5) == 0 || strcmp(type, "TableSessionCompleted") == 0)
		return FRAME_TABLE;
	return FRAME_ADMINS;
}

static void
describe(struct frame *f, json_object *envelope, const char *type)
{
	f->seq = number_of(envelope, "seq");
	f->occurred_us = frame_parse_time(text_of(envelope, "occurred_at"));
	f->audience = audience_of(type);
	f->table_id = number_of(envelope, "table_id");
	snprintf(f->store_id, sizeof(f->store_id), "%s", text_of(envelope, "store_id"));
	if (strcmp(type, "AccountRevoked") != 0)
		return;
	snprintf(
	    f->revoked_subject, sizeof(f->revoked_subject), "%s", text_of(envelope, "subject"));
	f->revoked_gen = number_of(envelope, "gen");
}

/* Line ends may stand between the tokens of JSON text, where a space means the same. */
static void
join_lines(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\n' || text[i] == '\r')
			text[i] = ' ';
}

struct frame *
frame_event(struct arena *scratch, const char *text, size_t size)
{
	struct arena_mark mark = arena_mark(scratch);
	const char *why, *type;
	json_object *envelope = json_read(scratch, text, size, &why);
	struct frame *f = NULL;
	int head;

	if (!json_object_is_type(envelope, json_type_object))
		goto out;
	type = text_of(envelope, "event_type");
	if (number_of(envelope, "seq") < 1 || !is_event_type(type) ||
	    !http_is_uuid(text_of(envelope, "store_id")))
		goto out;
	f = allocate(size + EVENT_OVERHEAD);
	describe(f, envelope, type);
	head = snprintf(
	    f->bytes, EVENT_OVERHEAD, "id: %lld\nevent: %s\ndata: ", (long long)f->seq, type);
	memcpy(f->bytes + head, text, size);
	join_lines(f->bytes + head, size);
	memcpy(f->bytes + head + size, "\n\n", 2);
	f->size = (size_t)head + size + 2;
out:
	arena_reset(scratch, mark);
	return f;
}
