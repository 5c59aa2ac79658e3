/* redis: which URLs name a Redis, and what becomes of one that hangs or has closed a connection. */
#include "config.h"

#include "redis.h"

#include "log.h"
#include "unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Whether the URL is taken; what is said otherwise is one line that names the key. */
static bool
takes(const char *url)
{
	char said[300] = "";
	FILE *err = fmemopen(said, sizeof(said), "w");
	struct conf conf = { .redis_url = url };
	struct redis *r = redis_new(&conf, err);
	bool taken = r != NULL;

	fclose(err);
	if (taken)
		CU_ASSERT_STRING_EQUAL(said, "");
	if (!taken && (strncmp(said, "REDIS_URL: ", 11) != 0 || strchr(said, '\n') == NULL))
		CU_FAIL(url);
	if (!taken && *url != '\0')
		CU_ASSERT_PTR_NULL(strstr(said, "secret"));
	redis_free(r);
	return taken;
}

static void
urls_are_taken_or_refused(void)
{
	static const char *const good[] = { "redis://localhost", "redis://localhost/",
		"redis://localhost:6379/0", "redis://:secret@10.0.0.1:65535/15", "redis://secret@h",
		"redis://user:se@cret@h:1", "redis://:se%2Fc%40ret@h", "redis://[::1]",
		"redis://[::1]:6379/1", "redis://:secret@[fe80::1%eth0]:6379",
		"unix:/run/redis.sock" };
	static const char *const bad[] = { "", "redis://", "redis:///0", "redis://:6379",
		"redis://h:0", "redis://h:65536", "redis://h:", "redis://h:x", "redis://h:6379x",
		"redis://h/x", "redis://h/-1", "redis://h/1001", "redis://h/0/1",
		"redis://:secret@", "redis://:secret@:6379", "unix:", "unix:run/redis.sock",
		"redis://:secret%@h", "redis://:secret%zz@h", "redis://:secret%00@h",
		"redis://[::1", "redis://[::1]6379", "redis://[::1]:", "redis://[]", "http://h",
		"REDIS://h", "localhost:6379", "rediss://h" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!takes(good[i]))
			CU_FAIL(good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (takes(bad[i]))
			CU_FAIL(bad[i]);
}

static void
what_does_not_fit_is_refused_not_cut(void)
{
	char url[700];

	snprintf(url, sizeof(url), "redis://%0503d", 1);
	CU_ASSERT_TRUE(takes(url));
	snprintf(url, sizeof(url), "redis://%0504d", 1);
	CU_ASSERT_FALSE(takes(url));
	snprintf(url, sizeof(url), "redis://:%0500d@h", 1);
	CU_ASSERT_TRUE(takes(url));
	snprintf(url, sizeof(url), "redis://:%0501d@h", 1);
	CU_ASSERT_FALSE(takes(url));
	snprintf(url, sizeof(url), "unix:/%0505d", 1);
	CU_ASSERT_TRUE(takes(url));
	snprintf(url, sizeof(url), "unix:/%0506d", 1);
	CU_ASSERT_FALSE(takes(url));
}

/* What a program sends first to a Redis that listens on an address of this host, whose URL is
 * prefix, the port, and suffix; false where the host has no such address. */
static bool
first_words(const struct sockaddr *address, socklen_t size, const char *prefix, char *words,
    size_t words_size)
{
	int listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct sockaddr_storage bound;
	socklen_t bound_size = sizeof(bound);
	int status = -1;
	char url[200], error[300];
	ssize_t n;

	if (bind(listener, address, size) == -1 || listen(listener, 1) == -1 ||
	    getsockname(listener, (struct sockaddr *)&bound, &bound_size) == -1) {
		close(listener);
		return false;
	}
	/* the port stands at the same place in both */
	snprintf(
	    url, sizeof(url), "%s:%d/3", prefix, ntohs(((struct sockaddr_in *)&bound)->sin_port));
	if (fork() == 0) {
		struct conf conf = { .redis_url = url };
		struct redis *r = redis_new(&conf, stderr);
		struct redis_link *l = redis_link_new(r);
		bool answered;

		log_open(NULL, "test", LOG_ERROR);
		answered = redis_ping(l, error, sizeof(error));
		redis_link_free(l);
		redis_free(r);
		_exit(answered);
	}
	fd = accept(listener, NULL, NULL);
	n = recv(fd, words, words_size - 1, MSG_WAITALL);
	words[n > 0 ? n : 0] = '\0';
	close(fd);
	close(listener);
	wait(&status);
	CU_ASSERT_EQUAL(status, 0); /* nobody answered, and it says so */
	return true;
}

static void
passwords_and_addresses_are_decoded(void)
{
	const struct sockaddr_in ip4 = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 ip6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	char words[43];

	CU_ASSERT_TRUE(first_words((const struct sockaddr *)&ip4, sizeof(ip4),
	    "redis://:a%2F%40%25+z@127.0.0.1", words, sizeof(words)));
	CU_ASSERT_STRING_EQUAL(words, "*2\r\n$4\r\nAUTH\r\n$6\r\na/@%+z\r\n*2\r\n$6\r\nSELECT\r\n");
	if (first_words((const struct sockaddr *)&ip6, sizeof(ip6), "redis://:s%20t@[::1]", words,
		sizeof(words)))
		CU_ASSERT_TRUE(strncmp(words, "*2\r\n$4\r\nAUTH\r\n$3\r\ns t\r\n", 23) == 0);
}

/* A Redis that answers what it is greeted with, and so many commands behind that; then it hangs, or
 * closes the connection. */
struct server {
	int listener;
	int answers;
	bool closes;
	atomic_int connections;
	int open[8];
	pthread_t thread;
	struct redis *client;
};

static void
serve(struct server *s, int fd)
{
	static const char sha[] = "$40\r\n0123456789012345678901234567890123456789\r\n";
	static const char answer[] = "*6\r\n:0\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n";
	char command[4096];

	if (recv(fd, command, sizeof(command), 0) <= 0 || write(fd, sha, sizeof(sha) - 1) == -1)
		return;
	for (int i = 0; i < s->answers; i++)
		if (recv(fd, command, sizeof(command), 0) <= 0 ||
		    write(fd, answer, sizeof(answer) - 1) == -1)
			return;
}

static void *
serve_all(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) != -1) {
		s->open[s->connections++] = fd;
		serve(s, fd);
		if (s->closes)
			shutdown(fd, SHUT_RDWR);
	}
	return NULL;
}

