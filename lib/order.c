#include "config.h"

#include "order.h"

#include <string.h>

static const char *const names[] = {
	[ORDER_PENDING] = "pending",
	[ORDER_PREPARING] = "preparing",
	[ORDER_READY] = "ready",
	[ORDER_SERVED] = "served",
	[ORDER_CANCELLED] = "cancelled",
};

int
order_status_parse(const char *name)
{
	for (int i = ORDER_PENDING; i <= ORDER_CANCELLED; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *
order_status_name(enum order_status status)
{
	return names[status];
}

bool
order_status_follows(enum order_status from, enum order_status to)
{
	static const bool follows[5][5] = {
		[ORDER_PENDING] = { [ORDER_PREPARING] = true, [ORDER_CANCELLED] = true },
		[ORDER_PREPARING] = { [ORDER_READY] = true, [ORDER_CANCELLED] = true },
		[ORDER_READY] = { [ORDER_SERVED] = true },
	};

	return follows[from][to];
}

json_object *
order_json(struct req *r, const struct order *o)
{
	json_object *j = json_new_object(r->arena);

	json_put_int(j, "id", o->id);
	json_put_int(j, "table_id", o->table_id);
	json_put_text(j, "table_number", o->table_number);
	json_put_int(j, "table_session_id", o->table_session_id);
	json_put_int(j, "order_number", o->order_number);
	json_put_text(j, "business_date", o->business_date);
	json_put_text(j, "status", o->status);
	json_put_text(j, "status_changed_at", o->status_changed_at);
	json_put_int(j, "total_price", o->total_price);
	json_put_text(j, "note", o->note);
	json_put_int(j, "version", o->version);
	json_put_text(j, "created_at", o->created_at);
	json_put(j, "items", json_new_array(r->arena));
	return j;
}

void
order_json_item(struct req *r, json_object *order, int64_t menu_id, const char *menu_name,
    int64_t quantity, int64_t unit_price)
{
	json_object *item = json_new_object(r->arena);

	json_put_int(item, "menu_id", menu_id);
	json_put_text(item, "menu_name", menu_name);
	json_put_int(item, "quantity", quantity);
	json_put_int(item, "unit_price", unit_price);
	json_put_int(item, "subtotal", quantity * unit_price);
	json_append(json_object_object_get(order, "items"), item);
}

struct order
order_row(struct req *r, const struct rows *lines, int i)
{
	return (struct order) {
		.id = row_int(lines, i, "id"),
		.table_id = row_int(lines, i, "table_id"),
		.table_number = row_text(lines, i, "table_number"),
		.table_session_id = row_int(lines, i, "table_session_id"),
		.order_number = row_int(lines, i, "order_number"),
		.business_date = row_text(lines, i, "business_date"),
		.status = row_text(lines, i, "status"),
		.status_changed_at = row_time(r, lines, i, "status_changed_at"),
		.total_price = row_int(lines, i, "total_price"),
		.note = row_is_null(lines, i, "note") ? NULL : row_text(lines, i, "note"),
		.version = row_int(lines, i, "version"),
		.created_at = row_time(r, lines, i, "created_at"),
	};
}

json_object *
order_json_lines(struct req *r, const struct rows *lines, int *i)
{
	struct order o = order_row(r, lines, *i);
	json_object *j = order_json(r, &o);

	for (; *i < rows_count(lines) && row_int(lines, *i, "id") == o.id; (*i)++)
		order_json_item(r, j, row_int(lines, *i, "menu_id"),
		    row_text(lines, *i, "menu_name"), row_int(lines, *i, "quantity"),
		    row_int(lines, *i, "unit_price"));
	return j;
}

json_object *
order_json_list(struct req *r, const struct rows *lines)
{
	json_object *list = json_new_array(r->arena);

	for (int i = 0; i < rows_count(lines);)
		json_append(list, order_json_lines(r, lines, &i));
	return list;
}

void
order_refuse(struct req *r, enum error_code code, json_object *order)
{
	json_object *details = json_new_object(r->arena);

	json_put(details, "order", order);
	req_fail_details(r, code, details);
}
