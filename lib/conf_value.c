#include "config.h"

#include "conf_value.h"

#include "http.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <string.h>

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

static bool
is_database(const char *value)
{
	PQconninfoOption *options = PQconninfoParse(value, NULL);
	bool good = options != NULL && !is_torn(options);

	PQconninfoFree(options);
	return good;
}

/* The programs write: a server that does not is of no use to any of them. */
static bool
is_for_writing(const char *value)
{
	PQconninfoOption *options = PQconninfoParse(value, NULL);
	bool good = true;

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, "target_session_attrs") == 0 && o->val != NULL)
			good = strcmp(o->val, "read-write") == 0 || strcmp(o->val, "primary") == 0;
	PQconninfoFree(options);
	return good;
}

/* Whether s begins with one of the two. */
static bool
starts(const char *s, const char *one, const char *other)
{
	return strncmp(s, one, strlen(one)) == 0 || strncmp(s, other, strlen(other)) == 0;
}

static bool
is_redis(const char *value)
{
	return starts(value, "redis://", "unix:/");
}

static bool
is_rabbitmq(const char *value)
{
	return starts(value, "amqp://", "amqps://");
}

static bool
is_web(const char *value)
{
	return starts(value, "http://", "https://");
}

/* An origin is scheme, host and port only: a browser never sends more, so more would never match.
 */
static bool
are_origins(const char *list)
{
	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		const char *host = is_web(list) ? strstr(list, "://") + 3 : NULL;

		if (host == NULL || memchr(host, '/', n - (size_t)(host - list)) != NULL)
			return false;
		list += n + (list[n] == ',');
	}
	return true;
}

#define DATABASE \
	is_database, \
	    "must be like postgresql://user:password@host:port/database, with other " \
	    "characters than letters and digits in the password written as %XX"

#define WRITING is_for_writing, "target_session_attrs must be read-write"

const char *
conf_value_wrong(const char *key, const char *value)
{
	static const struct {
		const char *key;
		bool (*is_right)(const char *value);
		const char *wrong;
	} rules[] = {
		{ "DATABASE_URL", DATABASE },
		{ "DATABASE_OWNER_URL", DATABASE },
		{ "DISPATCHER_DATABASE_URL", DATABASE },
		{ "RELAY_DATABASE_URL", DATABASE },
		{ "DATABASE_URL", WRITING },
		{ "DATABASE_OWNER_URL", WRITING },
		{ "DISPATCHER_DATABASE_URL", WRITING },
		{ "RELAY_DATABASE_URL", WRITING },
		{ "REDIS_URL", is_redis,
		    "must be like redis://:password@host:port/0 or unix:/path" },
		{ "RABBITMQ_URL", is_rabbitmq,
		    "must be like amqp://user:password@host:port/vhost" },
		{ "PUBLIC_URL", is_web, "must be like https://orders.example.com" },
		{ "CORS_ALLOWED_ORIGINS", are_origins,
		    "must be origins like https://host:port, with commas between and no spaces" },
		{ "METRICS_ALLOW", http_networks_valid,
		    "must be addresses or networks, with commas between" },
		{ "TRUSTED_PROXIES", http_networks_valid,
		    "must be addresses or networks, with commas between" },
	};

	for (size_t i = 0; *value != '\0' && i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].key, key) == 0 && !rules[i].is_right(value))
			return rules[i].wrong;
	return NULL;
}
