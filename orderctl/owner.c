/* What the commands share: their voice, their configuration, the owner's database connection. */
#include "config.h"

#include "orderctl.h"

#include "dial.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
ctl_fail(const char *format, ...)
{
	va_list args;

	fputs("orderctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return CTL_FAILED;
}

int
ctl_usage(const char *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "orderctl %s: ", command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see `orderctl help %s`\n", command);
	return CTL_USAGE;
}

int
ctl_conf(struct conf *c, unsigned need)
{
	return conf_load(c, conf_path(), need, false, stderr);
}

PGconn *
ctl_connect(const struct conf *c)
{
	/* what stands before dbname is a default: of several hosts, the one that takes writes */
	const char *const names[] = { "target_session_attrs", "dbname", "connect_timeout",
		"fallback_application_name", NULL };
	const char *const values[] = { "read-write", c->database_owner_url, "10", "orderctl",
		NULL };
	PGconn *db = PQconnectdbParams(names, values, 1);
	char why[1000];

	if (PQstatus(db) == CONNECTION_OK)
		return db;
	dial_one_line(why, sizeof(why), PQerrorMessage(db));
	ctl_fail("%s; start the database or correct DATABASE_OWNER_URL in %s", why, conf_path());
	PQfinish(db);
	return NULL;
}

static const char *
remedy(const char *state)
{
	if (state == NULL)
		return "is the database still up?";
	if (strcmp(state, "42P01") == 0 || strcmp(state, "42703") == 0)
		return "run `orderctl migrate` first";
	if (strcmp(state, "42501") == 0)
		return "DATABASE_OWNER_URL must name the owner of the schema";
	if (strcmp(state, "55P03") == 0)
		return "pg_stat_activity shows who holds the lock; end that and run this again";
	return "nothing was changed";
}

int
ctl_check(PGconn *db, const PGresult *r, const char *name)
{
	ExecStatusType status = PQresultStatus(r);
	const char *state;
	char why[1000];

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return 0;
	state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	dial_one_line(why, sizeof(why),
	    state != NULL ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : PQerrorMessage(db));
	ctl_fail("%s: %s; %s", name, why, remedy(state));
	return -1;
}

PGresult *
ctl_run(PGconn *db, const struct sql *s, const char *const *values)
{
	PGresult *r = PQexecParams(db, s->text, s->params, NULL, values, NULL, NULL, 0);

	if (ctl_check(db, r, s->name) == 0)
		return r;
	PQclear(r);
	return NULL;
}

int
ctl_run_text(PGconn *db, const char *command)
{
	PGresult *r = PQexec(db, command);
	int result = ctl_check(db, r, command);

	PQclear(r);
	return result;
}
