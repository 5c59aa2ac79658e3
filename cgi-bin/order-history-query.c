/* order-history-query: past orders. */
#include "config.h"

#include "db.h"
#include "order.h"
#include "page.h"
#include "reply.h"
#include "serve.h"

#include "sql/order-history-query.h"

#include <stdio.h>
#include <string.h>

#define DATE_LENGTH 10

/* Which part of the history is asked for. */
struct span {
	const char *from;
	const char *to;
	struct page page;
};

static bool
is_date(const char *s)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day, end = 0;
	bool leap;

	if (strlen(s) != DATE_LENGTH || strspn(s, "0123456789-") != DATE_LENGTH ||
	    sscanf(s, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || end != DATE_LENGTH)
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
	    (month != 2 || day < 29 || leap);
}

/* A business date of the query; dflt when it is not given. */
static const char *
read_date(struct req *r, const char *name, const char *dflt)
{
	const char *date = req_query_text(r, name, DATE_LENGTH);

	if (*date == '\0')
		return dflt;
	if (!is_date(date))
		req_fail_field(r, name, "must be a date, YYYY-MM-DD");
	return date;
}

static struct span
read_span(struct req *r)
{
	struct span s;

	s.from = read_date(r, "from", "-infinity");
	s.to = read_date(r, "to", "infinity");
	s.page = page_read(r);
	return s;
}

/* The past order whose lines begin at row *i; *i moves behind them. */
static json_object *
past_order_json(struct req *r, const struct rows *lines, int *i)
{
	int64_t id = row_int(lines, *i, "id");
	json_object *o = json_new_object(r->arena);

	json_put_int(o, "id", id);
	json_put_int(o, "original_order_id", row_int(lines, *i, "original_order_id"));
	json_put_int(o, "table_id", row_int(lines, *i, "table_id"));
	json_put_text(o, "table_number", row_text(lines, *i, "table_number"));
	json_put_int(o, "table_session_id", row_int(lines, *i, "table_session_id"));
	json_put_int(o, "order_number", row_int(lines, *i, "order_number"));
	json_put_text(o, "business_date", row_text(lines, *i, "business_date"));
	json_put_text(o, "status", row_text(lines, *i, "status"));
	json_put_int(o, "total_price", row_int(lines, *i, "total_price"));
	json_put_text(
	    o, "note", row_is_null(lines, *i, "note") ? NULL : row_text(lines, *i, "note"));
	json_put_text(o, "order_created_at", row_time(r, lines, *i, "order_created_at"));
	json_put_text(o, "archived_at", row_time(r, lines, *i, "archived_at"));
	json_put(o, "items", json_new_array(r->arena));
	for (; *i < rows_count(lines) && row_int(lines, *i, "id") == id; (*i)++)
		order_json_item(r, o, row_int(lines, *i, "menu_id"),
		    row_text(lines, *i, "menu_name"), row_int(lines, *i, "quantity"),
		    row_int(lines, *i, "unit_price"));
	return o;
}

static void
reply_history(
    struct req *r, const struct span *s, const struct rows *lines, const struct rows *count)
{
	json_object *answer = json_new_object(r->arena), *list = json_new_array(r->arena);

	for (int i = 0; i < rows_count(lines);)
		json_append(list, past_order_json(r, lines, &i));
	json_put(answer, "data", list);
	page_put(r, answer, &s->page, row_int(count, 0, "total"));
	reply_json(r, 200, answer);
}

/* One table's history. */
static void
reply_table_history(struct req *r, int64_t table, const struct span *s)
{
	struct rows *lines =
	    sql_history_of_table(r, table, s->from, s->to, s->page.size, s->page.start);
	struct rows *count = sql_history_of_table_count(r, table, s->from, s->to);
	struct rows *exists = sql_table_exists(r, table);

	db_flush(r);
	if (rows_count(exists) == 0)
		req_fail(r, ERR_TABLE_NOT_FOUND);
	reply_history(r, s, lines, count);
}

static void
get_table_history(struct req *r)
{
	int64_t table = req_path_id(r, "table_id", ERR_TABLE_NOT_FOUND);
	struct span s = read_span(r);

	reply_table_history(r, table, &s);
}

static void
get_history(struct req *r)
{
	struct span s = read_span(r);
	int64_t table = req_query_int(r, "table_id", 1, JSON_INT_MAX, 0);
	struct rows *lines, *count;

	if (table != 0) {
		reply_table_history(r, table, &s);
		return;
	}
	lines = sql_history_of_store(r, s.from, s.to, s.page.size, s.page.start);
	count = sql_history_of_store_count(r, s.from, s.to);
	db_flush(r);
	reply_history(r, &s, lines, count);
}

static const struct route routes[] = {
	{ "GET", "/api/admin/tables/{table_id}/order-history", ROLE_STORE_ADMIN, RT_SNAPSHOT,
	    get_table_history, .cached = "history" },
	{ "GET", "/api/admin/order-history", ROLE_STORE_ADMIN, RT_SNAPSHOT, get_history,
	    .cached = "history" },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "order-history-query", 0, routes);
}
