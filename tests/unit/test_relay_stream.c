/* relay: a stream's queue over a real socket, and who sees what. */
#include "config.h"

#include "../../sse-relay/stream.h"

#include "unit.h"

#include <sys/socket.h>

static struct stream *
new_stream(int *peer)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == -1)
		abort();
	*peer = fds[1];
	return stream_new(fds[0], 1);
}

static void
free_stream(struct stream *st, int peer)
{
	stream_free(st);
	close(peer);
}

static struct frame *
event(int64_t seq)
{
	struct frame *f = frame_printf("%d ", (int)seq);

	f->seq = seq;
	return f;
}

static void
queue(struct stream *st, int64_t seq)
{
	struct frame *f = event(seq);

	CU_ASSERT_TRUE(stream_queue(st, f));
	frame_unref(f);
}

/* Whether text is all that has come to the peer. */
static bool
received(int peer, const char *text)
{
	char bytes[1024];
	ssize_t n = recv(peer, bytes, sizeof(bytes) - 1, 0);

	bytes[n > 0 ? n : 0] = '\0';
	return strcmp(bytes, text) == 0;
}

static void
a_reader_that_keeps_up_needs_no_queue(void)
{
	int peer;
	struct stream *st = new_stream(&peer);
	struct frame *f = event(5);

	CU_ASSERT_EQUAL(stream_send(st, f), STREAM_ALL);
	CU_ASSERT_TRUE(received(peer, "5 "));
	CU_ASSERT_EQUAL(f->refs, 1);
	CU_ASSERT_PTR_NULL(st->queue);
	CU_ASSERT_EQUAL(st->stalled_us, 0);
	frame_unref(f);
	free_stream(st, peer);
}

static void
the_replay_stands_before_what_came_meanwhile(void)
{
	int peer;
	struct stream *st = new_stream(&peer);
	struct frame *replay = frame_printf("replay "), *head = frame_printf("head ");

	for (int64_t seq = 5; seq <= 9; seq++)
		queue(st, seq);
	stream_forget_until(st, 7);
	stream_queue_first(st, replay);
	stream_queue_first(st, head);
	CU_ASSERT_EQUAL(stream_flush(st), STREAM_ALL);
	CU_ASSERT_TRUE(received(peer, "head replay 8 9 "));
	frame_unref(replay);
	frame_unref(head);
	free_stream(st, peer);
}

static void
a_reader_that_stands_still_is_told_from_one_that_reads(void)
{
	int peer;
	struct stream *st = new_stream(&peer);
	struct frame *big = frame_printf("%70000d", 1);
	enum stream_io result = STREAM_ALL;
	size_t sent = 0;
	char bytes[65536];

	while (result != STREAM_FULL && sent < 1000) {
		result = stream_send(st, big);
		sent++;
	}
	CU_ASSERT_EQUAL(result, STREAM_FULL);
	CU_ASSERT_EQUAL(st->queue_count, STREAM_QUEUE_MAX);
	CU_ASSERT_NOT_EQUAL(st->stalled_us, 0);
	CU_ASSERT_EQUAL((size_t)big->refs, STREAM_QUEUE_MAX + 1);
	while (recv(peer, bytes, sizeof(bytes), 0) > 0)
		continue;
	CU_ASSERT_EQUAL(stream_flush(st), STREAM_SOME);
	free_stream(st, peer);
	CU_ASSERT_EQUAL(big->refs, 1);
	frame_unref(big);
}

static void
all_bytes_arrive_in_order_whatever_the_socket_takes(void)
{
	int peer;
	struct stream *st = new_stream(&peer);
	int64_t seq = 0;
	size_t got = 0, want = 0;
	char bytes[4096];
	ssize_t n;

	for (; seq < STREAM_QUEUE_MAX; seq++) {
		struct frame *f = frame_printf("%1000d", (int)seq);

		want += f->size;
		CU_ASSERT_TRUE(stream_queue(st, f));
		frame_unref(f);
	}
	do {
		stream_flush(st);
		n = recv(peer, bytes, 999, 0);
		if (n > 0)
			got += (size_t)n;
	} while (n > 0);
	CU_ASSERT_EQUAL(got, want);
	free_stream(st, peer);
}

static void
a_peer_that_left_is_noticed(void)
{
	int peer;
	struct stream *st = new_stream(&peer);
	struct frame *f = event(1);

	close(peer);
	CU_ASSERT_EQUAL(stream_read_nothing(st), STREAM_GONE);
	CU_ASSERT_EQUAL(stream_send(st, f), STREAM_GONE);
	frame_unref(f);
	stream_free(st);
}

static void
tables_see_what_is_theirs(void)
{
	struct stream st = { .who = { .role = ROLE_TABLE, .account_id = 3 } };
	struct frame f = { .audience = FRAME_TABLE, .table_id = 3 };

	CU_ASSERT_TRUE(stream_sees(&st, &f));
	f.table_id = 4;
	CU_ASSERT_FALSE(stream_sees(&st, &f));
	f.audience = FRAME_STORE;
	CU_ASSERT_TRUE(stream_sees(&st, &f));
	f.audience = FRAME_ADMINS;
	CU_ASSERT_FALSE(stream_sees(&st, &f));
	st.who.role = ROLE_STORE_ADMIN;
	CU_ASSERT_TRUE(stream_sees(&st, &f));
}

static void
a_revocation_ends_lower_generations_of_its_account(void)
{
	struct stream st = { .who = { .role = ROLE_TABLE, .subject = "table:3", .gen = 4 } };
	struct frame f = { .revoked_subject = "table:3", .revoked_gen = 5 };

	CU_ASSERT_TRUE(stream_revoked_by(&st, &f));
	f.revoked_gen = 4;
	CU_ASSERT_FALSE(stream_revoked_by(&st, &f));
	f.revoked_gen = 5;
	strcpy(f.revoked_subject, "table:33");
	CU_ASSERT_FALSE(stream_revoked_by(&st, &f));
	f.revoked_subject[0] = '\0';
	CU_ASSERT_FALSE(stream_revoked_by(&st, &f));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "a reader that keeps up needs no queue", a_reader_that_keeps_up_needs_no_queue },
		{ "the replay stands before what came meanwhile",
		    the_replay_stands_before_what_came_meanwhile },
		{ "a reader that stands still is told from one that reads",
		    a_reader_that_stands_still_is_told_from_one_that_reads },
		{ "all bytes arrive in order whatever the socket takes",
		    all_bytes_arrive_in_order_whatever_the_socket_takes },
		{ "a peer that left is noticed", a_peer_that_left_is_noticed },
		{ "tables see what is theirs", tables_see_what_is_theirs },
		{ "a revocation ends lower generations of its account",
		    a_revocation_ends_lower_generations_of_its_account },
		CU_TEST_INFO_NULL,
	};

	return unit_main("relay stream", tests);
}
