/*
 * sse-relay: the streams of events, for the boards and the tables.
 */
#include "config.h"

#include "conf.h"
#include "listen.h"
#include "log.h"
#include "metrics.h"
#include "option.h"
#include "relay.h"
#include "request.h"
#include "stop.h"
#include "token.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define STOP_GRACE_SECONDS 2

/* A stream is a descriptor: as many as we may have. */
static void
raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int
answer_option(const char *option)
{
	if (strcmp(option, "--routes") != 0)
		return option_answer(option, "sse-relay", "[--routes | --help | --version]",
		    "Streams events to boards and tables until it gets SIGTERM.");
	request_print_routes(stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct conf c;
	struct tokens *tokens;
	char error[512];
	int listener;

	if (argc > 1)
		return answer_option(argv[1]);
	if (conf_load(&c, conf_path(), CONF_RELAY | CONF_RABBITMQ | CONF_VERIFY, false, stderr) >
		0 ||
	    (tokens = tokens_new(&c, stderr)) == NULL)
		return 2;
	raise_limit();
	listener = listen_at(c.sse_listen, error, sizeof(error));
	if (listener == -1) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	log_open(c.log_dir, "sse-relay", c.log_level);
	metrics_open(c.run_dir, "sse-relay");
	metrics_set(METRIC_PROCESSES, "program=\"sse-relay\"", 1);
	stop_on_signals(STOP_GRACE_SECONDS);
	log_info("started", LOG_S("listen", c.sse_listen));
	relay_run(&c, tokens, listener);
	log_info("ended");
	tokens_free(tokens);
	conf_fini(&c);
	return 0;
}
