#include "config.h"

#include "stream.h"

#include "clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_TIMEOUT_MS 30000

static void
set_option(int fd, int level, int option, int value)
{
	/* refused for unix sockets where it makes no sense: so be it */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

struct stream *
stream_new(int fd, uint64_t serial)
{
	struct stream *st = calloc(1, sizeof(*st));

	if (st == NULL || (st->head = malloc(HEAD_LIMIT)) == NULL)
		abort();
	st->fd = fd;
	st->serial = serial;
	set_option(fd, SOL_SOCKET, SO_SNDBUF, STREAM_SEND_BUFFER);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, PEER_TIMEOUT_MS / 1000);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, PEER_TIMEOUT_MS);
	return st;
}

static struct frame **
queue_at(struct stream *st, size_t i)
{
	return &st->queue[(st->queue_first + i) % st->queue_size];
}

static void
drop_first(struct stream *st)
{
	frame_unref(*queue_at(st, 0));
	st->queue_first = (st->queue_first + 1) % st->queue_size;
	st->queue_count--;
	st->written = 0;
}

static void
free_queue(struct stream *st)
{
	while (st->queue_count > 0)
		drop_first(st);
	free(st->queue);
	st->queue = NULL;
	st->queue_size = 0;
	st->queue_first = 0;
}

void
stream_free(struct stream *st)
{
	free_queue(st);
	close(st->fd);
	free(st->head);
	free(st->asker);
	free(st);
}

/* A queue of twice the size, its first frame at 0. */
static void
grow(struct stream *st)
{
	size_t size = st->queue_size == 0 ? 4 : st->queue_size * 2;
	struct frame **queue = malloc(size * sizeof(struct frame *));

	if (queue == NULL)
		abort();
	for (size_t i = 0; i < st->queue_count; i++)
		queue[i] = *queue_at(st, i);
	free(st->queue);
	st->queue = queue;
	st->queue_size = size;
	st->queue_first = 0;
}

bool
stream_queue(struct stream *st, struct frame *f)
{
	if (st->queue_count >= STREAM_QUEUE_MAX)
		return false;
	if (st->queue_count == st->queue_size)
		grow(st);
	*queue_at(st, st->queue_count++) = frame_ref(f);
	return true;
}

void
stream_queue_first(struct stream *st, struct frame *f)
{
	if (st->queue_count == st->queue_size)
		grow(st);
	st->queue_first = (st->queue_first + st->queue_size - 1) % st->queue_size;
	st->queue_count++;
	*queue_at(st, 0) = frame_ref(f);
}

void
stream_forget_until(struct stream *st, int64_t last_seq)
{
	while (st->queue_count > 0 && (*queue_at(st, 0))->seq <= last_seq)
		drop_first(st);
}

/* Writes the first frame as far as the socket takes it. */
static enum stream_io
write_first(struct stream *st)
{
	struct frame *f = *queue_at(st, 0);
	ssize_t n = send(
	    st->fd, f->bytes + st->written, f->size - st->written, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? STREAM_SOME : STREAM_GONE;
	st->stalled_us = 0;
	st->written += (size_t)n;
	if (st->written < f->size)
		return STREAM_SOME;
	drop_first(st);
	return STREAM_ALL;
}

enum stream_io
stream_flush(struct stream *st)
{
	while (st->queue_count > 0) {
		enum stream_io result = write_first(st);

		if (result == STREAM_SOME && st->stalled_us == 0)
			st->stalled_us = clock_mono_us();
		if (result != STREAM_ALL)
			return result;
	}
	/* a stream that keeps up needs no queue */
	free_queue(st);
	st->stalled_us = 0;
	return STREAM_ALL;
}

enum stream_io
stream_send(struct stream *st, struct frame *f)
{
	if (!stream_queue(st, f))
		return STREAM_FULL;
	/* not while others wait: epoll tells when the socket takes more */
	return st->queue_count > 1 ? STREAM_SOME : stream_flush(st);
}

enum stream_io
stream_read_head(struct stream *st)
{
	ssize_t n =
	    recv(st->fd, st->head + st->head_size, HEAD_LIMIT - st->head_size, MSG_DONTWAIT);

	if (n > 0)
		st->head_size += (size_t)n;
	if (n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)))
		return STREAM_SOME;
	return STREAM_GONE;
}

enum stream_io
stream_read_nothing(struct stream *st)
{
	char bytes[4096];
	ssize_t n = recv(st->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	return n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)) ? STREAM_SOME
									 : STREAM_GONE;
}

bool
stream_sees(const struct stream *st, const struct frame *f)
{
	if (st->who.role == ROLE_STORE_ADMIN)
		return true;
	return f->audience == FRAME_STORE ||
	    (f->audience == FRAME_TABLE && f->table_id == st->who.account_id);
}

bool
stream_revoked_by(const struct stream *st, const struct frame *f)
{
	return f->revoked_subject[0] != '\0' && strcmp(f->revoked_subject, st->who.subject) == 0 &&
	    st->who.gen < f->revoked_gen;
}
