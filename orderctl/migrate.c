/* orderctl migrate: sqitch, with the owner's connection given to it by libpq's environment. */
#include "config.h"

#include "orderctl.h"

#include "sql/orderctl.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROJECT_DIR PKGDATADIR "/db"

extern char **environ;

/* libpq names an environment variable for each of its settings; sqitch and its psql read those, so
 * that a socket's path needs no URI of sqitch's kind and the password is on no command line. */
static int
put_environment(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);

	if (options == NULL)
		return ctl_fail("DATABASE_OWNER_URL in %s must be like "
				"postgresql://user:password@host:port/database",
		    conf_path());
	/* of several hosts, the one that takes writes */
	setenv("PGTARGETSESSIONATTRS", "read-write", 1);
	for (PQconninfoOption *o = options; o->keyword != NULL; o++)
		if (o->envvar != NULL && o->val != NULL)
			setenv(o->envvar, o->val, 1);
	PQconninfoFree(options);
	setenv("SQITCH_FULLNAME", "table-order", 0);
	setenv("SQITCH_EMAIL", "table-order@localhost", 0);
	return CTL_OK;
}

/* Two sqitches at once on an empty database would both make its registry: one waits here. */
static int
lock_alone(PGconn *db)
{
	PGresult *r = ctl_run(db, &SQL_MIGRATION_TRY_LOCK, NULL);
	bool mine = r != NULL && strcmp(PQgetvalue(r, 0, 0), "t") == 0;

	PQclear(r);
	if (r == NULL || mine)
		return r == NULL ? -1 : 0;
	fputs("orderctl: another migration runs; waiting for it\n", stderr);
	r = ctl_run(db, &SQL_MIGRATION_LOCK, NULL);
	PQclear(r);
	return r == NULL ? -1 : 0;
}

/* Whether a line of the plan is about this change: "name [requires] date planner # note". */
static bool
is_planned(const char *dir, const char *change)
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0, n = strlen(change);
	bool found = false;
	FILE *plan;

	snprintf(path, sizeof(path), "%s/sqitch.plan", dir);
	plan = fopen(path, "re");
	if (plan == NULL)
		return true; /* sqitch is asked, and says so */
	while (!found && getline(&line, &size, plan) != -1)
		found = strncmp(line, change, n) == 0 && line[n] == ' ';
	free(line);
	fclose(plan);
	return found;
}

/* An older version beside a newer one, or come back to, runs on the newer schema; sqitch would only
 * complain. 1: so it is; 0: it is not; -1: not known, which has been said. */
static int
is_newer(PGconn *db, const char *dir)
{
	PGresult *r = ctl_run(db, &SQL_MIGRATION_REGISTRY, NULL);
	bool registry = r != NULL && strcmp(PQgetvalue(r, 0, 0), "t") == 0;
	int newer = r == NULL ? -1 : 0;

	PQclear(r);
	if (!registry)
		return newer;
	r = ctl_run(db, &SQL_MIGRATION_LAST, NULL);
	if (r == NULL)
		return -1;
	if (PQntuples(r) == 1 && !is_planned(dir, PQgetvalue(r, 0, 0))) {
		printf("the database is newer than this version (its last change is %s), which "
		       "runs on it: nothing to do\n",
		    PQgetvalue(r, 0, 0));
		newer = 1;
	}
	PQclear(r);
	return newer;
}

static int
run_sqitch(const char *dir)
{
	const char *const argv[] = { "sqitch", "deploy", "--verify", "db:pg:", NULL };
	pid_t pid;
	int status, error;

	if (chdir(dir) == -1 || access("sqitch.plan", R_OK) == -1)
		return ctl_fail(
		    "%s: %s; it must hold the migrations (sqitch.plan)", dir, strerror(errno));
	fflush(stdout);
	error = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
	if (error == ENOENT)
		return ctl_fail(
		    "sqitch is not installed; install the packages sqitch and libdbd-pg-perl");
	if (error != 0)
		return ctl_fail("sqitch: %s", strerror(error));
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return CTL_OK;
	return ctl_fail("sqitch failed, see above; the change that failed was taken back, and "
			"`orderctl migrate` goes on from there");
}

int
ctl_migrate(int argc, char **argv)
{
	static const struct option options[] = { { "dir", required_argument, NULL, 'd' }, { 0 } };
	const char *dir = PROJECT_DIR;
	struct conf c;
	PGconn *db = NULL;
	int option, newer = -1, result = CTL_FAILED;

	while ((option = getopt_long(argc, argv, "d:", options, NULL)) != -1) {
		if (option != 'd')
			return ctl_usage("migrate", "wrong option '%s'", argv[optind - 1]);
		dir = optarg;
	}
	if (optind != argc)
		return ctl_usage("migrate", "unexpected '%s'", argv[optind]);
	if (ctl_conf(&c, CONF_OWNER) == 0)
		db = ctl_connect(&c);
	if (db != NULL && lock_alone(db) == 0)
		newer = is_newer(db, dir);
	if (newer == 1)
		result = CTL_OK;
	else if (newer == 0 && put_environment(c.database_owner_url) == CTL_OK)
		result = run_sqitch(dir);
	PQfinish(db);
	conf_fini(&c);
	return result;
}
