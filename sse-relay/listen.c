#include "config.h"

#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096
#define PASSED_FD 3 /* sd_listen_fds(3) */
#define FLAGS (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

static int
fail(const char *where, const char *why, int fd, char *error, size_t size)
{
	snprintf(error, size, "SSE_LISTEN: %s: %s", where, why);
	if (fd != -1)
		close(fd);
	return -1;
}

static bool
somebody_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, FLAGS, 0);
	bool yes = fd != -1 &&
	    (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		errno == EAGAIN);

	close(fd);
	return yes;
}

static int
listen_unix(const char *where, const char *path, char *error, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(where, "the path is too long", fd, error, size);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (somebody_listens(&address))
		return fail(where, "another process listens there", fd, error, size);
	unlink(path);
	fd = socket(AF_UNIX, FLAGS, 0);
	if (fd == -1 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) == -1 ||
	    chmod(path, 0666) == -1 || listen(fd, BACKLOG) == -1)
		return fail(where, strerror(errno), fd, error, size);
	return fd;
}

static int
listen_address(const char *where, const struct addrinfo *a, char *error, size_t size)
{
	int fd = socket(a->ai_family, FLAGS, 0), on = 1;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) == -1 || listen(fd, BACKLOG) == -1)
		return fail(where, strerror(errno), fd, error, size);
	return fd;
}

static int
listen_tcp(const char *where, char *error, size_t size)
{
	const char *colon = strrchr(where, ':');
	size_t n = colon != NULL ? (size_t)(colon - where) : 0;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV },
			*found = NULL;
	char host[256];
	int result;

	if (n == 0 || n >= sizeof(host))
		return fail(where, "must be host:port or unix:/path", -1, error, size);
	if (where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	}
	memcpy(host, where, n);
	host[n] = '\0';
	result = getaddrinfo(host, colon + 1, &hints, &found);
	if (result != 0)
		return fail(where, gai_strerror(result), -1, error, size);
	result = listen_address(where, found, error, size);
	freeaddrinfo(found);
	return result;
}

/* Whether the supervisor's words, "LISTEN_PID" and "LISTEN_FDS", are for this process. */
static bool
is_passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	return pid != NULL && fds != NULL && strtol(pid, NULL, 10) == (long)getpid() &&
	    strcmp(fds, "1") == 0;
}

static int
take_passed(char *error, size_t size)
{
	int on = 0, flags = fcntl(PASSED_FD, F_GETFL);
	socklen_t len = sizeof(on);

	if (flags == -1 || getsockopt(PASSED_FD, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == -1 ||
	    on == 0 || fcntl(PASSED_FD, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(PASSED_FD, F_SETFD, FD_CLOEXEC) == -1) {
		snprintf(error, size, "LISTEN_FDS: descriptor %d is not a socket that listens",
		    PASSED_FD);
		return -1;
	}
	return PASSED_FD;
}

int
listen_at(const char *where, char *error, size_t size)
{
	if (is_passed())
		return take_passed(error, size);
	if (strncmp(where, "unix:", 5) == 0)
		return listen_unix(where, where + 5, error, size);
	return listen_tcp(where, error, size);
}
