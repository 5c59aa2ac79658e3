/* orderctl outbox: events that the broker has not confirmed. */
#include "config.h"

#include "orderctl.h"

#include "arena.h"
#include "json.h"
#include "sql/orderctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of SQL_OUTBOX_STORES. */
enum { STORE_ID, STORE_CODE, WAITING, OLDEST_SECONDS };

static long long
number(const PGresult *r, int row, int column)
{
	return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

static void
sum_up(const PGresult *r, long long *waiting, long long *oldest_s)
{
	*waiting = *oldest_s = 0;
	for (int i = 0; i < PQntuples(r); i++) {
		*waiting += number(r, i, WAITING);
		if (number(r, i, OLDEST_SECONDS) > *oldest_s)
			*oldest_s = number(r, i, OLDEST_SECONDS);
	}
}

static void
print_table(const PGresult *r)
{
	long long waiting, oldest_s;

	sum_up(r, &waiting, &oldest_s);
	if (waiting == 0) {
		puts("no event waits to be published");
		return;
	}
	printf("%-20s %10s %12s\n", "store", "events", "oldest");
	for (int i = 0; i < PQntuples(r); i++)
		printf("%-20s %10lld %10lld s\n", PQgetvalue(r, i, STORE_CODE),
		    number(r, i, WAITING), number(r, i, OLDEST_SECONDS));
	printf("%-20s %10lld %10lld s\n", "all", waiting, oldest_s);
}

static void
print_json(const PGresult *r)
{
	struct arena *a = arena_new(16 << 10);
	json_object *all = json_new_object(a), *stores = json_new_array(a);
	long long waiting, oldest_s;

	sum_up(r, &waiting, &oldest_s);
	for (int i = 0; i < PQntuples(r); i++) {
		json_object *store = json_new_object(a);

		json_put_text(store, "store_id", PQgetvalue(r, i, STORE_ID));
		json_put_text(store, "store_code", PQgetvalue(r, i, STORE_CODE));
		json_put_int(store, "unpublished", number(r, i, WAITING));
		json_put_int(store, "oldest_seconds", number(r, i, OLDEST_SECONDS));
		json_append(stores, store);
	}
	json_put_int(all, "unpublished", waiting);
	json_put_int(all, "oldest_seconds", oldest_s);
	json_put(all, "stores", stores);
	puts(json_text(a, all));
	arena_free(a);
}

int
ctl_outbox(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	void (*print)(const PGresult *) = print_table;
	PGresult *r = NULL;
	PGconn *db = NULL;
	struct conf c;
	int option;

	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option != 'j')
			return ctl_usage("outbox", "wrong option '%s'", argv[optind - 1]);
		print = print_json;
	}
	if (optind != argc)
		return ctl_usage("outbox", "unexpected '%s'", argv[optind]);
	if (ctl_conf(&c, CONF_OWNER) == 0)
		db = ctl_connect(&c);
	if (db != NULL)
		r = ctl_run(db, &SQL_OUTBOX_STORES, NULL);
	if (r != NULL)
		print(r);
	PQclear(r);
	PQfinish(db);
	conf_fini(&c);
	return r != NULL ? CTL_OK : CTL_FAILED;
}
