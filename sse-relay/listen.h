/*
 * listen: the socket on which the relay is asked.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stddef.h>

/*
 * Listens at "host:port", "[address]:port" or "unix:/path" (any local user may connect: nginx runs
 * as another). A path that nobody listens on any more is taken over, and is left there at the end:
 * the next one takes it. A socket that a supervisor has passed as sd_listen_fds(3) says is taken
 * instead: it outlives this process. Returns a non-blocking descriptor, or -1 and one line in error[size].
 */
int listen_at(const char *where, char *error, size_t size);

#endif
