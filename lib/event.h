/*
 * event: news of a transaction. An event is a row written in the transaction
 * that it tells of, under the lock of the store's counter, so that seq counts
 * 1, 2, 3… in commit order. The dispatcher and the relay take it from there.
 */
#ifndef EVENT_H
#define EVENT_H

#include "db.h"

/* Where something happened; zero and NULL: nowhere in particular. */
struct place {
	int64_t table_id;
	const char *table_number;
	int64_t table_session_id;
};

/* The envelope of a new event, numbered; the caller adds the type's own members ("order", …). */
json_object *event_new(struct req *r, const char *type, const struct place *at);
/* Queues its row. */
void event_add(struct req *r, json_object *event);

#endif
