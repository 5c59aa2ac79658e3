/* create-order: takes an order. */
#include "config.h"

#include "event.h"
#include "order.h"
#include "reply.h"
#include "serve.h"

#include "sql/create-order.h"

#include <string.h>

#define LINES_MAX 50
#define QUANTITY_MAX 100
#define NOTE_MAX 200

/* What the guest asked for. */
struct line {
	int64_t menu_id;
	int64_t quantity;
	int menu; /* its row among the menus */
};

struct wish {
	struct line lines[LINES_MAX];
	int count;
	const char *note;
	int64_t expected_total; /* -1: not told */
};

static struct wish
read_wish(struct req *r)
{
	json_object *body = req_body(r);
	json_object *items = req_array(r, body, "", "items", 1, LINES_MAX);
	struct wish w = { .count = (int)json_object_array_length(items) };

	for (int i = 0; i < w.count; i++) {
		const char *where = arena_printf(r->arena, "items[%d].", i);
		json_object *item = req_element(r, items, (size_t)i, "items");

		w.lines[i].menu_id = req_int(r, item, where, "menu_id", 1, JSON_INT_MAX);
		w.lines[i].quantity = req_int(r, item, where, "quantity", 1, QUANTITY_MAX);
	}
	w.note = req_optional_text(r, body, "", "note", 0, NOTE_MAX);
	if (w.note != NULL && *w.note == '\0')
		w.note = NULL;
	w.expected_total =
	    req_optional_int(r, body, "", "expected_total_price", 0, JSON_INT_MAX, -1);
	return w;
}

/* The wanted menus' ids as a PostgreSQL array. */
static const char *
menu_ids(struct req *r, const struct wish *w)
{
	struct buf b;

	buf_init(&b, r->arena, 512);
	for (int i = 0; i < w->count; i++)
		buf_printf(&b, "%s%lld", i == 0 ? "{" : ",", (long long)w->lines[i].menu_id);
	buf_puts(&b, "}");
	return b.data;
}

/* Finds each line's menu; refuses the order with all lines that cannot be had. */
static void
find_menus(struct req *r, struct wish *w, const struct rows *menus)
{
	json_object *missing = json_new_array(r->arena), *details = json_new_object(r->arena);

	for (int i = 0; i < w->count; i++) {
		struct line *line = &w->lines[i];
		json_object *entry;

		while (line->menu < rows_count(menus) &&
		    row_int(menus, line->menu, "id") != line->menu_id)
			line->menu++;
		if (row_bool(menus, line->menu, "is_available"))
			continue;
		entry = json_new_object(r->arena);
		json_put_int(entry, "index", i);
		json_put_int(entry, "menu_id", line->menu_id);
		json_put_text(entry, "code",
		    line->menu < rows_count(menus) ? "MENU_NOT_AVAILABLE" : "MENU_NOT_FOUND");
		json_append(missing, entry);
	}
	json_put(details, "items", missing);
	if (json_object_array_length(missing) > 0)
		req_fail_details(r, ERR_ORDER_ITEMS_UNAVAILABLE, details);
}

static int64_t
total_price(const struct wish *w, const struct rows *menus)
{
	int64_t total = 0;

	for (int i = 0; i < w->count; i++)
		total += w->lines[i].quantity * row_int(menus, w->lines[i].menu, "price");
	return total;
}

/* Gives the order the next number of its business day, which never goes back. */
static void
number_order(struct req *r, struct order *o)
{
	struct store *s = &r->store;

	if (strcmp(s->today, s->counter_date) > 0) {
		s->counter_date = s->today;
		s->last_order_number = 0;
	}
	s->last_order_number++;
	s->number_moved = true;
	o->business_date = s->counter_date;
	o->order_number = s->last_order_number;
}

static json_object *
render(struct req *r, const struct order *o, const struct wish *w, const struct rows *menus)
{
	json_object *j = order_json(r, o);

	for (int i = 0; i < w->count; i++)
		order_json_item(r, j, w->lines[i].menu_id,
		    row_text(menus, w->lines[i].menu, "name"), w->lines[i].quantity,
		    row_int(menus, w->lines[i].menu, "price"));
	return j;
}

static void
refuse_changed_price(struct req *r, const struct wish *w, json_object *order)
{
	json_object *details = json_new_object(r->arena);

	json_put_int(details, "expected_total_price", w->expected_total);
	json_put(details, "total_price", json_object_object_get(order, "total_price"));
	json_put(details, "items", json_object_object_get(order, "items"));
	req_fail_details(r, ERR_PRICE_CHANGED, details);
}

static void
store_order(struct req *r, const struct order *o, json_object *order, bool is_new_session)
{
	const struct place here = { o->table_id, o->table_number, o->table_session_id };
	json_object *event = event_new(r, "OrderCreated", &here);

	json_put(event, "order", order);
	if (is_new_session)
		sql_session_open(r, o->table_session_id, o->table_id, r->store.now);
	sql_order_insert(r, o->id, o->table_id, o->table_session_id, o->order_number,
	    o->business_date, o->total_price, o->note, r->store.now,
	    json_text(r->arena, json_object_object_get(order, "items")));
	event_add(r, event);
}

static void
post_order(struct req *r)
{
	struct wish w = read_wish(r);
	struct rows *start = sql_order_start(r, r->who.account_id);
	struct rows *menus = sql_order_menus(r, menu_ids(r, &w));
	struct order o = { .table_id = r->who.account_id, .version = 1, .note = w.note };
	json_object *order;

	db_flush(r);
	find_menus(r, &w, menus);
	if (req_failed(r))
		return;
	o.id = row_int(start, 0, "order_id");
	o.table_number = row_text(start, 0, "table_number");
	o.table_session_id = row_int(start, 0, "session_id");
	o.status = order_status_name(ORDER_PENDING);
	o.total_price = total_price(&w, menus);
	o.created_at = o.status_changed_at = db_time(r, r->store.now);
	number_order(r, &o);
	order = render(r, &o, &w, menus);
	if (w.expected_total != -1 && w.expected_total != o.total_price)
		refuse_changed_price(r, &w, order);
	store_order(r, &o, order, row_bool(start, 0, "is_new_session"));
	reply_json(r, 201, order);
	reply_location(r, arena_printf(r->arena, "/api/customer/orders/%lld", (long long)o.id));
}

static const struct route routes[] = {
	{ "POST", "/api/customer/orders", ROLE_TABLE, RT_WRITE | RT_IDEMPOTENT, post_order },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "create-order", 0, routes);
}
