/* orderctl check-config: everything that can be said of the configuration without a server. */
#include "config.h"

#include "orderctl.h"

#include "token.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define ALL_NEEDS \
	(CONF_DATABASE | CONF_OWNER | CONF_DISPATCHER | CONF_RELAY | CONF_REDIS | CONF_RABBITMQ | \
	    CONF_VERIFY | CONF_SIGN)

static int
say(const char *key, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", conf_path(), key, what);
	return 1;
}

/* Whether the password's end went into the host or the port, as a bare @ or : in it makes it do;
 * libpq would then print it. */
static bool
is_torn(const PQconninfoOption *options)
{
	for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
		if (o->val != NULL && strchr(o->val, '@') != NULL &&
		    (strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "port") == 0))
			return true;
	return false;
}

/* The text itself is not printed: it may hold a password. */
static int
check_database(const char *key, const char *value)
{
	PQconninfoOption *options;
	bool good;

	if (*value == '\0')
		return 0;
	options = PQconninfoParse(value, NULL);
	good = options != NULL && !is_torn(options);
	PQconninfoFree(options);
	if (good)
		return 0;
	return say(key,
	    "must be like postgresql://user:password@host:port/database, with other "
	    "characters than letters and digits in the password written as %XX");
}

/* Whether value is empty or starts with one of the two. */
static bool
starts(const char *value, const char *one, const char *other)
{
	return *value == '\0' || strncmp(value, one, strlen(one)) == 0 ||
	    strncmp(value, other, strlen(other)) == 0;
}

/* An origin is scheme, host and port only: a browser never sends more, so more would never match.
 */
static int
check_origins(const char *list)
{
	char one[300];

	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		snprintf(
		    one, sizeof(one), "%.*s", (int)(n < sizeof(one) ? n : sizeof(one) - 1), list);
		if (!starts(one, "http://", "https://") || one[0] == '\0' ||
		    strchr(strstr(one, "://") + 3, '/') != NULL)
			return say("CORS_ALLOWED_ORIGINS",
			    "must be origins like https://host:port, with commas between and no "
			    "spaces");
		list += n + (list[n] == ',');
	}
	return 0;
}

static int
check_addresses(const struct conf *c)
{
	int problems = 0;

	problems += check_database("DATABASE_URL", c->database_url);
	problems += check_database("DATABASE_OWNER_URL", c->database_owner_url);
	problems += check_database("DISPATCHER_DATABASE_URL", c->dispatcher_database_url);
	problems += check_database("RELAY_DATABASE_URL", c->relay_database_url);
	if (!starts(c->redis_url, "redis://", "unix:/"))
		problems +=
		    say("REDIS_URL", "must be like redis://:password@host:port/0 or unix:/path");
	if (!starts(c->rabbitmq_url, "amqp://", "amqps://"))
		problems +=
		    say("RABBITMQ_URL", "must be like amqp://user:password@host:port/vhost");
	return problems + check_origins(c->cors_allowed_origins);
}

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
	problems = conf_load(&c, conf_path(), ALL_NEEDS, true, stderr);
	problems += check_addresses(&c) + check_keys(&c);
	conf_fini(&c);
	if (problems > 0)
		return ctl_fail(
		    "%d problem%s in the configuration; table-order.env(5) explains each key",
		    problems, problems > 1 ? "s" : "");
	puts("configuration is good");
	return CTL_OK;
}