static struct redis_link *
link_to(struct server *s, struct conf *conf, int answers, bool closes)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = unit_path(closes ? "closing" : "hanging");
	static char url[200];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	snprintf(url, sizeof(url), "unix:%s", path);
	*s = (struct server) {
		.listener = socket(AF_UNIX, SOCK_STREAM, 0), .answers = answers, .closes = closes
	};
	CU_ASSERT_EQUAL_FATAL(bind(s->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(s->listener, 8), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&s->thread, NULL, serve_all, s), 0);
	*conf = (struct conf) { .redis_url = url, .rate_limit_per_minute = 1 };
	s->client = redis_new(conf, stderr);
	return redis_link_new(s->client);
}

static void
stop(struct server *s, struct redis_link *l)
{
	redis_link_free(l);
	redis_free(s->client);
	shutdown(s->listener, SHUT_RDWR);
	for (int i = 0; i < s->connections; i++)
		shutdown(s->open[i], SHUT_RDWR);
	pthread_join(s->thread, NULL);
	for (int i = 0; i < s->connections; i++)
		close(s->open[i]);
	close(s->listener);
}

static void
who_has_waited_does_not_wait_again_but_a_change_is_told(void)
{
	const struct redis_ask ask = { .subject = "table:1" };
	struct arena *arena = arena_new(1000);
	struct server server;
	struct conf conf;
	struct redis_link *l = link_to(&server, &conf, 1, false);

	log_open(NULL, "test", LOG_ERROR);
	CU_ASSERT_TRUE(redis_ask(l, arena, &ask).there);
	CU_ASSERT_FALSE(redis_ask(l, arena, &ask).there);
	CU_ASSERT_EQUAL(server.connections, 1);
	CU_ASSERT_FALSE(redis_ask(l, arena, &ask).there); /* it is left alone */
	CU_ASSERT_EQUAL(server.connections, 1);
	/* so that the server comes to its next connection */
	shutdown(server.open[0], SHUT_RDWR);
	redis_void(l, "menu", "s");
	CU_ASSERT_EQUAL(server.connections, 2);
	stop(&server, l);
	arena_free(arena);
}

static void
a_connection_that_was_closed_is_made_again(void)
{
	const struct redis_ask ask = { .subject = "table:1" };
	struct arena *arena = arena_new(1000);
	struct server server;
	struct conf conf;
	struct redis_link *l = link_to(&server, &conf, 1, true);

	for (int i = 1; i <= 3; i++) {
		CU_ASSERT_TRUE(redis_ask(l, arena, &ask).there);
		CU_ASSERT_EQUAL(server.connections, i);
	}
	redis_void(l, "menu", "s");
	CU_ASSERT_EQUAL(server.connections, 4);
	stop(&server, l);
	arena_free(arena);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "URLs are taken or refused", urls_are_taken_or_refused },
		{ "passwords and addresses are decoded", passwords_and_addresses_are_decoded },
		{ "what does not fit is refused, not cut", what_does_not_fit_is_refused_not_cut },
		{ "who has waited does not wait again, but a change is told",
		    who_has_waited_does_not_wait_again_but_a_change_is_told },
		{ "a connection that was closed is made again",
		    a_connection_that_was_closed_is_made_again },
		CU_TEST_INFO_NULL,
	};

	signal(SIGPIPE, SIG_IGN); /* as serve() has it */
	return unit_main("redis", tests);
}
