/*
 * feed: the bus, read on a thread of its own, which also waits for a broker
 * that is away. Events come out as frames; those for which there is no room
 * are dropped, as the event log has them.
 */
#ifndef FEED_H
#define FEED_H

#include "conf.h"
#include "queue.h"

#include <stdbool.h>

struct feed;

/* Starts the thread. Frames go to events, which outlives it, and so does c. */
struct feed *feed_start(const struct conf *c, struct queue *events);
/* Whether the broker is there at the moment. */
bool feed_connected(const struct feed *f);
/* Ends the thread; false when it did not end within a second. */
bool feed_stop(struct feed *f);

#endif
