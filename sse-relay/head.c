#include "config.h"

#include "head.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char token_chars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* GET /path?query HTTP/1.1 */
static int
take_request_line(char *line, struct head *h)
{
	size_t method = strspn(line, token_chars);
	char *target = line + method + 1, *version, *query;

	if (method == 0 || line[method] != ' ' || *target != '/')
		return -1;
	version = strchr(target, ' ');
	if (version == NULL ||
	    (strcmp(version, " HTTP/1.1") != 0 && strcmp(version, " HTTP/1.0") != 0))
		return -1;
	line[method] = '\0';
	*version = '\0';
	for (const char *c = target; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return -1;
	query = strchr(target, '?');
	if (query != NULL)
		*query++ = '\0';
	h->method = line;
	h->path = target;
	h->query = query;
	return 0;
}

static const char **
place_of(struct head *h, const char *name)
{
	const struct {
		const char *name;
		const char **place;
	} known[] = {
		{ "Accept-Language", &h->accept_language },
		{ "Authorization", &h->authorization },
		{ "Cookie", &h->cookie },
		{ "Last-Event-ID", &h->last_event_id },
		{ "Origin", &h->origin },
		{ "X-Request-Id", &h->request_id },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(known[i].name, name) == 0)
			return known[i].place;
	return NULL;
}

/* Name: value, spaces around the value cut off. */
static int
take_header(char *line, struct head *h)
{
	size_t name = strspn(line, token_chars);
	char *value = line + name + 1, *end;
	const char **place;

	if (name == 0 || line[name] != ':')
		return -1;
	line[name] = '\0';
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	for (const char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' && *c != '\t')
			return -1;
	place = place_of(h, line);
	if (place == NULL)
		return 0;
	if (*place != NULL)
		return -1;
	*place = value;
	return 0;
}

int
head_parse(char *bytes, size_t n, struct head *h)
{
	char *end = memmem(bytes, n, "\r\n\r\n", 4), *line = bytes;
	bool first = true;

	memset(h, 0, sizeof(*h));
	if (end == NULL)
		return n >= HEAD_LIMIT ? -1 : 0;
	if (memchr(bytes, '\0', (size_t)(end - bytes)) != NULL)
		return -1;
	while (line < end + 2) {
		char *cr = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);

		*cr = '\0';
		if (strpbrk(line, "\r\n") != NULL)
			return -1;
		if ((first ? take_request_line(line, h) : take_header(line, h)) == -1)
			return -1;
		first = false;
		line = cr + 2;
	}
	return (int)(end + 4 - bytes);
}
