/*
 * tx: the transaction around a handler.
 *
 * It begins with the handler's first statement: BEGIN, tenant, the lock of the
 * store's counter row (RT_WRITE), the account's standing, the idempotency key
 * (RT_IDEMPOTENT). The first flush is judged before the handler goes on: a
 * token whose account fell ends as TOKEN_INVALID, a known key as its first
 * answer. It ends with the key's answer, the counter and COMMIT; or ROLLBACK.
 *
 * A commit whose outcome was not learnt is settled by running the request
 * again under the same key: the lock waits for the first attempt, and the key
 * tells what became of it.
 */
#ifndef TX_H
#define TX_H

#include "db.h"

/* Prepares r->db for one attempt of the handler. */
void tx_start(struct req *r);

/* For the platform's routes, which act on a store that is not the token's: locks its counter row,
 * so that events can be added, in a round trip of its own. Before anything else of the store is
 * read to be relied on. */
void tx_lock_store(struct req *r, const char *store_id);

enum tx_end {
	TX_DONE,  /* committed, or failed for good: r->error tells */
	TX_AGAIN, /* nothing was done, or only the key can tell: run the handler once more */
};

/*
 * Ends the attempt. attempt counts from 0; from the last one (TX_ATTEMPTS - 1) it never is again,
 * nor when the transaction's time (DB_TIME_US) is over. Before TX_AGAIN it has waited where that
 * may help, longer each time. After it the caller puts the request back as it was before
 * tx_start(), but for db_until_us, in_doubt and db_trips.
 */
enum tx_end tx_finish(struct req *r, int attempt);

/* The first and three retries. */
#define TX_ATTEMPTS 4

#endif
