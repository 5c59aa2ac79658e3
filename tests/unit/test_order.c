/* order: its ways, and how it looks as JSON. */
#include "config.h"

#include "order.h"

#include "req.h"

#include "unit.h"

static struct arena *arena;

static void
every_transition_is_decided(void)
{
	/* from the row's status to the column's: pending, preparing, ready, served, cancelled */
	static const char *const rows[] = {
		"-x--x", /* pending */
		"--x-x", /* preparing */
		"---x-", /* ready */
		"-----", /* served */
		"-----", /* cancelled */
	};

	for (int from = ORDER_PENDING; from <= ORDER_CANCELLED; from++)
		for (int to = ORDER_PENDING; to <= ORDER_CANCELLED; to++)
			if (order_status_follows((enum order_status)from, (enum order_status)to) !=
			    (rows[from][to] == 'x')) {
				printf("%s to %s ", order_status_name((enum order_status)from),
				    order_status_name((enum order_status)to));
				CU_FAIL("decided wrongly");
			}
}

static void
statuses_have_names(void)
{
	static const char *const names[] = { "pending", "preparing", "ready", "served",
		"cancelled" };
	static const char *const others[] = { "", "Pending", "pendin", "pending ", "done",
		"canceled" };

	for (int i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(order_status_parse(names[i]), i);
		CU_ASSERT_STRING_EQUAL(order_status_name((enum order_status)i), names[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (order_status_parse(others[i]) != -1)
			CU_FAIL(others[i]);
}

static json_object *
sample(struct req *r, const char *note)
{
	struct order o = { 7, 2, "A-1", 3, 15, "2026-11-23", "pending", "2026-11-23T10:00:00Z",
		27000, note, 1, "2026-11-23T09:59:59Z" };
	json_object *j = order_json(r, &o);

	order_json_item(r, j, 31, "\xea\xb9\x80\xec\xb9\x98", 3, 8000);
	order_json_item(r, j, 32, "Cola", 1, 3000);
	return j;
}

#define ITEMS \
	"[{\"menu_id\":31,\"menu_name\":\"\xea\xb9\x80\xec\xb9\x98\",\"quantity\":3," \
	"\"unit_price\":8000,\"subtotal\":24000},{\"menu_id\":32,\"menu_name\":\"Cola\"," \
	"\"quantity\":1,\"unit_price\":3000,\"subtotal\":3000}]"
#define ORDER(note) \
	"{\"id\":7,\"table_id\":2,\"table_number\":\"A-1\",\"table_session_id\":3," \
	"\"order_number\":15,\"business_date\":\"2026-11-23\",\"status\":\"pending\"," \
	"\"status_changed_at\":\"2026-11-23T10:00:00Z\",\"total_price\":27000,\"note\":" note "," \
	"\"version\":1,\"created_at\":\"2026-11-23T09:59:59Z\",\"items\":" ITEMS "}"

static void
an_order_is_shown_with_its_items(void)
{
	struct req r = { .arena = arena };

	CU_ASSERT_STRING_EQUAL(json_text(arena, sample(&r, NULL)), ORDER("null"));
	CU_ASSERT_STRING_EQUAL(json_text(arena, sample(&r, "no salt")), ORDER("\"no salt\""));
}

static void
the_dearest_order_is_not_cut(void)
{
	struct req r = { .arena = arena };
	struct order o = { .status = "ready" };
	json_object *j = order_json(&r, &o), *item;

	order_json_item(&r, j, JSON_INT_MAX, "x", 100, 1000000000);
	item = json_object_array_get_idx(json_object_object_get(j, "items"), 0);
	CU_ASSERT_EQUAL(
	    json_object_get_int64(json_object_object_get(item, "subtotal")), INT64_C(100000000000));
	CU_ASSERT_EQUAL(
	    json_object_get_int64(json_object_object_get(item, "menu_id")), JSON_INT_MAX);
}

static void
a_refusal_shows_the_order(void)
{
	struct req r = { .arena = arena };

	order_refuse(&r, ERR_VERSION_CONFLICT, sample(&r, NULL));
	CU_ASSERT_EQUAL(r.error, ERR_VERSION_CONFLICT);
	CU_ASSERT_STRING_EQUAL(json_text(arena, r.error_details), "{\"order\":" ORDER("null") "}");
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "every transition is decided", every_transition_is_decided },
		{ "statuses have names", statuses_have_names },
		{ "an order is shown with its items", an_order_is_shown_with_its_items },
		{ "the dearest order is not cut", the_dearest_order_is_not_cut },
		{ "a refusal shows the order", a_refusal_shows_the_order },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(1 << 16);
	status = unit_main("order", tests);
	arena_free(arena);
	return status;
}
