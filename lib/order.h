/*
 * order: the one place where an order becomes JSON, for answers, boards and
 * events alike.
 */
#ifndef ORDER_H
#define ORDER_H

#include "db.h"

enum order_status { ORDER_PENDING, ORDER_PREPARING, ORDER_READY, ORDER_SERVED, ORDER_CANCELLED };

/* "pending", …; -1 for any other text. */
int order_status_parse(const char *name);
const char *order_status_name(enum order_status status);
/* Whether an order may go from one status to another. */
bool order_status_follows(enum order_status from, enum order_status to);

/* What an order says of itself. Times are RFC 3339. */
struct order {
	int64_t id;
	int64_t table_id;
	const char *table_number;
	int64_t table_session_id;
	int64_t order_number;
	const char *business_date;
	const char *status;
	const char *status_changed_at;
	int64_t total_price;
	const char *note; /* NULL: none */
	int64_t version;
	const char *created_at;
};

/* The order as a JSON object, with an empty array of items. */
json_object *order_json(struct req *r, const struct order *o);
/* One line of it. */
void order_json_item(struct req *r, json_object *order, int64_t menu_id, const char *menu_name,
    int64_t quantity, int64_t unit_price);

/* Row i of the view order_lines (one row an item, an order's rows together). */
struct order order_row(struct req *r, const struct rows *lines, int i);
/* The order whose lines begin at row *i; *i moves behind them. */
json_object *order_json_lines(struct req *r, const struct rows *lines, int *i);
/* All orders of such rows, as an array. */
json_object *order_json_list(struct req *r, const struct rows *lines);

/* Fails the request; its details show the order as it stands. */
void order_refuse(struct req *r, enum error_code code, json_object *order);

#endif
