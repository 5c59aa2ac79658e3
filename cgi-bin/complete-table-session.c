/* complete-table-session: closes a table's session; its orders become history. */
#include "config.h"

#include "event.h"
#include "reply.h"
#include "serve.h"

#include "sql/complete-table-session.h"

/* How a session ended. */
struct result {
	int64_t session_id;
	struct place place;
	const char *started_at;
	const char *ended_at;
	int64_t orders;
	int64_t total;
	int64_t payable;
	int64_t unserved;
};

/* Adds the result's members to an answer or an event. */
static void
put_result(struct req *r, json_object *o, const struct result *end)
{
	json_object *session = json_new_object(r->arena);

	json_put_int(session, "id", end->session_id);
	json_put_int(session, "table_id", end->place.table_id);
	json_put_text(session, "table_number", end->place.table_number);
	json_put_text(session, "started_at", end->started_at);
	json_put_text(session, "ended_at", end->ended_at);
	json_put(o, "session", session);
	json_put_int(o, "archived_orders_count", end->orders);
	json_put_int(o, "archived_total_price", end->total);
	json_put_int(o, "payable_total_price", end->payable);
	json_put_int(o, "unserved_orders_count", end->unserved);
}

static void
reply_result(struct req *r, const struct result *end)
{
	json_object *answer = json_new_object(r->arena);

	put_result(r, answer, end);
	reply_json(r, 200, answer);
}

/* What an earlier completion recorded. */
static void
reply_recorded(struct req *r, const struct rows *found, struct result *end)
{
	end->ended_at = row_time(r, found, 0, "ended_at");
	end->orders = row_int(found, 0, "archived_orders_count");
	end->total = row_int(found, 0, "archived_total_price");
	end->payable = row_int(found, 0, "payable_total_price");
	end->unserved = row_int(found, 0, "unserved_orders_count");
	reply_result(r, end);
}

/* What was moved must be what was removed, to the last coin. */
static void
check_conservation(struct req *r, const struct rows *moved, const struct rows *gone)
{
	static const char *const columns[] = { "orders", "total", "items", "items_total" };

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (row_int(moved, 0, columns[i]) == row_int(gone, 0, columns[i]))
			continue;
		req_fail(r, ERR_INTERNAL_ERROR);
		r->error_note = "a session's orders and its history differ; nothing was changed";
	}
	if (row_int(moved, 0, "total") != row_int(moved, 0, "items_total")) {
		req_fail(r, ERR_INTERNAL_ERROR);
		r->error_note = "a session's orders and items differ; nothing was changed";
	}
}

static void
archive(struct req *r, struct result *end)
{
	struct rows *moved, *gone;

	sql_session_plan_once(r);
	moved = sql_session_archive(r, end->place.table_id, end->session_id, r->store.now);
	gone = sql_session_clear(r, end->place.table_id, end->session_id);
	db_flush(r);
	check_conservation(r, moved, gone);
	end->ended_at = db_time(r, r->store.now);
	end->orders = row_int(moved, 0, "orders");
	end->total = row_int(moved, 0, "total");
	end->payable = row_int(moved, 0, "payable");
	end->unserved = row_int(moved, 0, "unserved");
}

static void
complete(struct req *r, struct result *end)
{
	json_object *event;

	archive(r, end);
	event = event_new(r, "TableSessionCompleted", &end->place);
	put_result(r, event, end);
	sql_session_end(
	    r, end->session_id, r->store.now, end->orders, end->total, end->payable, end->unserved);
	event_add(r, event);
	req_void(r, "history");
	reply_result(r, end);
}

static void
post_complete_session(struct req *r)
{
	int64_t table = req_path_id(r, "table_id", ERR_TABLE_NOT_FOUND);
	int64_t wanted =
	    req_optional_int(r, req_optional_body(r), "", "table_session_id", 1, JSON_INT_MAX, 0);
	struct rows *found = sql_session_find(r, table, wanted);
	struct result end;

	db_flush(r);
	if (rows_count(found) == 0)
		req_fail(r, ERR_TABLE_NOT_FOUND);
	if (row_is_null(found, 0, "session_id"))
		req_fail(r, ERR_SESSION_NOT_FOUND);
	if (req_failed(r))
		return;
	/* the clock was set back meanwhile: no session ends before it began */
	if (row_bool(found, 0, "is_ahead"))
		r->store.now = row_text(found, 0, "started_at");
	end = (struct result) {
		.session_id = row_int(found, 0, "session_id"),
		.place = { table, row_text(found, 0, "table_number"),
		    row_int(found, 0, "session_id") },
		.started_at = row_time(r, found, 0, "started_at"),
	};
	if (row_is_null(found, 0, "ended_at"))
		complete(r, &end);
	else
		reply_recorded(r, found, &end);
}

static const struct route routes[] = {
	{ "POST", "/api/admin/tables/{table_id}/complete-session", ROLE_STORE_ADMIN, RT_WRITE,
	    post_complete_session },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "complete-table-session", 0, routes);
}
