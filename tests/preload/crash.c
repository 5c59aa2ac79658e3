/*
 * crash: for tests. It ends a program with SIGKILL at a named point of a request.
 *
 * LD_PRELOAD puts it between a program and its libraries. $CRASH_DIR/PROGRAM.POINT.ID arms a point
 * for the request whose X-Request-Id is ID: passing it, it takes that file away and dies. In the
 * order of a request that writes:
 *
 *	begin      before the first flush of its transaction
 *	commit     before the flush that ends with COMMIT
 *	sent       that flush is out, nothing of its answer was read
 *	committed  the database has answered; the cache is not voided yet
 *	answer     all is settled but the answer
 *	answered   the answer is out; no log line yet, no metrics
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcgiapp.h>
#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* By the library's name and not by "the next one": perl, which has libpq as a plugin, has no next.
 */
#define LIBRARY(file, name) ((typeof(&name))dlsym(dlopen(file, RTLD_LAZY), #name))
#define PQ(name) LIBRARY("libpq.so.5", name)
#define FCGI(name) LIBRARY("libfcgi.so.0", name)

/* The X-Request-Id of the request that this thread serves; none in programs that serve none. */
static _Thread_local char id[65];
/* Of the flush that this thread is making. */
static _Thread_local bool begins, commits;
/* The flush with COMMIT was sent, its end was not read yet. */
static _Thread_local bool waits;

static bool
is_taken(const char *point)
{
	const char *dir = getenv("CRASH_DIR");
	char path[4096];

	if (dir == NULL || *id == '\0')
		return false;
	snprintf(path, sizeof(path), "%s/%s.%s.%s", dir, program_invocation_short_name, point, id);
	return unlink(path) == 0;
}

static void
die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void
pass(const char *point)
{
	if (is_taken(point))
		die();
}

/* A request's id is read before anything is done for it. */
char *
FCGX_GetParam(const char *name, FCGX_ParamArray params)
{
	char *value = FCGI(FCGX_GetParam)(name, params);

	if (strcmp(name, "HTTP_X_REQUEST_ID") == 0)
		snprintf(id, sizeof(id), "%s", value != NULL ? value : "");
	return value;
}

int
PQsendQueryParams(PGconn *conn, const char *command, int n, const Oid *types,
    const char *const *values, const int *lengths, const int *formats, int result_format)
{
	begins = begins || strncmp(command, "begin", strlen("begin")) == 0;
	commits = commits || strcmp(command, "commit") == 0;
	return PQ(PQsendQueryParams)(
	    conn, command, n, types, values, lengths, formats, result_format);
}

static void
send_all(PGconn *conn)
{
	struct pollfd fd = { PQ(PQsocket)(conn), POLLOUT, 0 };

	while (PQ(PQflush)(conn) == 1)
		poll(&fd, 1, -1);
}

int
PQpipelineSync(PGconn *conn)
{
	int result;

	if (begins)
		pass("begin");
	if (commits)
		pass("commit");
	waits = commits;
	begins = commits = false;
	result = PQ(PQpipelineSync)(conn);
	if (waits && is_taken("sent")) {
		send_all(conn);
		die();
	}
	return result;
}

PGresult *
PQgetResult(PGconn *conn)
{
	PGresult *result = PQ(PQgetResult)(conn);

	if (waits && result != NULL && PQ(PQresultStatus)(result) == PGRES_PIPELINE_SYNC) {
		waits = false;
		pass("committed");
	}
	return result;
}

int
FCGX_PutStr(const char *bytes, int n, FCGX_Stream *stream)
{
	int result;

	pass("answer");
	result = FCGI(FCGX_PutStr)(bytes, n, stream);
	if (is_taken("answered")) {
		FCGI(FCGX_FFlush)(stream);
		die();
	}
	return result;
}
