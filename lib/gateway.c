#include "config.h"

#include "gateway.h"

#include "log.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool
gateway_is_fastcgi(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
	    listening;
}

int
gateway_fastcgi_init(void)
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (FCGX_Init() != 0 || flags == -1)
		return -1;
	/* several threads wait for one connection: those that come late must not sleep in accept()
	 */
	return fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK);
}

static const char *
fastcgi_param(void *self, const char *name)
{
	return FCGX_GetParam(name, ((FCGX_Request *)self)->envp);
}

static ssize_t
fastcgi_read(void *self, void *bytes, size_t n)
{
	return FCGX_GetStr(bytes, (int)n, ((FCGX_Request *)self)->in);
}

static void
fastcgi_write(void *self, const void *bytes, size_t n)
{
	FCGX_PutStr(bytes, (int)n, ((FCGX_Request *)self)->out);
}

/* Waits for a connection. 0: one may be there; -1: to stop. */
static int
wait_for_request(int stop_fd)
{
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 }, { stop_fd, POLLIN, 0 } };

	while (poll(fds, 2, -1) == -1)
		if (errno != EINTR)
			return -1;
	return fds[1].revents != 0 ? -1 : 0;
}

void
gateway_fastcgi_loop(int stop_fd, gateway_handle *handle, void *context)
{
	FCGX_Request request;
	struct gateway g = { &request, fastcgi_param, fastcgi_read, fastcgi_write };

	if (FCGX_InitRequest(&request, STDIN_FILENO, 0) != 0) {
		log_error("FastCGI cannot be initialized");
		return;
	}
	while (wait_for_request(stop_fd) == 0) {
		int result = FCGX_Accept_r(&request);

		if (result == 0)
			handle(context, &g);
		else if (result != -EAGAIN && result != -EINTR && result != -ECONNABORTED)
			log_warning(
			    "a FastCGI connection failed", LOG_S("error", strerror(abs(result))));
		/* always, before waiting: a half-accepted request would keep its connection */
		FCGX_Finish_r(&request);
	}
	FCGX_Free(&request, 1);
}

static const char *
cgi_param(void *self, const char *name)
{
	(void)self;
	return getenv(name);
}

/* What is left of the body: behind it there need not be an end of file (RFC 3875 §4.2). */
struct cgi {
	size_t left;
};

static ssize_t
cgi_read(void *self, void *bytes, size_t n)
{
	struct cgi *cgi = self;
	ssize_t got = read(STDIN_FILENO, bytes, n < cgi->left ? n : cgi->left);

	if (got > 0)
		cgi->left -= (size_t)got;
	return got;
}

static void
cgi_write(void *self, const void *bytes, size_t n)
{
	const char *p = bytes;

	(void)self;
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, p, n);

		if (done == -1 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		p += done;
		n -= (size_t)done;
	}
}

void
gateway_cgi(gateway_handle *handle, void *context)
{
	const char *length = getenv("CONTENT_LENGTH");
	struct cgi cgi = { length != NULL ? strtoul(length, NULL, 10) : 0 };
	const struct gateway g = { &cgi, cgi_param, cgi_read, cgi_write };
	char rest[4096];

	handle(context, &g);
	/* mod_cgid's pipe is one socket for both ways: closed with a body unread, it would be reset
	 * and take the answer with it */
	while (cgi.left > 0 && cgi_read(&cgi, rest, sizeof(rest)) > 0)
		continue;
}
