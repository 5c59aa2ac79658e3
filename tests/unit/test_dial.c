/* dial: which of several servers is connected to, and for how long the others are waited for. */
#include "config.h"

#include "dial.h"

#include "clock.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A server that says just enough: welcome, and whether it is a standby. One that is frozen has a
 * kernel that accepts for it, and says nothing. */
struct server {
	char dir[100];
	int fd;
	bool frozen, standby;
	int welcomed;
	pthread_t thread;
};

static void
say(int fd, char type, const char *bytes, size_t n)
{
	unsigned char head[5] = { (unsigned char)type, 0, 0, 0, (unsigned char)(n + 4) };

	(void)!write(fd, head, sizeof(head));
	(void)!write(fd, bytes, n);
}

static void
set(int fd, const char *name, const char *value)
{
	char both[100];
	size_t n = strlen(name) + 1;

	strcpy(both, name);
	strcpy(both + n, value);
	say(fd, 'S', both, n + strlen(value) + 1);
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	char request[1000];
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) != -1) {
		if (read(fd, request, sizeof(request)) > 0) {
			say(fd, 'R', "\0\0\0\0", 4);
			set(fd, "server_version", "15.0");
			set(fd, "in_hot_standby", s->standby ? "on" : "off");
			set(fd, "default_transaction_read_only", "off");
			say(fd, 'Z', "I", 1);
			s->welcomed++;
			/* until the other side has enough */
			while (read(fd, request, sizeof(request)) > 0)
				continue;
		}
		close(fd);
	}
	return NULL;
}

static void
start(struct server *s, const char *name, bool frozen, bool standby)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*s = (struct server) { .frozen = frozen, .standby = standby };
	snprintf(s->dir, sizeof(s->dir), "%s", unit_path(name));
	mkdir(s->dir, 0700);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/.s.PGSQL.5432", s->dir);
	s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(s->fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    listen(s->fd, 10) == -1)
		abort();
	if (!frozen && pthread_create(&s->thread, NULL, serve, s) != 0)
		abort();
}

static void
stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	if (!s->frozen)
		pthread_join(s->thread, NULL);
	close(s->fd);
}

static const char *
url(const struct server *a, const struct server *b, const char *more)
{
	static char text[400];

	snprintf(text, sizeof(text),
	    "host=%s,%s port=5432,5432 user=u password=hidden sslmode=disable %s", a->dir, b->dir,
	    more);
	return text;
}

static int64_t
in_ms(int64_t ms)
{
	return clock_mono_us() + ms * 1000;
}

