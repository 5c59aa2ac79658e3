/* relay: how an envelope becomes a Server-Sent Event, and who it is for. */
#include "config.h"

#include "../../sse-relay/frame.h"

#include "unit.h"

#define STORE "11111111-1111-4111-8111-111111111111"
#define ENVELOPE(type, rest) \
	"{\"seq\":7,\"event_type\":\"" type "\",\"store_id\":\"" STORE \
	"\",\"occurred_at\":\"2026-01-02T03:04:05.678Z\"" rest "}"

static struct arena *arena;

static struct frame *
event(const char *envelope)
{
	return frame_event(arena, envelope, strlen(envelope));
}

/* An envelope that must be one. */
static struct frame *
good(const char *envelope)
{
	struct frame *f = event(envelope);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	return f;
}

static void
an_event_is_its_envelope_between_id_and_blank_line(void)
{
	static const char envelope[] = ENVELOPE("OrderCreated", ",\"table_id\":12");
	static const char text[] = "id: 7\nevent: OrderCreated\ndata: " ENVELOPE(
	    "OrderCreated", ",\"table_id\":12") "\n\n";
	struct frame *f = good(envelope);

	CU_ASSERT_EQUAL(f->size, strlen(text));
	CU_ASSERT_EQUAL(memcmp(f->bytes, text, strlen(text)), 0);
	CU_ASSERT_EQUAL(f->seq, 7);
	CU_ASSERT_EQUAL(f->table_id, 12);
	CU_ASSERT_STRING_EQUAL(f->store_id, STORE);
	CU_ASSERT_EQUAL(f->occurred_us, INT64_C(1767323045678000));
	CU_ASSERT_STRING_EQUAL(f->revoked_subject, "");
	frame_unref(f);
}

static void
line_ends_do_not_break_an_event_up(void)
{
	struct frame *f =
	    good("{\"seq\":1,\n\"event_type\":\r\n\"MenuChanged\",\"store_id\":\"" STORE "\"}");

	f->bytes[f->size - 2] = '\0';
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(f->bytes, "data: {\"seq\":1, \"event_type\":  \"MenuChanged\""));
	CU_ASSERT_PTR_NULL(strchr(strstr(f->bytes, "data: "), '\n'));
	frame_unref(f);
}

static enum frame_audience
audience(const char *envelope)
{
	struct frame *f = good(envelope);
	enum frame_audience a = f->audience;

	frame_unref(f);
	return a;
}

static void
tables_see_their_orders_and_the_menu_only(void)
{
	CU_ASSERT_EQUAL(audience(ENVELOPE("OrderCreated", "")), FRAME_TABLE);
	CU_ASSERT_EQUAL(audience(ENVELOPE("OrderDeleted", "")), FRAME_TABLE);
	CU_ASSERT_EQUAL(audience(ENVELOPE("OrderStatusChanged", "")), FRAME_TABLE);
	CU_ASSERT_EQUAL(audience(ENVELOPE("TableSessionCompleted", "")), FRAME_TABLE);
	CU_ASSERT_EQUAL(audience(ENVELOPE("MenuChanged", "")), FRAME_STORE);
	CU_ASSERT_EQUAL(audience(ENVELOPE("AccountRevoked", "")), FRAME_ADMINS);
	CU_ASSERT_EQUAL(audience(ENVELOPE("SomethingNew", "")), FRAME_ADMINS);
}

static void
a_revocation_names_whom_and_up_to_where(void)
{
	struct frame *f = good(ENVELOPE("AccountRevoked", ",\"subject\":\"table:3\",\"gen\":4"));

	CU_ASSERT_STRING_EQUAL(f->revoked_subject, "table:3");
	CU_ASSERT_EQUAL(f->revoked_gen, 4);
	frame_unref(f);
	f = good(ENVELOPE("OrderCreated", ",\"subject\":\"table:3\",\"gen\":4"));
	CU_ASSERT_STRING_EQUAL(f->revoked_subject, "");
	frame_unref(f);
}

static void
what_is_no_envelope_is_no_event(void)
{
	static const char *const texts[] = { "", "x", "[]", "{}", "7", "null",
		"{\"seq\":0,\"event_type\":\"A\",\"store_id\":\"" STORE "\"}",
		"{\"seq\":\"1\",\"event_type\":\"A\",\"store_id\":\"" STORE "\"}",
		"{\"seq\":1,\"event_type\":\"A\",\"store_id\":\"1\"}",
		"{\"seq\":1,\"event_type\":\"\",\"store_id\":\"" STORE "\"}",
		"{\"seq\":1,\"event_type\":\"A\\nid: 9\",\"store_id\":\"" STORE "\"}",
		"{\"seq\":1,\"event_type\":7,\"store_id\":\"" STORE "\"}", ENVELOPE("A", "") "x" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_PTR_NULL(event(texts[i]));
}

static void
times_are_read_to_the_microsecond(void)
{
	CU_ASSERT_EQUAL(frame_parse_time("1970-01-01T00:00:01Z"), 1000000);
	CU_ASSERT_EQUAL(frame_parse_time("1970-01-01T00:00:01.5Z"), 1500000);
	CU_ASSERT_EQUAL(frame_parse_time("1970-01-01T00:00:01.000002Z"), 1000002);
	CU_ASSERT_EQUAL(frame_parse_time("1970-01-01T00:00:01.0000029Z"), 1000002);
	CU_ASSERT_EQUAL(frame_parse_time("1970-01-01T00:00:01"), 0);
	CU_ASSERT_EQUAL(frame_parse_time("1970-01-01T00:00:01+09:00"), 0);
	CU_ASSERT_EQUAL(frame_parse_time("yesterday"), 0);
	CU_ASSERT_EQUAL(frame_parse_time(""), 0);
}

static void
a_frame_lives_as_long_as_its_last_reference(void)
{
	struct frame *f = frame_printf("%d", 12), *same = frame_ref(f);

	frame_unref(f);
	CU_ASSERT_EQUAL(same->refs, 1);
	CU_ASSERT_STRING_EQUAL(same->bytes, "12");
	CU_ASSERT_EQUAL(same->size, 2);
	frame_unref(same);
	frame_unref(NULL);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "an event is its envelope between id and blank line",
		    an_event_is_its_envelope_between_id_and_blank_line },
		{ "line ends do not break an event up", line_ends_do_not_break_an_event_up },
		{ "tables see their orders and the menu only",
		    tables_see_their_orders_and_the_menu_only },
		{ "a revocation names whom and up to where",
		    a_revocation_names_whom_and_up_to_where },
		{ "what is no envelope is no event", what_is_no_envelope_is_no_event },
		{ "times are read to the microsecond", times_are_read_to_the_microsecond },
		{ "a frame lives as long as its last reference",
		    a_frame_lives_as_long_as_its_last_reference },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(4096);
	status = unit_main("relay frame", tests);
	arena_free(arena);
	return status;
}
