/* update-order-status: moves an order along. */
#include "config.h"

#include "event.h"
#include "order.h"
#include "reply.h"
#include "serve.h"

#include "sql/update-order-status.h"

#include <string.h>

static int
read_status(struct req *r)
{
	int status = order_status_parse(req_text(r, req_body(r), "", "status", 1, 20));

	if (status == -1)
		req_fail_field(
		    r, "status", "must be pending, preparing, ready, served or cancelled");
	return status;
}

/* Writes the change, its event and the changed order. */
static void
change(struct req *r, const struct rows *lines, const char *status)
{
	struct order o = order_row(r, lines, 0);
	const struct place there = { o.table_id, o.table_number, o.table_session_id };
	json_object *event = event_new(r, "OrderStatusChanged", &there);
	int first = 0;
	json_object *order = order_json_lines(r, lines, &first);

	json_put_text(order, "status", status);
	json_put_text(order, "status_changed_at", db_time(r, r->store.now));
	json_put_int(order, "version", o.version + 1);
	json_put(event, "order", order);
	json_put_text(event, "old_status", o.status);
	json_put_text(event, "new_status", status);
	sql_status_set(r, o.id, status, r->store.now);
	event_add(r, event);
	reply_json(r, 200, order);
}

static void
patch_status(struct req *r)
{
	int64_t id = req_path_id(r, "order_id", ERR_ORDER_NOT_FOUND);
	int to = read_status(r);
	int64_t version = req_optional_int(r, req_body(r), "", "version", 1, JSON_INT_MAX, 0);
	struct rows *lines = sql_order_one(r, id);
	json_object *order;
	int from, first = 0;

	db_flush(r);
	if (rows_count(lines) == 0)
		req_fail(r, ERR_ORDER_NOT_FOUND);
	if (req_failed(r))
		return;
	from = order_status_parse(row_text(lines, 0, "status"));
	order = order_json_lines(r, lines, &first);
	if (version != 0 && version != row_int(lines, 0, "version"))
		order_refuse(r, ERR_VERSION_CONFLICT, order);
	else if (from == to)
		reply_json(r, 200, order);
	else if (!order_status_follows((enum order_status)from, (enum order_status)to))
		order_refuse(r, ERR_INVALID_STATUS_TRANSITION, order);
	else
		change(r, lines, order_status_name((enum order_status)to));
}

static const struct route routes[] = {
	{ "PATCH", "/api/admin/orders/{order_id}/status", ROLE_STORE_ADMIN, RT_WRITE,
	    patch_status },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "update-order-status", 0, routes);
}
