/* orderctl seed-demo: stores to try the product with. */
#include "config.h"

#include "orderctl.h"

#include "arena.h"
#include "json.h"
#include "password.h"
#include "sql/orderctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA_FILE PKGDATADIR "/db/seed/demo.json"
#define DATA_LIMIT_BYTES ((size_t)4 << 20)

struct seed {
	struct arena *arena;
	const struct conf *conf;
	PGconn *db;
};

/* A member of the data; "" when there is none, which the schema's checks then refuse. */
static const char *
text(json_object *o, const char *name)
{
	json_object *v = json_object_object_get(o, name);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

static const char *
json_member(struct arena *a, json_object *o, const char *name)
{
	json_object *v = json_object_object_get(o, name);

	return json_object_is_type(v, json_type_array) ? json_text(a, v) : "[]";
}

/* The array of stores in the file at path. */
static json_object *
read_data(struct arena *a, const char *path)
{
	char *bytes = arena_alloc(a, DATA_LIMIT_BYTES);
	FILE *f = fopen(path, "re");
	const char *why = NULL;
	json_object *stores;
	size_t n;

	if (f == NULL) {
		ctl_fail("%s: %s; is table-order installed?", path, strerror(errno));
		return NULL;
	}
	n = fread(bytes, 1, DATA_LIMIT_BYTES - 1, f);
	fclose(f);
	stores = json_object_object_get(json_read(a, bytes, n, &why), "stores");
	if (json_object_is_type(stores, json_type_array))
		return stores;
	ctl_fail("%s: %s; it must be {\"stores\": [...]}", path, why != NULL ? why : "no stores");
	return NULL;
}

/* The first column of the first row, "" without a row; NULL when the statement failed. */
static const char *
one_value(struct seed *s, const struct sql *sql, const char *const *values)
{
	PGresult *r = ctl_run(s->db, sql, values);
	const char *value = NULL;

	if (r != NULL)
		value = PQntuples(r) > 0 && PQnfields(r) > 0
		    ? arena_strdup(s->arena, PQgetvalue(r, 0, 0))
		    : "";
	PQclear(r);
	return value;
}

static const char *
hash(struct seed *s, const char *password)
{
	char made[PASSWORD_HASH_SIZE];

	if (password_hash(s->conf, password, made) == 0)
		return arena_strdup(s->arena, made);
	ctl_fail("a password of the data has not 1 to %d bytes", PASSWORD_LIMIT_BYTES);
	return NULL;
}

static int
add_accounts(struct seed *s, json_object *store, const char *id)
{
	json_object *admin = json_object_object_get(store, "admin");
	const char *name = text(admin, "username");
	const char *admin_hash = hash(s, text(admin, "password"));
	const char *table_hash = hash(s, text(store, "table_password"));
	const char *admin_values[] = { id, name, admin_hash };
	const char *table_values[] = { id, json_member(s->arena, store, "tables"), table_hash };
	const char *admin_id;

	if (admin_hash == NULL || table_hash == NULL)
		return -1;
	admin_id = one_value(s, &SQL_STORE_ADMIN_ADD, admin_values);
	if (admin_id == NULL)
		return -1;
	if (*admin_id == '\0') {
		ctl_fail(
		    "there is an account named '%s' already; rename it, or seed a new database",
		    name);
		return -1;
	}
	return one_value(s, &SQL_STORE_TABLES_ADD, table_values) != NULL ? 0 : -1;
}

/* The new store's id; NULL when that failed. */
static const char *
add_store(struct seed *s, json_object *store)
{
	const char *values[] = { text(store, "code"), text(store, "name") };
	const char *id = one_value(s, &SQL_STORE_ADD, values);
	const char *menu_values[] = { id, json_member(s->arena, store, "categories") };

	if (id == NULL || one_value(s, &SQL_STORE_COUNTER_ADD, &id) == NULL ||
	    add_accounts(s, store, id) == -1 ||
	    one_value(s, &SQL_STORE_MENUS_ADD, menu_values) == NULL)
		return NULL;
	return id;
}

/* The id of a store that is there, when it is the demo's; NULL when it is somebody else's. */
static const char *
check_store(struct seed *s, json_object *store, const char *id)
{
	const char *values[] = { id, text(json_object_object_get(store, "admin"), "username") };
	const char *admin_id = one_value(s, &SQL_STORE_ADMIN_FIND, values);

	if (admin_id != NULL && *admin_id != '\0')
		return id;
	if (admin_id != NULL)
		ctl_fail(
		    "the store '%s' exists and is not the demo's; change its code, or seed a new "
		    "database",
		    text(store, "code"));
	return NULL;
}

/* Appends what quickstart.json says of a store. */
static int
describe_store(struct seed *s, json_object *store, const char *id, json_object *out)
{
	json_object *o = json_new_object(s->arena), *tables = json_new_array(s->arena);
	PGresult *r = ctl_run(s->db, &SQL_STORE_TABLES, &id);

	if (r == NULL)
		return -1;
	for (int i = 0; i < PQntuples(r); i++) {
		json_object *table = json_new_object(s->arena);

		json_put_int(table, "table_id", strtoll(PQgetvalue(r, i, 0), NULL, 10));
		json_put_text(table, "table_number", PQgetvalue(r, i, 1));
		json_put_text(table, "password", text(store, "table_password"));
		json_append(tables, table);
	}
	PQclear(r);
	json_put_text(o, "store_id", id);
	json_put_text(o, "store_code", text(store, "code"));
	json_put_text(o, "name", text(store, "name"));
	json_put(o, "admin", json_object_object_get(store, "admin"));
	json_put(o, "tables", tables);
	json_append(out, o);
	return 0;
}

/* Whether the stores may be added: not beside those of a real installation. */
static int
check_others(struct seed *s, json_object *stores)
{
	json_object *codes = json_new_array(s->arena);
	const char *value, *others;

	for (size_t i = 0; i < json_object_array_length(stores); i++)
		json_append(
		    codes, json_object_object_get(json_object_array_get_idx(stores, i), "code"));
	value = json_text(s->arena, codes);
	others = one_value(s, &SQL_OTHER_STORES, &value);
	if (others != NULL && *others == 't')
		ctl_fail("there are other stores, and the demo's passwords are known to everybody; "
			 "--force adds them nevertheless");
	return others != NULL && *others == 'f' ? 0 : -1;
}

static int
seed_stores(struct seed *s, json_object *stores, bool force, json_object *out)
{
	for (size_t i = 0; i < json_object_array_length(stores); i++) {
		json_object *store = json_object_array_get_idx(stores, i);
		const char *code = text(store, "code");
		const char *id = one_value(s, &SQL_STORE_BY_CODE, &code);

		if (id == NULL)
			return -1;
		if (*id != '\0')
			id = check_store(s, store, id);
		else
			id = force || check_others(s, stores) == 0 ? add_store(s, store) : NULL;
		if (id == NULL || describe_store(s, store, id, out) == -1)
			return -1;
	}
	return 0;
}

static int
seed(struct arena *a, const char *path, bool force)
{
	json_object *stores = read_data(a, path), *out = json_new_array(a);
	struct conf c;
	struct seed s = { a, &c, NULL };
	int result = CTL_FAILED;

	if (stores == NULL)
		return result;
	if (ctl_conf(&c, CONF_OWNER) == 0)
		s.db = ctl_connect(&c);
	/* the lock: two seeds at once are one after the other */
	if (s.db != NULL && ctl_run_text(s.db, "begin") == 0 &&
	    ctl_run_text(s.db, "lock table stores in share row exclusive mode") == 0 &&
	    seed_stores(&s, stores, force, out) == 0 && ctl_run_text(s.db, "commit") == 0) {
		puts(json_text(a, out));
		result = CTL_OK;
	}
	PQfinish(s.db);
	conf_fini(&c);
	return result;
}

int
ctl_seed_demo(int argc, char **argv)
{
	static const struct option options[] = { { "force", no_argument, NULL, 'f' },
		{ "data", required_argument, NULL, 'd' }, { 0 } };
	const char *path = DATA_FILE;
	struct arena *a;
	bool force = false;
	int option, result;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			force = true;
		else if (option == 'd')
			path = optarg;
		else
			return ctl_usage("seed-demo", "wrong option '%s'", argv[optind - 1]);
	}
	if (optind != argc)
		return ctl_usage("seed-demo", "unexpected '%s'", argv[optind]);
	a = arena_new(64 << 10);
	result = seed(a, path, force);
	arena_free(a);
	return result;
}
