#include "config.h"

#include "dial.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_SIZE 1100
/* of a host in a list that has none of its own, as libpq has it */
#define DEFAULT_PORT "5432"

/* The number of the host to begin with; a process has one URL. */
static atomic_int first_host;

/* What a URL says of where its servers are: lists with commas between, or NULL. */
struct places {
	const char *host, *address, *port;
	int count;
};

void
dial_one_line(char *out, size_t size, const char *text)
{
	size_t n;

	snprintf(out, size, "%s", text);
	n = strlen(out);
	while (n > 0 && out[n - 1] == '\n')
		out[--n] = '\0';
	for (char *c = out; *c != '\0'; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
}

static int
length_of(const char *list)
{
	int n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* The i-th of a list, in out; NULL when the list is none. A list of one stands for all. */
static const char *
member(const char *list, int i, char out[PLACE_SIZE])
{
	if (list == NULL)
		return NULL;
	if (length_of(list) == 1)
		i = 0;
	while (i-- > 0)
		list = strchr(list, ',') + 1;
	snprintf(out, PLACE_SIZE, "%.*s", (int)strcspn(list, ","), list);
	return out;
}

/* A URL without ports has a list of empty ones, and an empty one given alone would leave that list
 * in force. */
static const char *
port_of(const struct places *p, int i, char out[PLACE_SIZE])
{
	const char *port = member(p->port, i, out);

	return port != NULL && *port == '\0' ? DEFAULT_PORT : port;
}

static struct places
find_places(const PQconninfoOption *options)
{
	struct places p = { .count = 1 };

	for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "host") == 0)
			p.host = o->val;
		else if (strcmp(o->keyword, "hostaddr") == 0)
			p.address = o->val;
		else if (strcmp(o->keyword, "port") == 0)
			p.port = o->val;
	}
	if (p.address != NULL || p.host != NULL)
		p.count = length_of(p.address != NULL ? p.address : p.host);
	/* lists that do not fit each other are libpq's to refuse */
	if ((p.port != NULL && length_of(p.port) != 1 && length_of(p.port) != p.count) ||
	    (p.address != NULL && p.host != NULL && length_of(p.host) != p.count))
		p = (struct places) { .count = 1 };
	return p;
}

static PGconn *
begin(const char *url, const struct places *p, int i)
{
	char host[PLACE_SIZE], address[PLACE_SIZE], port[PLACE_SIZE];
	/* the later ones win: what stands before dbname is a default, what stands behind it is not
	 */
	const char *const names[] = { "target_session_attrs", "dbname", "fallback_application_name",
		"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"host", "hostaddr", "port", NULL };
	const char *const values[] = { "read-write", url, program_invocation_short_name, "5", "2",
		"3", "10000", member(p->host, i, host), member(p->address, i, address),
		port_of(p, i, port), NULL };

	return PQconnectStartParams(names, values, 1);
}

/* Sees a connection through; false when it failed or time was up. */
static bool
complete(PGconn *conn, int64_t until_us)
{
	PostgresPollingStatusType step = PGRES_POLLING_WRITING;

	if (PQstatus(conn) == CONNECTION_BAD)
		return false;
	while (step != PGRES_POLLING_OK && step != PGRES_POLLING_FAILED) {
		struct pollfd fd = { PQsocket(conn),
			step == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0 };
		int64_t left_ms = (until_us - clock_mono_us()) / 1000;

		if (left_ms <= 0)
			return false;
		if (poll(&fd, 1, (int)left_ms) == 1)
			step = PQconnectPoll(conn);
	}
	return step == PGRES_POLLING_OK;
}

/* One host; NULL and what it said, behind what the others did. */
static PGconn *
try_host(const char *url, const struct places *p, int i, int64_t until_us, char *error)
{
	int64_t host_until_us = clock_mono_us() + DIAL_HOST_US;
	PGconn *conn = begin(url, p, i);
	char where[PLACE_SIZE], said[DIAL_ERROR_SIZE];
	size_t used = strlen(error);

	if (conn == NULL)
		abort(); /* out of memory */
	if (complete(conn, host_until_us < until_us ? host_until_us : until_us))
		return conn;
	if (PQstatus(conn) == CONNECTION_BAD)
		dial_one_line(said, sizeof(said), PQerrorMessage(conn));
	else
		snprintf(said, sizeof(said), "%.300s: no answer in time",
		    p->host != NULL || p->address != NULL
			? member(p->host != NULL ? p->host : p->address, i, where)
			: "the server");
	snprintf(error + used, DIAL_ERROR_SIZE - used, "%s%s", used > 0 ? "; " : "", said);
	PQfinish(conn);
	return NULL;
}

PGconn *
dial(const char *url, int64_t until_us, int *host, char *error)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	struct places p = { .count = 1 };
	PGconn *conn = NULL;
	int first = atomic_load(&first_host);

	/* a URL that cannot be read is libpq's to refuse */
	if (options != NULL)
		p = find_places(options);
	error[0] = '\0';
	for (int n = 0; n < p.count && conn == NULL; n++) {
		*host = (first + n) % p.count;
		conn = try_host(url, &p, *host, until_us, error);
	}
	PQconninfoFree(options);
	if (conn != NULL)
		atomic_store(&first_host, *host);
	return conn;
}

void
dial_avoid(int host)
{
	/* not when another thread has found a better one meanwhile */
	atomic_compare_exchange_strong(&first_host, &host, host + 1);
}
