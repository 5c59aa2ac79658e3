/*
 * gateway: how a request comes in and its answer goes out: FastCGI or plain
 * CGI (RFC 3875), the same to all above.
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One request's ends. */
struct gateway {
	void *self;
	/* a CGI variable ("REQUEST_URI", "HTTP_ACCEPT"), or NULL */
	const char *(*param)(void *self, const char *name);
	/* up to n bytes of the body; 0 at its end, -1 when it broke */
	ssize_t (*read)(void *self, void *bytes, size_t n);
	/* CGI response bytes; errors are not told: the client may be gone, the work is done */
	void (*write)(void *self, const void *bytes, size_t n);
};

/* Handles one request; context is the worker's own. */
typedef void gateway_handle(void *context, const struct gateway *g);

/* Whether fd 0 is a FastCGI listening socket. */
bool gateway_is_fastcgi(void);

/* The FastCGI side of a process: once, before any thread. Returns 0 or -1. */
int gateway_fastcgi_init(void);
/* Serves requests from fd 0, one after the other, until stop_fd becomes readable; several threads
 * may do so at once. The request in hand is always finished. */
void gateway_fastcgi_loop(int stop_fd, gateway_handle *handle, void *context);

/* Serves the one CGI request of this process. */
void gateway_cgi(gateway_handle *handle, void *context);

#endif
