/* delete-order: removes a wrong order. */
#include "config.h"

#include "event.h"
#include "order.h"
#include "reply.h"
#include "serve.h"

#include "sql/delete-order.h"

static bool
can_be_deleted(const char *status)
{
	int s = order_status_parse(status);

	return s == ORDER_PENDING || s == ORDER_PREPARING || s == ORDER_READY;
}

static void
delete_order(struct req *r)
{
	int64_t id = req_path_id(r, "order_id", ERR_ORDER_NOT_FOUND);
	struct rows *lines = sql_order_one(r, id);
	struct place there;
	json_object *order, *event;
	int first = 0;

	db_flush(r);
	if (rows_count(lines) == 0)
		req_fail(r, ERR_ORDER_NOT_FOUND);
	if (req_failed(r))
		return;
	there = (struct place) { row_int(lines, 0, "table_id"), row_text(lines, 0, "table_number"),
		row_int(lines, 0, "table_session_id") };
	order = order_json_lines(r, lines, &first);
	if (!can_be_deleted(row_text(lines, 0, "status"))) {
		order_refuse(r, ERR_ORDER_CANNOT_DELETE, order);
		return;
	}
	event = event_new(r, "OrderDeleted", &there);
	json_put(event, "order", order);
	sql_order_delete(r, id);
	event_add(r, event);
	reply_empty(r);
}

static const struct route routes[] = {
	{ "DELETE", "/api/admin/orders/{order_id}", ROLE_STORE_ADMIN, RT_WRITE, delete_order },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "delete-order", 0, routes);
}
