/* relay: whatever arrives in whatever order, events are given on once, in order, without a gap. */
#include "config.h"

#include "../../sse-relay/store.h"

#include "unit.h"

static struct store store;
/* The seqs that were given on: "5 6 7". */
static char given[16384];

static void
note(void *arg, struct store *s, struct frame *f)
{
	size_t n = strlen(given);

	(void)arg;
	CU_ASSERT_PTR_EQUAL(s, &store);
	snprintf(given + n, sizeof(given) - n, "%s%d", n > 0 ? " " : "", (int)f->seq);
}

/* A new store; at -1 its place is not known yet. */
static void
begin(int64_t last_seq)
{
	store_fini(&store);
	store_init(&store, "11111111-1111-4111-8111-111111111111");
	given[0] = '\0';
	if (last_seq >= 0)
		store_begin(&store, last_seq);
}

static struct frame *
frame(int64_t seq)
{
	struct frame *f = frame_new("", 0);

	f->seq = seq;
	return f;
}

static void
offer(int64_t seq)
{
	struct frame *f = frame(seq);

	store_offer(&store, f, note, NULL);
	frame_unref(f);
}

/* The event log answers with first … last; last < first: nothing. */
static bool
fill(int64_t first, int64_t last)
{
	struct frame *frames[512] = { NULL };
	size_t n = 0;
	bool filled;

	for (int64_t seq = first; seq <= last; seq++)
		frames[n++] = frame(seq);
	filled = store_filled(&store, frames, n, note, NULL);
	while (n > 0)
		frame_unref(frames[--n]);
	return filled;
}

static void
events_in_order_pass(void)
{
	begin(4);
	offer(5);
	offer(6);
	CU_ASSERT_STRING_EQUAL(given, "5 6");
	CU_ASSERT_FALSE(store_ask(&store));
}

static void
duplicates_are_dropped(void)
{
	begin(4);
	offer(5);
	offer(5);
	offer(3);
	offer(6);
	offer(5);
	CU_ASSERT_STRING_EQUAL(given, "5 6");
}

static void
a_gap_is_filled_before_what_follows(void)
{
	begin(4);
	offer(7);
	CU_ASSERT_STRING_EQUAL(given, "");
	CU_ASSERT_TRUE(store_ask(&store));
	CU_ASSERT_EQUAL(store.asked_after, 4);
	fill(5, 6);
	CU_ASSERT_STRING_EQUAL(given, "5 6 7");
	CU_ASSERT_FALSE(store_ask(&store));
}

static void
the_log_is_asked_once_at_a_time(void)
{
	begin(4);
	offer(7);
	CU_ASSERT_TRUE(store_ask(&store));
	offer(9);
	CU_ASSERT_FALSE(store_ask(&store));
	fill(5, 7);
	CU_ASSERT_STRING_EQUAL(given, "5 6 7");
	CU_ASSERT_TRUE(store_ask(&store));
	fill(8, 9);
	CU_ASSERT_STRING_EQUAL(given, "5 6 7 8 9");
}

static void
the_log_may_be_ahead_of_the_bus(void)
{
	begin(4);
	offer(6);
	CU_ASSERT_TRUE(store_ask(&store));
	fill(5, 8);
	offer(7);
	offer(8);
	offer(9);
	CU_ASSERT_STRING_EQUAL(given, "5 6 7 8 9");
}

static void
a_late_event_closes_the_gap_itself(void)
{
	begin(4);
	offer(6);
	CU_ASSERT_TRUE(store_ask(&store));
	offer(5);
	CU_ASSERT_STRING_EQUAL(given, "5 6");
	fill(5, 6);
	CU_ASSERT_STRING_EQUAL(given, "5 6");
	CU_ASSERT_FALSE(store_ask(&store));
}

static void
an_answer_overtaken_by_events_proves_nothing(void)
{
	begin(4);
	offer(6);
	CU_ASSERT_TRUE(store_ask(&store));
	offer(5);
	offer(8);
	fill(5, 6);
	CU_ASSERT_TRUE(store_ask(&store));
	fill(7, 7);
	CU_ASSERT_STRING_EQUAL(given, "5 6 7 8");
}

static void
a_lost_last_event_is_heard_of(void)
{
	begin(4);
	store_heard(&store, 5);
	CU_ASSERT_TRUE(store_ask(&store));
	fill(5, 5);
	CU_ASSERT_STRING_EQUAL(given, "5");
	store_heard(&store, 5);
	CU_ASSERT_FALSE(store_ask(&store));
}

static void
without_an_answer_it_is_asked_again(void)
{
	begin(4);
	offer(6);
	CU_ASSERT_TRUE(store_ask(&store));
	store_not_filled(&store);
	CU_ASSERT_TRUE(store_ask(&store));
	fill(5, 5);
	CU_ASSERT_STRING_EQUAL(given, "5 6");
}

