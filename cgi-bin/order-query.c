/* order-query: live orders and the board. */
#include "config.h"

#include "order.h"
#include "page.h"
#include "reply.h"
#include "serve.h"

#include "sql/order-query.h"

#include <string.h>

/* Totals leave cancelled orders out. */
static int64_t
payable(json_object *order)
{
	const char *status = json_object_get_string(json_object_object_get(order, "status"));

	if (strcmp(status, order_status_name(ORDER_CANCELLED)) == 0)
		return 0;
	return json_object_get_int64(json_object_object_get(order, "total_price"));
}

/* --- the table's own ------------------------------------------------------------------------ */

static void
get_own_orders(struct req *r)
{
	struct rows *lines = sql_orders_of_table(r, r->who.account_id);
	struct rows *last = sql_last_event(r);
	json_object *answer = json_new_object(r->arena), *orders;
	int64_t total = 0;

	db_flush(r);
	orders = order_json_list(r, lines);
	for (size_t i = 0; i < json_object_array_length(orders); i++)
		total += payable(json_object_array_get_idx(orders, i));
	json_put(answer, "data", orders);
	json_put_int(answer, "total_price", total);
	json_put_int(answer, "last_event_id", row_int(last, 0, "last_seq"));
	reply_json(r, 200, answer);
}

static void
reply_order(struct req *r, const struct rows *lines)
{
	int first = 0;

	db_flush(r);
	if (rows_count(lines) == 0)
		req_fail(r, ERR_ORDER_NOT_FOUND);
	reply_json(r, 200, order_json_lines(r, lines, &first));
}

static void
get_own_order(struct req *r)
{
	int64_t id = req_path_id(r, "order_id", ERR_ORDER_NOT_FOUND);

	reply_order(r, sql_order_of_table(r, id, r->who.account_id));
}

/* --- the store's ---------------------------------------------------------------------------- */

static void
get_order(struct req *r)
{
	reply_order(r, sql_order_one(r, req_path_id(r, "order_id", ERR_ORDER_NOT_FOUND)));
}

static void
get_orders(struct req *r)
{
	struct page page = page_read(r);
	int64_t table = req_query_int(r, "table_id", 1, JSON_INT_MAX, 0);
	const char *status = req_query_text(r, "status", 20);
	json_object *answer = json_new_object(r->arena);
	struct rows *lines, *count;

	if (*status != '\0' && order_status_parse(status) == -1)
		req_fail_field(
		    r, "status", "must be pending, preparing, ready, served or cancelled");
	if (*status == '\0')
		status = NULL;
	lines = sql_orders_page(r, table, status, page.size, page.start);
	count = sql_orders_count(r, table, status);
	db_flush(r);
	json_put(answer, "data", order_json_list(r, lines));
	page_put(r, answer, &page, row_int(count, 0, "total"));
	reply_json(r, 200, answer);
}

/* --- the board ------------------------------------------------------------------------------ */

/* The session's object: its times, its total, how many orders stand where. */
static json_object *
session_json(struct req *r, const struct rows *tables, int i, json_object *orders)
{
	json_object *session = json_new_object(r->arena), *counts = json_new_object(r->arena);
	int64_t count[ORDER_CANCELLED + 1] = { 0 }, total = 0;

	for (size_t k = 0; k < json_object_array_length(orders); k++) {
		json_object *order = json_object_array_get_idx(orders, k);

		count[order_status_parse(
		    json_object_get_string(json_object_object_get(order, "status")))]++;
		total += payable(order);
	}
	for (int s = ORDER_PENDING; s <= ORDER_CANCELLED; s++)
		json_put_int(counts, order_status_name((enum order_status)s), count[s]);
	json_put_int(session, "id", row_int(tables, i, "session_id"));
	json_put_text(session, "started_at", row_time(r, tables, i, "started_at"));
	json_put_int(session, "total_price", total);
	json_put_int(session, "orders_count", (int64_t)json_object_array_length(orders));
	json_put(session, "status_counts", counts);
	return session;
}

/* The i-th table with its orders, which begin at *line. */
static json_object *
table_json(struct req *r, const struct rows *tables, int i, const struct rows *lines, int *line)
{
	json_object *table = json_new_object(r->arena), *orders = json_new_array(r->arena);
	int64_t id = row_int(tables, i, "id");

	while (*line < rows_count(lines) && row_int(lines, *line, "table_id") == id)
		json_append(orders, order_json_lines(r, lines, line));
	json_put_int(table, "table_id", id);
	json_put_text(table, "table_number", row_text(tables, i, "table_number"));
	json_put_bool(table, "is_active", row_bool(tables, i, "is_active"));
	json_put(table, "session",
	    row_is_null(tables, i, "session_id") ? NULL : session_json(r, tables, i, orders));
	json_put(table, "orders", orders);
	return table;
}

static void
get_board(struct req *r)
{
	struct rows *tables = sql_board_tables(r);
	struct rows *lines = sql_board_orders(r);
	struct rows *last = sql_last_event(r);
	json_object *board = json_new_object(r->arena), *list = json_new_array(r->arena);

	db_flush(r);
	for (int i = 0, line = 0; i < rows_count(tables); i++)
		json_append(list, table_json(r, tables, i, lines, &line));
	json_put(board, "tables", list);
	json_put_int(board, "last_event_id", row_int(last, 0, "last_seq"));
	reply_json(r, 200, board);
}

static const struct route routes[] = {
	{ "GET", "/api/customer/orders", ROLE_TABLE, RT_SNAPSHOT, get_own_orders },
	{ "GET", "/api/customer/orders/{order_id}", ROLE_TABLE, RT_READ, get_own_order },
	{ "GET", "/api/admin/orders", ROLE_STORE_ADMIN, RT_SNAPSHOT, get_orders },
	{ "GET", "/api/admin/orders/{order_id}", ROLE_STORE_ADMIN, RT_READ, get_order },
	{ "GET", "/api/admin/board", ROLE_STORE_ADMIN, RT_SNAPSHOT, get_board },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "order-query", 0, routes);
}
