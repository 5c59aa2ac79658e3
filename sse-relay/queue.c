#include "config.h"

#include "queue.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct node {
	struct node *next;
	void *item;
};

struct queue {
	pthread_mutex_t lock;
	struct node *first;
	struct node **last;
	size_t count;
	size_t limit;
	int fd;
};

struct queue *
queue_new(size_t limit)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (q == NULL || (q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		abort();
	pthread_mutex_init(&q->lock, NULL);
	q->last = &q->first;
	q->limit = limit;
	return q;
}

void
queue_free(struct queue *q)
{
	while (queue_take(q) != NULL)
		continue;
	close(q->fd);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static void
wake(struct queue *q)
{
	uint64_t one = 1;

	(void)!write(q->fd, &one, sizeof(one));
}

static struct node *
new_node(void *item)
{
	struct node *n = malloc(sizeof(*n));

	if (n == NULL)
		abort();
	n->next = NULL;
	n->item = item;
	return n;
}

bool
queue_put(struct queue *q, void *item)
{
	struct node *n = new_node(item);
	bool fits;

	pthread_mutex_lock(&q->lock);
	fits = q->count < q->limit;
	if (fits) {
		*q->last = n;
		q->last = &n->next;
		if (q->count++ == 0)
			wake(q);
	}
	pthread_mutex_unlock(&q->lock);
	if (!fits)
		free(n);
	return fits;
}

void
queue_put_first(struct queue *q, void *item)
{
	struct node *n = new_node(item);

	pthread_mutex_lock(&q->lock);
	n->next = q->first;
	if (q->first == NULL)
		q->last = &n->next;
	q->first = n;
	if (q->count++ == 0)
		wake(q);
	pthread_mutex_unlock(&q->lock);
}

void *
queue_take(struct queue *q)
{
	struct node *n;
	void *item;
	uint64_t count;

	pthread_mutex_lock(&q->lock);
	n = q->first;
	if (n != NULL) {
		q->first = n->next;
		if (q->first == NULL)
			q->last = &q->first;
		q->count--;
	}
	if (q->count == 0)
		(void)!read(q->fd, &count, sizeof(count));
	pthread_mutex_unlock(&q->lock);
	if (n == NULL)
		return NULL;
	item = n->item;
	free(n);
	return item;
}

int
queue_fd(const struct queue *q)
{
	return q->fd;
}