static void
what_the_log_does_not_know_is_said(void)
{
	begin(4);
	offer(9);
	CU_ASSERT_TRUE(store_ask(&store));
	CU_ASSERT_FALSE(fill(1, 0));
	CU_ASSERT_TRUE(store_ask(&store));
	CU_ASSERT_FALSE(fill(6, 8));
	CU_ASSERT_TRUE(store_ask(&store));
	CU_ASSERT_TRUE(fill(5, 5));
	CU_ASSERT_TRUE(store_ask(&store));
	CU_ASSERT_TRUE(fill(6, 8));
	CU_ASSERT_STRING_EQUAL(given, "5 6 7 8 9");
}

static void
a_store_that_restarts_knows_nothing(void)
{
	begin(4);
	offer(9);
	CU_ASSERT_TRUE(store_ask(&store));
	store_restart(&store);
	CU_ASSERT_EQUAL(store.held_count, 0);
	offer(10);
	CU_ASSERT_FALSE(store_ask(&store));
	store_begin(&store, 9);
	CU_ASSERT_TRUE(store_ask(&store));
	CU_ASSERT_TRUE(fill(10, 10));
	CU_ASSERT_STRING_EQUAL(given, "10");
}

static void
what_came_before_the_place_was_known_is_asked_for(void)
{
	begin(-1);
	offer(6);
	CU_ASSERT_FALSE(store_ask(&store));
	store_begin(&store, 5);
	CU_ASSERT_STRING_EQUAL(given, "");
	CU_ASSERT_TRUE(store_ask(&store));
	fill(6, 6);
	CU_ASSERT_STRING_EQUAL(given, "6");
}

static void
more_than_can_be_held_comes_from_the_log(void)
{
	char want[16384] = "1";
	int64_t last = STORE_HELD_MAX + 10;

	for (int64_t seq = 2; seq <= last; seq++)
		snprintf(want + strlen(want), sizeof(want) - strlen(want), " %d", (int)seq);
	begin(0);
	for (int64_t seq = 2; seq <= last; seq++)
		offer(seq);
	CU_ASSERT_EQUAL(store.held_count, STORE_HELD_MAX);
	CU_ASSERT_TRUE(store_ask(&store));
	fill(1, 1);
	CU_ASSERT_EQUAL(store.held_count, 0);
	CU_ASSERT_TRUE(store_ask(&store));
	fill(STORE_HELD_MAX + 2, last);
	CU_ASSERT_STRING_EQUAL(given, want);
}

/* All orders of arrival of a few events, with an answer of the log whenever it is asked. */
static void
any_order_of_arrival_ends_in_order(void)
{
	static const int orders[][5] = { { 1, 2, 3, 4, 5 }, { 5, 4, 3, 2, 1 }, { 2, 1, 4, 3, 5 },
		{ 3, 3, 1, 5, 2 }, { 5, 1, 5, 1, 2 }, { 4, 5, 1, 1, 1 } };

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		begin(0);
		for (int k = 0; k < 5; k++) {
			offer(orders[i][k]);
			if (k % 2 == 1 && store_ask(&store))
				fill(store.asked_after + 1, store.seen);
		}
		store_heard(&store, 5);
		if (store_ask(&store))
			fill(store.asked_after + 1, 5);
		CU_ASSERT_STRING_EQUAL(given, "1 2 3 4 5");
	}
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "events in order pass", events_in_order_pass },
		{ "duplicates are dropped", duplicates_are_dropped },
		{ "a gap is filled before what follows", a_gap_is_filled_before_what_follows },
		{ "the log is asked once at a time", the_log_is_asked_once_at_a_time },
		{ "the log may be ahead of the bus", the_log_may_be_ahead_of_the_bus },
		{ "a late event closes the gap itself", a_late_event_closes_the_gap_itself },
		{ "an answer overtaken by events proves nothing",
		    an_answer_overtaken_by_events_proves_nothing },
		{ "a lost last event is heard of", a_lost_last_event_is_heard_of },
		{ "without an answer it is asked again", without_an_answer_it_is_asked_again },
		{ "what the log does not know is said", what_the_log_does_not_know_is_said },
		{ "a store that restarts knows nothing", a_store_that_restarts_knows_nothing },
		{ "what came before the place was known is asked for",
		    what_came_before_the_place_was_known_is_asked_for },
		{ "more than can be held comes from the log",
		    more_than_can_be_held_comes_from_the_log },
		{ "any order of arrival ends in order", any_order_of_arrival_ends_in_order },
		CU_TEST_INFO_NULL,
	};
	int status = unit_main("relay store", tests);

	store_fini(&store);
	return status;
}
