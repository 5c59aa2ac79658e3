/* orderctl after-restore: no number of an event that was lost is given again. */
#include "config.h"

#include "orderctl.h"

#include "sql/orderctl.h"

#include <stdio.h>

/* More than any store has in the days that a restore goes back. */
#define RAISE "1000000"

int
ctl_after_restore(int argc, char **argv)
{
	static const char *const values[] = { RAISE };
	PGresult *r = NULL;
	PGconn *db = NULL;
	struct conf c;

	if (argc != 1)
		return ctl_usage("after-restore", "unexpected '%s'", argv[1]);
	if (ctl_conf(&c, CONF_OWNER) == 0)
		db = ctl_connect(&c);
	if (db != NULL)
		r = ctl_run(db, &SQL_STORE_COUNTERS_RAISE, values);
	if (r != NULL)
		printf("events of %s stores go on " RAISE " numbers later; open pages load again\n",
		    PQcmdTuples(r));
	PQclear(r);
	PQfinish(db);
	conf_fini(&c);
	return r != NULL ? CTL_OK : CTL_FAILED;
}
