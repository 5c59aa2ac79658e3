#include "config.h"

#include "bus.h"

#include "clock.h"

#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CHANNEL 1
#define FRAME_MAX 131072
#define PERSISTENT 2
#define CLOSE_TIMEOUT_MS 500
/* A peer that acknowledges nothing for so long is dead, whatever its kernel promised. */
#define SEND_TIMEOUT_MS 10000
/* A reader that stands still must not fill the broker's memory: it finds the rest in the log. */
#define QUEUE_LENGTH_MAX 50000

struct bus {
	amqp_connection_state_t conn;
	char *url; /* taken apart in place; what is below points into it */
	struct amqp_connection_info info;
	bool broken;
	uint64_t sent; /* the delivery tag of the last message published */
	char error[BUS_ERROR_SIZE];
};

static const struct {
	const char *event_type;
	const char *kind;
} kinds[] = {
	{ "OrderCreated", "order.created" },
	{ "OrderDeleted", "order.deleted" },
	{ "OrderStatusChanged", "order.status_changed" },
	{ "TableSessionCompleted", "table_session.completed" },
	{ "MenuChanged", "menu.changed" },
	{ "AccountRevoked", "account.revoked" },
};

static const char *
kind_of(const char *event_type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].event_type, event_type) == 0)
			return kinds[i].kind;
	return "other";
}

static struct timeval
to_timeval(int ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	return t;
}