static void
a_standby_is_passed_over(void)
{
	struct server a, b;
	char error[DIAL_ERROR_SIZE];
	int host = -1;
	PGconn *conn;

	start(&a, "standby", false, true);
	start(&b, "primary", false, false);
	conn = dial(url(&a, &b, ""), in_ms(10000), &host, error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	CU_ASSERT_STRING_EQUAL(PQhost(conn), b.dir);
	CU_ASSERT_EQUAL(host, 1);
	PQfinish(conn);

	b.standby = true;
	CU_ASSERT_PTR_NULL(dial(url(&a, &b, ""), in_ms(10000), &host, error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error, a.dir));
	CU_ASSERT_PTR_NOT_NULL(strstr(error, b.dir));
	CU_ASSERT_PTR_NULL(strchr(error, '\n'));
	CU_ASSERT_PTR_NULL(strstr(error, "hidden"));

	conn = dial(url(&a, &b, "target_session_attrs=any"), in_ms(10000), &host, error);
	CU_ASSERT_PTR_NOT_NULL(conn);
	PQfinish(conn);
	stop(&a);
	stop(&b);
}

/* libpq takes the list of ports out of these as ",". */
static void
hosts_without_ports_have_the_usual_one(void)
{
	struct server a, b;
	char error[DIAL_ERROR_SIZE], text[400];
	int host;
	PGconn *conn;

	start(&a, "follows", false, true);
	start(&b, "leads", false, false);
	snprintf(
	    text, sizeof(text), "postgresql://u@,/db?host=%s,%s&sslmode=disable", a.dir, b.dir);
	conn = dial(text, in_ms(10000), &host, error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	CU_ASSERT_STRING_EQUAL(PQhost(conn), b.dir);
	CU_ASSERT_STRING_EQUAL(PQport(conn), "5432");
	PQfinish(conn);
	stop(&a);
	stop(&b);
}

static void
a_frozen_one_costs_its_time_once(void)
{
	struct server a, b;
	char error[DIAL_ERROR_SIZE];
	int64_t start_us;
	int host;
	PGconn *conn;

	start(&a, "frozen", true, false);
	start(&b, "alive", false, false);
	/* so that the first host is the one to begin with */
	conn = dial(url(&b, &a, ""), in_ms(10000), &host, error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	PQfinish(conn);
	start_us = clock_mono_us();
	conn = dial(url(&a, &b, ""), in_ms(10000), &host, error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	CU_ASSERT_TRUE(clock_mono_us() - start_us >= DIAL_HOST_US - 10000);
	PQfinish(conn);
	start_us = clock_mono_us();
	for (int i = 0; i < 10; i++) {
		conn = dial(url(&a, &b, ""), in_ms(10000), &host, error);
		CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
		CU_ASSERT_EQUAL(host, 1);
		PQfinish(conn);
	}
	CU_ASSERT_TRUE(clock_mono_us() - start_us < DIAL_HOST_US);
	stop(&a);
	stop(&b);
	CU_ASSERT_EQUAL(b.welcomed, 12);
}

static void
the_deadline_holds_over_all_hosts(void)
{
	struct server a, b;
	char error[DIAL_ERROR_SIZE];
	int64_t start_us = clock_mono_us();
	int host;

	start(&a, "one", true, false);
	start(&b, "two", true, false);
	CU_ASSERT_PTR_NULL(dial(url(&a, &b, ""), in_ms(300), &host, error));
	CU_ASSERT_TRUE(clock_mono_us() - start_us >= 290000);
	CU_ASSERT_TRUE(clock_mono_us() - start_us < DIAL_HOST_US);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, a.dir));
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "no answer in time"));
	stop(&a);
	stop(&b);
}

static void
one_that_kept_silent_is_tried_last(void)
{
	struct server a, b;
	char error[DIAL_ERROR_SIZE];
	int host, other;
	PGconn *conn;

	start(&a, "first", false, false);
	start(&b, "second", false, false);
	conn = dial(url(&a, &b, ""), in_ms(10000), &host, error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	PQfinish(conn);
	dial_avoid(host);
	/* said twice, by two threads, it is done once */
	dial_avoid(host);
	conn = dial(url(&a, &b, ""), in_ms(10000), &other, error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	CU_ASSERT_NOT_EQUAL(host, other);
	PQfinish(conn);
	conn = dial(url(&a, &b, ""), in_ms(10000), &host, error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
	CU_ASSERT_EQUAL(host, other);
	PQfinish(conn);
	stop(&a);
	stop(&b);
}

static void
nonsense_is_refused(void)
{
	static const char *const urls[] = { "nonsense", "host=/a,/b port=1,2,3",
		"hostaddr=127.0.0.1,127.0.0.2 host=a", "postgresql://%zz/" };
	char error[DIAL_ERROR_SIZE];
	int host;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		CU_ASSERT_PTR_NULL(dial(urls[i], in_ms(2000), &host, error));
		CU_ASSERT_TRUE(error[0] != '\0');
	}
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "a standby is passed over", a_standby_is_passed_over },
		{ "hosts without ports have the usual one",
		    hosts_without_ports_have_the_usual_one },
		{ "a frozen server costs its time once", a_frozen_one_costs_its_time_once },
		{ "the deadline holds over all hosts", the_deadline_holds_over_all_hosts },
		{ "one that kept silent is tried last", one_that_kept_silent_is_tried_last },
		{ "nonsense is refused", nonsense_is_refused },
		CU_TEST_INFO_NULL,
	};

	return unit_main("dial", tests);
}
