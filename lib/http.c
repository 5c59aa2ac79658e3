#include "config.h"

#include "http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t
http_utf8_next(const char *text, size_t left)
{
	const unsigned char *s = (const unsigned char *)text;
	static const struct {
		unsigned char first, last, low, high; /* of the first byte; of the second */
		size_t length;
	} forms[] = {
		{ 0x01, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t n = forms[i].length;

		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (n > left || (n > 1 && (s[1] < forms[i].low || s[1] > forms[i].high)))
			return 0;
		for (size_t k = 2; k < n; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return n;
	}
	return 0;
}

bool
http_utf8_valid(const char *s, size_t n)
{
	for (size_t i = 0, step; i < n; i += step) {
		step = http_utf8_next(s + i, n - i);
		if (step == 0)
			return false;
	}
	return true;
}

size_t
http_utf8_length(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *
http_percent_decode(struct arena *a, const char *s, size_t n, bool is_query)
{
	char *out = arena_alloc(a, n + 1);
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '%') {
			int high = n - i >= 3 ? hex_value(s[i + 1]) : -1;
			int low = n - i >= 3 ? hex_value(s[i + 2]) : -1;

			if (high == -1 || low == -1)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && is_query) {
			c = ' ';
		}
		out[len++] = c;
	}
	return http_utf8_valid(out, len) ? out : NULL;
}

int
http_query_get(struct arena *a, const char *query, const char *name, const char **value)
{
	size_t name_len = strlen(name);

	while (query != NULL && *query != '\0') {
		size_t n = strcspn(query, "&");
		size_t key = strcspn(query, "=&");

		if (key == name_len && strncmp(query, name, key) == 0) {
			*value = key < n
			    ? http_percent_decode(a, query + key + 1, n - key - 1, true)
			    : "";
			return *value != NULL ? 1 : -1;
		}
		query += n + (query[n] == '&');
	}
	return 0;
}

/* Trims spaces and tabs around the n bytes at *s. */
static size_t
trim(const char **s, size_t n)
{
	while (n > 0 && (**s == ' ' || **s == '\t')) {
		(*s)++;
		n--;
	}
	while (n > 0 && ((*s)[n - 1] == ' ' || (*s)[n - 1] == '\t'))
		n--;
	return n;
}

/* Steps through a list: the next item, trimmed, in *item, its length as the result; *list moves
 * behind it. -1 at the end. */
static ssize_t
next_item(const char **list, const char *separator, const char **item)
{
	size_t n;

	if (*list == NULL || **list == '\0')
		return -1;
	n = strcspn(*list, separator);
	*item = *list;
	*list += n + ((*list)[n] != '\0');
	return (ssize_t)trim(item, n);
}

char *
http_cookie_get(struct arena *a, const char *header, const char *name)
{
	size_t name_len = strlen(name);
	const char *item;
	ssize_t n;

	while ((n = next_item(&header, ";", &item)) != -1) {
		if ((size_t)n <= name_len || strncmp(item, name, name_len) != 0 ||
		    item[name_len] != '=')
			continue;
		item += name_len + 1;
		n -= (ssize_t)name_len + 1;
		if (n >= 2 && item[0] == '"' && item[n - 1] == '"') {
			item++;
			n -= 2;
		}
		return arena_strndup(a, item, (size_t)n);
	}
	return NULL;
}

const char *
http_bearer(const char *authorization)
{
	if (authorization == NULL || strncasecmp(authorization, "bearer ", 7) != 0)
		return NULL;
	authorization += 7;
	while (*authorization == ' ')
		authorization++;
	return *authorization != '\0' ? authorization : NULL;
}

/* The q of a list item's parameters in thousandths; 1000 without one, 0 when it is malformed. */
static int
quality(const char *item, size_t n)
{
	const char *end = item + n;
	double q;

	for (const char *p = item; p < end; p++) {
		if (*p != ';')
			continue;
		for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
			continue;
		if (end - p >= 2 && (p[0] == 'q' || p[0] == 'Q') && p[1] == '=') {
			q = isdigit((unsigned char)p[2]) ? strtod(p + 2, NULL) : 0;
			return q < 0 || q > 1 ? 0 : (int)(q * 1000);
		}
	}
	return 1000;
}

/* Whether an item's value, up to its parameters, is s, case-insensitively. */
static bool
item_is(const char *item, size_t n, const char *s, size_t s_len)
{
	const char *semicolon = memchr(item, ';', n);
	size_t len = trim(&item, semicolon != NULL ? (size_t)(semicolon - item) : n);

	return len == s_len && strncasecmp(item, s, s_len) == 0;
}

enum lang
http_language(const char *accept_language)
{
	int ko = 0, en = 0;
	const char *item;
	ssize_t n;

	while ((n = next_item(&accept_language, ",", &item)) != -1) {
		size_t tag = strcspn(item, "-; \t,");
		int q = quality(item, (size_t)n);

		if (tag > (size_t)n)
			tag = (size_t)n;
		if (tag == 2 && strncasecmp(item, "ko", 2) == 0 && q > ko)
			ko = q;
		else if (tag == 2 && strncasecmp(item, "en", 2) == 0 && q > en)
			en = q;
	}
	return en > ko ? LANG_EN : LANG_KO;
}

bool
http_accepts(const char *accept, const char *type)
{
	size_t slash = strcspn(type, "/");
	bool accepted = accept == NULL || accept[strspn(accept, " \t")] == '\0';
	int best = -1;
	const char *item;
	ssize_t n;

	while ((n = next_item(&accept, ",", &item)) != -1) {
		int rank = -1;

		if (item_is(item, (size_t)n, type, strlen(type)))
			rank = 2;
		else if ((size_t)n >= slash + 2 && strncasecmp(item, type, slash + 1) == 0 &&
		    item_is(item + slash + 1, (size_t)n - slash - 1, "*", 1))
			rank = 1;
		else if (item_is(item, (size_t)n, "*/*", 3))
			rank = 0;
		if (rank > best) {
			best = rank;
			accepted = quality(item, (size_t)n) > 0;
		}
	}
	return accepted;
}

bool
http_type_is(const char *content_type, const char *type)
{
	return content_type != NULL &&
	    item_is(content_type, strlen(content_type), type, strlen(type));
}

bool
http_list_has(const char *list, const char *item)
{
	const char *found;
	ssize_t n;

	while ((n = next_item(&list, ",", &found)) != -1)
		if ((size_t)n == strlen(item) && memcmp(found, item, (size_t)n) == 0)
			return true;
	return false;
}

struct network {
	unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	int bits;
};

static int
parse_address(const char *text, struct network *out)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	out->bits = 128;
	if (inet_pton(AF_INET6, text, out->bytes) == 1)
		return 0;
	memcpy(out->bytes, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, out->bytes + 12) == 1 ? 0 : -1;
}