__attribute__((format(printf, 2, 3))) static int
break_off(struct bus *b, const char *format, ...)
{
	char what[BUS_ERROR_SIZE / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (!b->broken)
		snprintf(
		    b->error, sizeof(b->error), "%.80s:%d: %s", b->info.host, b->info.port, what);
	b->broken = true;
	return -1;
}

/* Breaks the bus off with what the server said when it closed the channel or the connection. */
static int
break_off_by_server(struct bus *b, const amqp_method_t *m)
{
	amqp_bytes_t text = amqp_cstring_bytes("the server closed the connection");

	if (m->id == AMQP_CHANNEL_CLOSE_METHOD)
		text = ((amqp_channel_close_t *)m->decoded)->reply_text;
	else if (m->id == AMQP_CONNECTION_CLOSE_METHOD)
		text = ((amqp_connection_close_t *)m->decoded)->reply_text;
	return break_off(b, "%.*s", (int)(text.len < 100 ? text.len : 100), (char *)text.bytes);
}

/* 0 when a question was answered well. */
static int
check_reply(struct bus *b, amqp_rpc_reply_t r)
{
	switch (r.reply_type) {
	case AMQP_RESPONSE_NORMAL:
		return 0;
	case AMQP_RESPONSE_LIBRARY_EXCEPTION:
		return break_off(b, "%s", amqp_error_string2(r.library_error));
	case AMQP_RESPONSE_SERVER_EXCEPTION:
		return break_off_by_server(b, &r.reply);
	default:
		return break_off(b, "no answer");
	}
}

/* The socket of the URL's kind; it belongs to the connection. NULL and an error. */
static amqp_socket_t *
new_socket(struct bus *b)
{
	amqp_socket_t *s;

	if (!b->info.ssl)
		return amqp_tcp_socket_new(b->conn);
	s = amqp_ssl_socket_new(b->conn);
	if (s == NULL)
		return NULL;
	amqp_ssl_socket_set_verify_peer(s, 1);
	amqp_ssl_socket_set_verify_hostname(s, 1);
	if (amqp_ssl_socket_set_ssl_versions(s, AMQP_TLSv1_2, AMQP_TLSvLATEST) != AMQP_STATUS_OK ||
	    SSL_CTX_set_default_verify_paths(amqp_ssl_socket_get_context(s)) != 1) {
		break_off(b, "TLS cannot be set up");
		return NULL;
	}
	return s;
}

static int
dial(struct bus *b, int timeout_ms)
{
	struct timeval timeout = to_timeval(timeout_ms);
	unsigned send_timeout_ms = SEND_TIMEOUT_MS;
	amqp_socket_t *s = new_socket(b);
	int status;

	if (s == NULL)
		return break_off(b, "no socket");
	status = amqp_socket_open_noblock(s, b->info.host, b->info.port, &timeout);
	if (status != AMQP_STATUS_OK)
		return break_off(b, "cannot connect: %s", amqp_error_string2(status));
	setsockopt(amqp_get_sockfd(b->conn), IPPROTO_TCP, TCP_USER_TIMEOUT, &send_timeout_ms,
	    sizeof(send_timeout_ms));
	return 0;
}

static int
log_in(struct bus *b, int timeout_ms)
{
	struct timeval timeout = to_timeval(timeout_ms);

	amqp_set_handshake_timeout(b->conn, &timeout);
	amqp_set_rpc_timeout(b->conn, &timeout);
	if (check_reply(b,
		amqp_login(b->conn, b->info.vhost, 0, FRAME_MAX, BUS_HEARTBEAT_SECONDS,
		    AMQP_SASL_METHOD_PLAIN, b->info.user, b->info.password)) == -1)
		return -1;
	amqp_channel_open(b->conn, CHANNEL);
	return check_reply(b, amqp_get_rpc_reply(b->conn));
}

/* passive: only asks whether it is there. */
static int
declare_exchange(struct bus *b, bool passive)
{
	amqp_exchange_declare(b->conn, CHANNEL, amqp_cstring_bytes(BUS_EXCHANGE),
	    amqp_cstring_bytes("topic"), passive, 1, 0, 0, amqp_empty_table);
	return check_reply(b, amqp_get_rpc_reply(b->conn));
}

/* A bus on which a channel is open; its error is set when it is broken. */
static struct bus *
connect_to(const char *url, int timeout_ms)
{
	struct bus *b = calloc(1, sizeof(*b));

	if (b == NULL || (b->url = strdup(url)) == NULL ||
	    (b->conn = amqp_new_connection()) == NULL)
		abort();
	if (amqp_parse_url(b->url, &b->info) != AMQP_STATUS_OK) {
		snprintf(b->error, sizeof(b->error),
		    "RABBITMQ_URL must look like amqp://user:password@host:port/vhost");
		b->broken = true;
	} else if (dial(b, timeout_ms) == 0) {
		log_in(b, timeout_ms);
	}
	return b;
}

struct bus *
bus_open(const char *url, char error[BUS_ERROR_SIZE])
{
	struct bus *b = connect_to(url, BUS_TIMEOUT_MS);

	if (!b->broken && declare_exchange(b, false) == 0)
		return b;
	snprintf(error, BUS_ERROR_SIZE, "%s", b->error);
	bus_close(b);
	return NULL;
}

void
bus_close(struct bus *b)
{
	struct timeval timeout = to_timeval(CLOSE_TIMEOUT_MS);

	if (b == NULL)
		return;
	if (!b->broken) {
		amqp_set_rpc_timeout(b->conn, &timeout);
		amqp_connection_close(b->conn, AMQP_REPLY_SUCCESS);
	}
	amqp_destroy_connection(b->conn);
	free(b->url);
	free(b);
}

/* Closes a bus that was only to be tried. */
static int
judge(struct bus *b, char *error, size_t size)
{
	int result = b->broken ? -1 : 0;

	if (result == -1)
		snprintf(error, size, "%s", b->error);
	bus_close(b);
	return result;
}

int
bus_check(const char *url, int timeout_ms, char *error, size_t size)
{
	return judge(connect_to(url, timeout_ms), error, size);
}

int
bus_check_exchange(const char *url, int timeout_ms, char *error, size_t size)
{
	struct bus *b = connect_to(url, timeout_ms);

	if (!b->broken)
		declare_exchange(b, true);
	return judge(b, error, size);
}

int
bus_confirm(struct bus *b)
{
	amqp_confirm_select(b->conn, CHANNEL);
	return check_reply(b, amqp_get_rpc_reply(b->conn));
}

static int
publish_one(struct bus *b, const struct bus_message *m)
{
	char key[128], id[128];
	int key_size = snprintf(key, sizeof(key), "%s.%s", kind_of(m->event_type), m->store_id);
	int id_size = snprintf(id, sizeof(id), "%s:%s", m->store_id, m->seq);
	amqp_basic_properties_t p = {
		._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
		    AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG,
		.content_type = amqp_cstring_bytes("application/json"),
		.delivery_mode = PERSISTENT,
		.message_id = { (size_t)id_size, id },
		.type = amqp_cstring_bytes(m->event_type),
	};
	/* only read, though the type does not say so */
	amqp_bytes_t body = { m->size, (void *)(uintptr_t)m->body };
	int status;

	status = amqp_basic_publish(b->conn, CHANNEL, amqp_cstring_bytes(BUS_EXCHANGE),
	    (amqp_bytes_t) { (size_t)key_size, key }, 0, 0, &p, body);
	if (status != AMQP_STATUS_OK)
		return break_off(b, "%s", amqp_error_string2(status));
	b->sent++;
	return 0;
}

/* Confirms that are awaited: of the delivery tags first … first + n - 1. */
struct confirms {
	uint64_t first;
	size_t n;
	bool *confirmed;
	bool *answered;
	size_t left;
};

static void
take_confirm(struct confirms *c, uint64_t tag, bool multiple, bool is_ack)
{
	uint64_t from = multiple ? c->first : tag;

	for (uint64_t t = from; t <= tag; t++) {
		uint64_t i = t - c->first;

		if (t < c->first || i >= c->n || c->answered[i])
			continue;
		c->answered[i] = true;
		c->confirmed[i] = is_ack;
		c->left--;
	}
}

/* Reads one frame within timeout_us. 1: a frame was read; 0: none came; -1: broken. */
static int
read_confirm(struct bus *b, struct confirms *c, int64_t timeout_us)
{
	struct timeval timeout = { timeout_us / CLOCK_SECOND_US, timeout_us % CLOCK_SECOND_US };
	amqp_frame_t frame;
	int status;

	amqp_maybe_release_buffers(b->conn);
	status = amqp_simple_wait_frame_noblock(b->conn, &frame, &timeout);
	if (status == AMQP_STATUS_TIMEOUT)
		return 0;
	if (status != AMQP_STATUS_OK)
		return break_off(b, "%s", amqp_error_string2(status));
	if (frame.frame_type != AMQP_FRAME_METHOD)
		return 1;
	switch (frame.payload.method.id) {
	case AMQP_BASIC_ACK_METHOD: {
		const amqp_basic_ack_t *m = frame.payload.method.decoded;

		take_confirm(c, m->delivery_tag, m->multiple, true);
		return 1;
	}
	case AMQP_BASIC_NACK_METHOD: {
		const amqp_basic_nack_t *m = frame.payload.method.decoded;

		take_confirm(c, m->delivery_tag, m->multiple, false);
		return 1;
	}
	case AMQP_CHANNEL_CLOSE_METHOD:
	case AMQP_CONNECTION_CLOSE_METHOD:
		return break_off_by_server(b, &frame.payload.method);
	default:
		return 1;
	}
}

static int
await_confirms(struct bus *b, struct confirms *c, int timeout_ms)
{
	int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;

	while (c->left > 0) {
		int64_t left_us = deadline_us - clock_mono_us();

		/* later confirms could not be told apart from the next batch's */
		if (left_us <= 0)
			return break_off(b, "%zu messages were not confirmed in time", c->left);
		if (read_confirm(b, c, left_us) == -1)
			return -1;
	}
	return 0;
}

int
bus_publish(
    struct bus *b, const struct bus_message *messages, size_t n, bool *confirmed, int timeout_ms)
{
	struct confirms c = { b->sent + 1, n, confirmed, calloc(n + 1, sizeof(bool)), n };
	int result = b->broken ? -1 : 0;

	if (c.answered == NULL)
		abort();
	memset(confirmed, 0, n * sizeof(*confirmed));
	for (size_t i = 0; i < n && result == 0; i++)
		result = publish_one(b, &messages[i]);
	if (result == 0)
		result = await_confirms(b, &c, timeout_ms);
	free(c.answered);
	return result;
}

int
bus_subscribe(struct bus *b)
{
	amqp_table_entry_t limit = { .key = amqp_cstring_bytes("x-max-length"),
		.value = { .kind = AMQP_FIELD_KIND_I32, .value = { .i32 = QUEUE_LENGTH_MAX } } };
	amqp_table_t arguments = { 1, &limit };
	amqp_queue_declare_ok_t *declared =
	    amqp_queue_declare(b->conn, CHANNEL, amqp_empty_bytes, 0, 0, 1, 1, arguments);
	amqp_bytes_t queue;
	int result = -1;

	if (check_reply(b, amqp_get_rpc_reply(b->conn)) == -1)
		return -1;
	queue = amqp_bytes_malloc_dup(declared->queue);
	amqp_queue_bind(b->conn, CHANNEL, queue, amqp_cstring_bytes(BUS_EXCHANGE),
	    amqp_cstring_bytes("#"), amqp_empty_table);
	if (check_reply(b, amqp_get_rpc_reply(b->conn)) == 0) {
		amqp_basic_consume(
		    b->conn, CHANNEL, queue, amqp_empty_bytes, 0, 1, 1, amqp_empty_table);
		result = check_reply(b, amqp_get_rpc_reply(b->conn));
	}
	amqp_bytes_free(queue);
	return result;
}

int
bus_next(struct bus *b, struct bus_delivery *d)
{
	struct timeval none = { 0, 0 };
	amqp_envelope_t *e = calloc(1, sizeof(*e));
	amqp_rpc_reply_t r;

	if (e == NULL)
		abort();
	amqp_maybe_release_buffers(b->conn);
	r = amqp_consume_message(b->conn, e, &none, 0);
	if (r.reply_type == AMQP_RESPONSE_NORMAL) {
		d->body = e->message.body.bytes;
		d->size = e->message.body.len;
		d->envelope = e;
		return 1;
	}
	free(e);
	if (r.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
	    r.library_error == AMQP_STATUS_TIMEOUT)
		return 0;
	/* a frame that is no delivery: our queue or channel is gone */
	return check_reply(b, r);
}

void
bus_done(struct bus_delivery *d)
{
	amqp_destroy_envelope(d->envelope);
	free(d->envelope);
}

int
bus_tend(struct bus *b)
{
	struct confirms nothing = { 0 };

	return b->broken ? -1 : read_confirm(b, &nothing, 0) == -1 ? -1 : 0;
}

int
bus_fd(const struct bus *b)
{
	return amqp_get_sockfd(b->conn);
}

const char *
bus_error(const struct bus *b)
{
	return b->error;
}
