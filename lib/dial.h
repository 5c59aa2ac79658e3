/*
 * dial: a connection to that one of a database URL's servers which takes
 * writes, in bounded time.
 *
 * libpq tries the hosts of a URL in their order, so a host that does not answer
 * would cost every new connection its time-out. Here the host that answered
 * last is tried first, and none is waited for longer than DIAL_HOST_US, whether
 * its network is gone, its server is frozen (the kernel of which still accepts
 * connections), or it is slow to say who it is. The name service is libpq's,
 * and has time-outs of its own.
 *
 * Unless the URL says otherwise, a server that is read-only (a standby, a
 * primary that was demoted) is passed over: target_session_attrs=read-write.
 */
#ifndef DIAL_H
#define DIAL_H

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

/* One host has this long to accept us. */
#define DIAL_HOST_US (INT64_C(3) * 1000 * 1000)
#define DIAL_ERROR_SIZE 1024

/*
 * Connects, before until_us of clock_mono_us(). The caller ends the connection by PQfinish().
 * Returns NULL when no host would have us: error[DIAL_ERROR_SIZE] says of each why, in one line; no
 * password is in it. *host is the number of the host that answered, for dial_avoid(). Any thread.
 */
PGconn *dial(const char *url, int64_t until_us, int *host, char *error);

/* That host has kept silent on a connection: from now on the others are tried before it. */
void dial_avoid(int host);

/* Writes text into out as one line without an end, cut to size. */
void dial_one_line(char *out, size_t size, const char *text);

#endif
