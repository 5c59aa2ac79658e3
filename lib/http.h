/*
 * http: reading what a stranger sent: query strings, cookies, header values,
 * addresses. Pure functions on text; nothing here waits or keeps anything.
 */
#ifndef HTTP_H
#define HTTP_H

#include "arena.h"
#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes the code point at s has (RFC 3629), of left bytes that there are; 0 when it is
 * malformed or a NUL. */
size_t http_utf8_next(const char *s, size_t left);
/* Whether the n bytes are well-formed UTF-8 without NUL (RFC 3629). */
bool http_utf8_valid(const char *s, size_t n);
/* The number of code points of valid UTF-8. */
size_t http_utf8_length(const char *s);

/* Undoes %XX (and + as space, in a query). NULL when an escape is broken or the result is no valid
 * UTF-8 or holds a NUL. */
char *http_percent_decode(struct arena *a, const char *s, size_t n, bool is_query);

/* The first value of name in a query string ("a=1&b=2", may be NULL). 1: found; 0: not there;
 * -1: there, but not decodable. */
int http_query_get(struct arena *a, const char *query, const char *name, const char **value);

/* The value of a cookie in a Cookie header (RFC 6265 §4.2.1); NULL when it is not there. */
char *http_cookie_get(struct arena *a, const char *header, const char *name);

/* The token of "Bearer <token>" (RFC 6750 §2.1); NULL when the header says something else. */
const char *http_bearer(const char *authorization);

/* The better-liked of Korean and English in Accept-Language (RFC 9110 §12.5.4); Korean by default.
 */
enum lang http_language(const char *accept_language);

/* Whether Accept (may be NULL) admits type, "application/json". */
bool http_accepts(const char *accept, const char *type);
/* Whether a Content-Type names type, whatever its parameters. */
bool http_type_is(const char *content_type, const char *type);

/* Whether item stands in a comma-separated list, exactly; spaces around items do not count. */
bool http_list_has(const char *list, const char *item);
/* Whether s is an IPv4 or IPv6 address. */
bool http_is_address(const char *s);
/* Whether an address lies in a comma-separated list of addresses and networks ("10.0.0.0/8,::1").
 */
bool http_address_in(const char *list, const char *address);
/* Whether every item of such a list is well-formed. */
bool http_networks_valid(const char *list);

/* A decimal number without sign, leading zeros or spaces, from least to most; else -1. least >= 0.
 */
int64_t http_number(const char *s, int64_t least, int64_t most);
/* Whether s has the shape of a UUID: 8-4-4-4-12 hexadecimal digits. */
bool http_is_uuid(const char *s);

#endif
