/*
 * head: the head of an HTTP/1.x request (RFC 9112), taken apart in place.
 * Strict: CRLF only, no folded lines, no header of ours twice.
 */
#ifndef HEAD_H
#define HEAD_H

#include <stddef.h>

/*
 * How long a head may be, and how much of memory a connection holds until its head is read; what
 * does not come is not touched. It is more than nginx takes (its client_header_buffer_size of 1 KB and
 * four large_client_header_buffers of 8 KB) and adds, and than a browser sends through Apache,
 * which takes lines of up to 8,190 bytes: URL, Cookie and Referer, and a few short ones.
 */
#define HEAD_LIMIT (40 << 10)

/* Texts lie in the bytes that were parsed; NULL for what was not sent. */
struct head {
	const char *method;
	const char *path;
	const char *query;
	const char *accept_language;
	const char *authorization;
	const char *cookie;
	const char *last_event_id;
	const char *origin;
	const char *request_id;
};

/* Parses the n bytes received so far, and changes them. Returns the length of the head; 0 when it
 * is not complete yet (nothing was changed then); -1 when it never will be a head. */
int head_parse(char *bytes, size_t n, struct head *h);

#endif
