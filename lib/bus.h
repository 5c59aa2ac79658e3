/*
 * bus: RabbitMQ, as this product uses it: the durable topic exchange
 * BUS_EXCHANGE, published to with confirms and read through an exclusive queue
 * of the reader's own. A bus belongs to one thread.
 *
 * Every call is bounded in time, connecting included. Heartbeats only flow
 * inside calls: whoever holds a bus calls bus_tend() or bus_next() once a
 * second at least. After a call has failed the bus is broken: bus_error() says
 * why, and only bus_close() is left to do.
 */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>
#include <stddef.h>

#define BUS_EXCHANGE "table-order-events"
#define BUS_HEARTBEAT_SECONDS 10
/* For each of dialling, logging in, and any other question to the broker. */
#define BUS_TIMEOUT_MS 3000
#define BUS_ERROR_SIZE 256

struct bus;

/* An event to be published: its routing key is <kind>.<store_id>, its message id <store_id>:<seq>.
 */
struct bus_message {
	const char *store_id;
	const char *seq;
	const char *event_type;
	const void *body; /* the envelope, JSON text */
	size_t size;
};

/* What was received: JSON text, not NUL-terminated, to be given back by bus_done(). */
struct bus_delivery {
	const char *body;
	size_t size;
	void *envelope;
};

/*
 * Connects to url (amqp:// or amqps://user:password@host:port/vhost; amqps verifies the server by
 * the system's certificates), and declares the exchange. Returns NULL and one line in
 * error[BUS_ERROR_SIZE] that names host and port, never the password.
 */
struct bus *bus_open(const char *url, char error[BUS_ERROR_SIZE]);
/* Ends the connection, broken or not. NULL is fine. */
void bus_close(struct bus *b);

/* From now on messages are confirmed. Once, before bus_publish(). 0 or -1. */
int bus_confirm(struct bus *b);
/*
 * Publishes n persistent messages in order and waits for their confirms, up to timeout_ms after the
 * last was sent. confirmed[i] is set for those that the broker has taken over, also when the bus
 * broke meanwhile. Returns 0 when all were answered (confirmed or refused), or -1.
 */
int bus_publish(
    struct bus *b, const struct bus_message *messages, size_t n, bool *confirmed, int timeout_ms);

/* Declares a queue of our own, gone with the connection, that gets every message from now on.
 * Nothing is acknowledged: who loses a message here finds it in the event log. 0 or -1. */
int bus_subscribe(struct bus *b);
/* The next delivery, without waiting. 1: *d is set; 0: there is none now; -1: broken. */
int bus_next(struct bus *b, struct bus_delivery *d);
void bus_done(struct bus_delivery *d);

/* Sends and takes heartbeats without waiting. 0, or -1: broken. */
int bus_tend(struct bus *b);
/* To poll for input. */
int bus_fd(const struct bus *b);
/* Why the bus is broken, in one line with host and port. */
const char *bus_error(const struct bus *b);

/* Whether a broker lets us in at url, within timeout_ms. 0, or -1 and one line in error[size]. */
int bus_check(const char *url, int timeout_ms, char *error, size_t size);
/* The same, and whether the exchange is there; it is not made. */
int bus_check_exchange(const char *url, int timeout_ms, char *error, size_t size);

#endif
