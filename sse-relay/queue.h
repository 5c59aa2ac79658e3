/*
 * queue: pointers from one thread to another, first in, first out, with a
 * descriptor to poll.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#define QUEUE_UNLIMITED ((size_t)-1)

struct queue;

/* limit: how many items queue_put() admits; QUEUE_UNLIMITED: any number. */
struct queue *queue_new(size_t limit);
/* Items left in it are the caller's loss: take them out before. */
void queue_free(struct queue *q);

/* Adds item (not NULL) behind all others; false: the queue is full, and item still the caller's. */
bool queue_put(struct queue *q, void *item);
/* Adds item before all others, full or not. */
void queue_put_first(struct queue *q, void *item);
/* The first item, or NULL when there is none now. */
void *queue_take(struct queue *q);
/* Readable while items may be there. Only the taker polls it; queue_take() keeps it true. */
int queue_fd(const struct queue *q);

#endif
