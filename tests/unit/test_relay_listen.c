/* relay: whose socket it listens on. */
#include "config.h"

#include "../../sse-relay/listen.h"

#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PASSED_FD 3

static char error[512];

static void
supervisor_says(long pid, const char *fds)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", fds, 1);
}

static int
can_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), result;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	result = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	close(fd);
	return result == 0;
}

/* A socket at path, as a supervisor leaves it: blocking, and at the descriptor agreed upon. */
static void
pass_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CU_ASSERT_EQUAL_FATAL(
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) | listen(fd, 1), 0);
	if (fd != PASSED_FD) {
		CU_ASSERT_EQUAL_FATAL(dup2(fd, PASSED_FD), PASSED_FD);
		close(fd);
	}
}

static void
a_passed_socket_is_taken(void)
{
	const char *path = unit_path("passed.sock"), *other = unit_path("other.sock");
	char where[200];
	struct stat st;

	snprintf(where, sizeof(where), "unix:%s", other);
	pass_socket(path);
	supervisor_says(getpid(), "1");
	CU_ASSERT_EQUAL(listen_at(where, error, sizeof(error)), PASSED_FD);
	CU_ASSERT((fcntl(PASSED_FD, F_GETFL) & O_NONBLOCK) != 0);
	CU_ASSERT((fcntl(PASSED_FD, F_GETFD) & FD_CLOEXEC) != 0);
	CU_ASSERT(can_connect(path));
	CU_ASSERT_EQUAL(stat(other, &st), -1);
	close(PASSED_FD);
}

static void
what_is_passed_to_another_process_is_not_taken(void)
{
	const char *path = unit_path("own.sock");
	char where[200];
	int fd;

	snprintf(where, sizeof(where), "unix:%s", path);
	supervisor_says(getppid(), "1");
	fd = listen_at(where, error, sizeof(error));
	CU_ASSERT_NOT_EQUAL(fd, -1);
	CU_ASSERT(can_connect(path));
	close(fd);
	CU_ASSERT(!can_connect(path));
}

static void
a_descriptor_that_does_not_listen_is_refused(void)
{
	int fd = open("/dev/null", O_RDWR);

	CU_ASSERT_EQUAL_FATAL(dup2(fd, PASSED_FD), PASSED_FD);
	supervisor_says(getpid(), "1");
	CU_ASSERT_EQUAL(listen_at("127.0.0.1:0", error, sizeof(error)), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "LISTEN_FDS"));
	close(PASSED_FD);
	if (fd != PASSED_FD)
		close(fd);
	CU_ASSERT_EQUAL(listen_at("127.0.0.1:0", error, sizeof(error)), -1);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "a passed socket is taken", a_passed_socket_is_taken },
		{ "what is passed to another process is not taken",
		    what_is_passed_to_another_process_is_not_taken },
		{ "a descriptor that does not listen is refused",
		    a_descriptor_that_does_not_listen_is_refused },
		CU_TEST_INFO_NULL,
	};

	return unit_main("relay listen", tests);
}
