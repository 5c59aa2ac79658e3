/* orderctl check-config: everything that can be said of the configuration without a server. */
#include "config.h"

#include "orderctl.h"

#include "token.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
check_keys(const struct conf *c)
{
	struct tokens *t;

	if (*c->jwt_public_keys == '\0')
		return 0; /* said already */
	t = tokens_new(c, stderr);
	tokens_free(t);
	return t == NULL;
}

/* The programs look for the server that takes writes in any case; psql and others do as the URL
 * says. */
static void
advise_writer(const char *key, const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	bool several = false, said = false;

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "hostaddr") == 0)
			several = several || (o->val != NULL && strchr(o->val, ',') != NULL);
		else if (strcmp(o->keyword, "target_session_attrs") == 0)
			said = o->val != NULL;
	}
	PQconninfoFree(options);
	if (several && !said)
		fprintf(stderr,
		    "orderctl: advice: %s names several hosts; add "
		    "target_session_attrs=read-write to it, for psql and others\n",
		    key);
}

static void
advise(const struct conf *c)
{
	advise_writer("DATABASE_URL", c->database_url);
	advise_writer("DATABASE_OWNER_URL", c->database_owner_url);
	advise_writer("DISPATCHER_DATABASE_URL", c->dispatcher_database_url);
	advise_writer("RELAY_DATABASE_URL", c->relay_database_url);
}

int
ctl_check_config(int argc, char **argv)
{
	static const struct option options[] = { { "file", required_argument, NULL, 'f' }, { 0 } };
	struct conf c;
	int option, problems;

	while ((option = getopt_long(argc, argv, "f:", options, NULL)) != -1) {
		if (option != 'f')
			return ctl_usage("check-config", "wrong option '%s'", argv[optind - 1]);
		setenv("TABLE_ORDER_ENV", optarg, 1);
	}
	if (optind != argc)
		return ctl_usage("check-config", "unexpected '%s'", argv[optind]);
	problems = conf_load(&c, conf_path(), CONF_EVERYTHING, true, stderr);
	problems += check_keys(&c);
	advise(&c);
	conf_fini(&c);
	if (problems > 0)
		return ctl_fail(
		    "%d problem%s in the configuration; table-order.env(5) explains each key",
		    problems, problems > 1 ? "s" : "");
	puts("configuration is good");
	return CTL_OK;
}