static int
parse_network(const char *item, size_t n, struct network *out)
{
	char text[64];
	char *slash;
	int64_t bits;

	if (n == 0 || n >= sizeof(text))
		return -1;
	memcpy(text, item, n);
	text[n] = '\0';
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	if (parse_address(text, out) == -1)
		return -1;
	if (slash == NULL)
		return 0;
	bits = http_number(slash + 1, 0, strchr(text, ':') != NULL ? 128 : 32);
	out->bits = (int)bits + (strchr(text, ':') != NULL ? 0 : 96);
	return bits == -1 ? -1 : 0;
}

static bool
covers(const struct network *net, const struct network *address)
{
	int whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->bytes, address->bytes, (size_t)whole) != 0)
		return false;
	return rest == 0 || ((net->bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

bool
http_is_address(const char *s)
{
	struct network n;

	return parse_address(s, &n) == 0;
}

bool
http_address_in(const char *list, const char *address)
{
	struct network net, asked;
	const char *item;
	ssize_t n;

	if (address == NULL || parse_address(address, &asked) == -1)
		return false;
	while ((n = next_item(&list, ",", &item)) != -1)
		if (parse_network(item, (size_t)n, &net) == 0 && covers(&net, &asked))
			return true;
	return false;
}

bool
http_networks_valid(const char *list)
{
	struct network net;
	const char *item;
	ssize_t n;

	while ((n = next_item(&list, ",", &item)) != -1)
		if (parse_network(item, (size_t)n, &net) == -1)
			return false;
	return true;
}

int64_t
http_number(const char *s, int64_t least, int64_t most)
{
	int64_t n = 0;
	size_t digits = strspn(s, "0123456789");

	if (digits == 0 || digits > 18 || s[digits] != '\0' || (s[0] == '0' && digits > 1))
		return -1;
	for (; *s != '\0'; s++)
		n = n * 10 + (*s - '0');
	return n >= least && n <= most ? n : -1;
}

bool
http_is_uuid(const char *s)
{
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : hex_value(s[i]) == -1)
			return false;
	}
	return s[36] == '\0';
}
