#include "config.h"

#include "event.h"

#include "sql/lib.h"

#include <stdlib.h>

json_object *
event_new(struct req *r, const char *type, const struct place *at)
{
	json_object *e = json_new_object(r->arena);

	if (req_failed(r))
		return e;
	if (r->db->counter == NULL)
		abort(); /* a route that emits events is RT_WRITE: a programmer's mistake */
	r->store.last_seq++;
	r->store.seq_moved = true;
	json_put_int(e, "seq", r->store.last_seq);
	json_put_text(e, "event_type", type);
	json_put_text(e, "store_id", r->store.id);
	if (at->table_id != 0)
		json_put_int(e, "table_id", at->table_id);
	if (at->table_number != NULL)
		json_put_text(e, "table_number", at->table_number);
	if (at->table_session_id != 0)
		json_put_int(e, "table_session_id", at->table_session_id);
	json_put_text(e, "occurred_at", db_time(r, r->store.now));
	return e;
}

void
event_add(struct req *r, json_object *event)
{
	json_object *table = json_object_object_get(event, "table_id");
	json_object *session = json_object_object_get(event, "table_session_id");

	if (req_failed(r))
		return;
	sql_event_insert(r, r->store.id, r->store.last_seq,
	    json_object_get_string(json_object_object_get(event, "event_type")),
	    json_object_get_int64(table), json_object_get_int64(session), r->who.subject,
	    r->store.now, json_text(r->arena, event));
}
