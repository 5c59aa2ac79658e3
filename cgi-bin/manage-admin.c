/* manage-admin: stores, admins and tables (a table is an account too). */
#include "config.h"

#include "event.h"
#include "http.h"
#include "page.h"
#include "password.h"
#include "reply.h"
#include "serve.h"
#include "tx.h"

#include "sql/manage-admin.h"

#include <string.h>

#define CODE_LENGTH 32
#define ZONE_LENGTH 64
#define TABLE_NUMBER_LENGTH 20

/* --- what the accounts have in common ------------------------------------------------------- */

/* The hash of a new password, NULL when none is given. Before any statement: no connection waits.
 */
static const char *
hash_password(struct req *r, const char *password)
{
	char *hash = arena_alloc(r->arena, PASSWORD_HASH_SIZE);

	if (req_failed(r) || password == NULL)
		return NULL;
	if (password_hash(&r->app->conf, password, hash) == -1)
		req_fail(r, ERR_INTERNAL_ERROR);
	return hash;
}

static const char *
tristate(int value)
{
	return value == -1 ? NULL : db_bool(value == 1);
}

/* Tells the streams that tokens of lower generations have ended. */
static void
revoke_account(struct req *r, const char *subject, int64_t gen, const struct place *at)
{
	json_object *event = event_new(r, "AccountRevoked", at);

	json_put_text(event, "subject", subject);
	json_put_int(event, "gen", gen);
	event_add(r, event);
	req_void(r, "auth");
}

/* A page of rows, rendered. */
static void
reply_page(struct req *r, const struct rows *rows, const struct rows *count,
    const struct page *page, json_object *(*render)(struct req *, const struct rows *, int))
{
	json_object *answer = page_list(r, rows, render);

	page_put(r, answer, page, row_int(count, 0, "total"));
	reply_json(r, 200, answer);
}

/* --- stores --------------------------------------------------------------------------------- */

static json_object *
store_json(struct req *r, const struct rows *stores, int i)
{
	json_object *o = json_new_object(r->arena);

	json_put_text(o, "id", row_text(stores, i, "id"));
	json_put_text(o, "code", row_text(stores, i, "code"));
	json_put_text(o, "name", row_text(stores, i, "name"));
	json_put_text(o, "currency", row_text(stores, i, "currency"));
	json_put_text(o, "time_zone", row_text(stores, i, "time_zone"));
	json_put_text(o, "business_day_start",
	    arena_strndup(r->arena, row_text(stores, i, "business_day_start"),
		strnlen(row_text(stores, i, "business_day_start"), 5)));
	json_put_bool(o, "is_active", row_bool(stores, i, "is_active"));
	json_put_text(o, "created_at", row_time(r, stores, i, "created_at"));
	return o;
}

static void
get_stores(struct req *r)
{
	struct page page = page_read(r);
	struct rows *stores = sql_stores_page(r, page.size, page.start);
	struct rows *count = sql_stores_count(r);

	db_flush(r);
	reply_page(r, stores, count, &page, store_json);
}

struct store_input {
	const char *code;
	const char *name;
	const char *currency;
	const char *time_zone;
	const char *business_day_start;
};

static void
check_code(struct req *r, const char *code)
{
	size_t n = code != NULL ? strspn(code,
				      "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
				: 0;

	if (code != NULL && (code[n] != '\0' || code[0] == '_' || code[0] == '-'))
		req_fail_field(
		    r, "code", "must be letters, digits, _ and -, a letter or digit first");
}

static void
check_currency(struct req *r, const char *currency)
{
	/* ISO 4217's of countries, of 2025; they change every few years */
	static const char codes[] =
	    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF "
	    "BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC "
	    "CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
	    "GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD "
	    "JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL "
	    "LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD "
	    "NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
	    "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
	    "SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED "
	    "VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ";

	if (currency == NULL)
		return;
	if (strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 || strstr(codes, currency) == NULL)
		req_fail_field(r, "currency", "must be an ISO 4217 code");
}

static void
check_time(struct req *r, const char *time)
{
	if (time == NULL || req_failed(r))
		return;
	if (strlen(time) != 5 || time[2] != ':' ||
	    http_number(arena_printf(r->arena, "1%.2s", time), 100, 123) == -1 ||
	    http_number(arena_printf(r->arena, "1%s", time + 3), 100, 159) == -1)
		req_fail_field(r, "business_day_start", "must be a time, HH:MM");
}

static struct store_input
read_store(struct req *r)
{
	json_object *body = req_body(r);
	struct store_input in = {
		.code = req_optional_text(r, body, "", "code", 1, CODE_LENGTH),
		.name = req_optional_name(r, body, "name"),
		.currency = req_optional_text(r, body, "", "currency", 3, 3),
		.time_zone = req_optional_text(r, body, "", "time_zone", 1, ZONE_LENGTH),
		.business_day_start = req_optional_text(r, body, "", "business_day_start", 5, 5),
	};

	check_code(r, in.code);
	check_currency(r, in.currency);
	check_time(r, in.business_day_start);
	return in;
}

static void
post_store(struct req *r)
{
	struct store_input in = read_store(r);
	struct rows *store;

	if (in.code == NULL)
		req_fail_field(r, "code", "is required");
	if (in.name == NULL)
		req_fail_field(r, "name", "is required");
	store = sql_store_insert(r, in.code, in.name, in.currency != NULL ? in.currency : "KRW",
	    in.time_zone != NULL ? in.time_zone : "Asia/Seoul",
	    in.business_day_start != NULL ? in.business_day_start : "05:00");
	db_flush(r);
	sql_counter_insert(r, row_text(store, 0, "id"));
	reply_json(r, 201, store_json(r, store, 0));
	reply_location(
	    r, arena_printf(r->arena, "/api/superadmin/stores/%s", row_text(store, 0, "id")));
}

/* Ends every login of a store. */
static void
revoke_store(struct req *r, const char *store_id)
{
	static const struct place nowhere;
	struct rows *admins = sql_store_admins_revoke(r, store_id);
	struct rows *tables = sql_store_tables_revoke(r, store_id);

	db_flush(r);
	for (int i = 0; i < rows_count(admins); i++)
		revoke_account(
		    r, row_text(admins, i, "subject"), row_int(admins, i, "gen"), &nowhere);
	for (int i = 0; i < rows_count(tables); i++)
		revoke_account(
		    r, row_text(tables, i, "subject"), row_int(tables, i, "gen"), &nowhere);
}

static void
patch_store(struct req *r)
{
	const char *id = req_path_text(r, "store_id");
	struct store_input in = read_store(r);
	int is_active = req_optional_bool(r, req_body(r), "", "is_active");
	struct rows *before, *after;

	if (!http_is_uuid(id))
		req_fail(r, ERR_STORE_NOT_FOUND);
	tx_lock_store(r, id);
	before = sql_store_one(r, id);
	db_flush(r);
	if (rows_count(before) == 0)
		req_fail(r, ERR_STORE_NOT_FOUND);
	if (is_active == 0 && row_bool(before, 0, "is_active"))
		revoke_store(r, id);
	after = sql_store_update(r, id, in.code, in.name, in.currency, in.time_zone,
	    in.business_day_start, tristate(is_active));
	db_flush(r);
	reply_json(r, 200, store_json(r, after, 0));
}

/* --- admins --------------------------------------------------------------------------------- */

static json_object *
admin_json(struct req *r, const struct rows *admins, int i)
{
	json_object *o = json_new_object(r->arena);

	json_put_int(o, "id", row_int(admins, i, "id"));
	json_put_text(o, "store_id",
	    row_is_null(admins, i, "store_id") ? NULL : row_text(admins, i, "store_id"));
	json_put_text(o, "username", row_text(admins, i, "username"));
	json_put_text(o, "role", row_text(admins, i, "role"));
	json_put_bool(o, "is_active", row_bool(admins, i, "is_active"));
	json_put_text(o, "created_at", row_time(r, admins, i, "created_at"));
	return o;
}

static void
get_admins(struct req *r)
{
	struct page page = page_read(r);
	const char *store = req_query_text(r, "store_id", 36);
	struct rows *admins, *count;

	if (*store != '\0' && !http_is_uuid(store))
		req_fail_field(r, "store_id", "must be a UUID");
	if (*store == '\0')
		store = NULL;
	admins = sql_admins_page(r, store, page.size, page.start);
	count = sql_admins_count(r, store);
	db_flush(r);
	reply_page(r, admins, count, &page, admin_json);
}

static void
post_admin(struct req *r)
{
	json_object *body = req_body(r);
	const char *username = req_name(r, body, "username");
	const char *password = req_password(r, body, "password");
	const char *role = req_optional_text(r, body, "", "role", 1, 20);
	const char *store = req_optional_text(r, body, "", "store_id", 36, 36);
	const char *hash;
	struct rows *admin;

	if (role == NULL)
		role = "store_admin";
	if (strcmp(role, "store_admin") != 0 && strcmp(role, "super_admin") != 0)
		req_fail_field(r, "role", "must be store_admin or super_admin");
	if (store != NULL && !http_is_uuid(store))
		req_fail_field(r, "store_id", "must be a UUID");
	if ((store != NULL) != (strcmp(role, "store_admin") == 0))
		req_fail_field(r, "store_id", "a store_admin has one, a super_admin has none");
	hash = hash_password(r, password);
	admin = sql_admin_insert(r, store, username, hash, role);
	db_flush(r);
	reply_json(r, 201, admin_json(r, admin, 0));
	reply_location(r,
	    arena_printf(
		r->arena, "/api/superadmin/admins/%lld", (long long)row_int(admin, 0, "id")));
}

/* The admin as it is; the counter of its store is locked, so that its tokens can be ended. */
static struct rows *
lock_admin(struct req *r)
{
	int64_t id = req_path_id(r, "admin_id", ERR_ADMIN_NOT_FOUND);
	struct rows *admin = sql_admin_one(r, id);

	db_flush(r);
	if (rows_count(admin) == 0)
		req_fail(r, ERR_ADMIN_NOT_FOUND);
	if (req_failed(r) || row_is_null(admin, 0, "store_id"))
		return admin;
	tx_lock_store(r, row_text(admin, 0, "store_id"));
	admin = sql_admin_one(r, id);
	db_flush(r);
	return admin;
}

/* The changed admin, as answer and, when its tokens have ended, as event. */
static void
reply_admin(struct req *r, const struct rows *before, const struct rows *after)
{
	static const struct place nowhere;
	const char *subject;

	db_flush(r);
	subject = arena_printf(r->arena, "admin:%s", row_text(after, 0, "id"));
	if (row_int(after, 0, "token_generation") > row_int(before, 0, "token_generation") &&
	    !row_is_null(after, 0, "store_id"))
		revoke_account(r, subject, row_int(after, 0, "token_generation"), &nowhere);
	reply_json(r, 200, admin_json(r, after, 0));
}

static void
set_active(struct req *r, bool is_active)
{
	struct rows *admin = lock_admin(r);
	bool ends = !is_active && row_bool(admin, 0, "is_active");

	reply_admin(
	    r, admin, sql_admin_set_active(r, row_int(admin, 0, "id"), is_active, ends ? 1 : 0));
}

static void
patch_admin_activate(struct req *r)
{
	set_active(r, true);
}

static void
patch_admin_deactivate(struct req *r)
{
	set_active(r, false);
}

static void
patch_admin_password(struct req *r)
{
	const char *hash = hash_password(r, req_password(r, req_body(r), "password"));
	struct rows *admin = lock_admin(r);

	reply_admin(r, admin, sql_admin_set_password(r, row_int(admin, 0, "id"), hash));
}

/* --- tables --------------------------------------------------------------------------------- */

static json_object *
table_json(struct req *r, const struct rows *tables, int i)
{
	json_object *o = json_new_object(r->arena);

	json_put_int(o, "id", row_int(tables, i, "id"));
	json_put_text(o, "table_number", row_text(tables, i, "table_number"));
	json_put_bool(o, "is_active", row_bool(tables, i, "is_active"));
	json_put_bool(o, "has_open_session", !row_is_null(tables, i, "session_id"));
	json_put_text(o, "created_at", row_time(r, tables, i, "created_at"));
	return o;
}

static void
get_tables(struct req *r)
{
	struct rows *tables = sql_tables(r);

	db_flush(r);
	reply_json(r, 200, page_list(r, tables, table_json));
}

static void
post_table(struct req *r)
{
	json_object *body = req_body(r);
	const char *number = req_text(r, body, "", "table_number", 1, TABLE_NUMBER_LENGTH);
	const char *hash = hash_password(r, req_password(r, body, "password"));
	struct rows *table = sql_table_insert(r, number, hash);

	db_flush(r);
	reply_json(r, 201, table_json(r, table, 0));
	reply_location(r,
	    arena_printf(r->arena, "/api/admin/tables/%lld", (long long)row_int(table, 0, "id")));
}

/* Ends the tokens of a table whose generation is about to rise by one. */
static void
revoke_table(struct req *r, const struct rows *before)
{
	const struct place there = { row_int(before, 0, "id"), row_text(before, 0, "table_number"),
		0 };

	revoke_account(r, arena_printf(r->arena, "table:%lld", (long long)there.table_id),
	    row_int(before, 0, "token_generation") + 1, &there);
}

static void
patch_table(struct req *r)
{
	int64_t id = req_path_id(r, "table_id", ERR_TABLE_NOT_FOUND);
	json_object *body = req_body(r);
	const char *number = req_optional_text(r, body, "", "table_number", 1, TABLE_NUMBER_LENGTH);
	bool has_password = json_object_object_get(body, "password") != NULL;
	const char *hash =
	    hash_password(r, has_password ? req_password(r, body, "password") : NULL);
	int is_active = req_optional_bool(r, body, "", "is_active");
	struct rows *before = sql_table_one(r, id), *after;
	bool ends;

	db_flush(r);
	if (rows_count(before) == 0)
		req_fail(r, ERR_TABLE_NOT_FOUND);
	ends = hash != NULL || (is_active == 0 && row_bool(before, 0, "is_active"));
	/* pages of history show it */
	if (number != NULL)
		req_void(r, "history");
	sql_table_update(r, id, number, tristate(is_active), ends ? 1 : 0);
	if (hash != NULL)
		sql_table_set_password(r, id, hash);
	after = sql_table_one(r, id);
	if (ends)
		revoke_table(r, before);
	db_flush(r);
	reply_json(r, 200, table_json(r, after, 0));
}

static void
delete_table(struct req *r)
{
	int64_t id = req_path_id(r, "table_id", ERR_TABLE_NOT_FOUND);
	struct rows *table = sql_table_one(r, id);

	db_flush(r);
	if (rows_count(table) == 0)
		req_fail(r, ERR_TABLE_NOT_FOUND);
	if (!row_is_null(table, 0, "session_id"))
		req_fail(r, ERR_TABLE_IN_USE);
	sql_table_delete(r, id);
	revoke_table(r, table);
	reply_empty(r);
}

#define STORES "/api/superadmin/stores"
#define ADMINS "/api/superadmin/admins"
#define TABLES "/api/admin/tables"

static const struct route routes[] = {
	{ "GET", STORES, ROLE_SUPER_ADMIN, RT_SNAPSHOT, get_stores },
	{ "POST", STORES, ROLE_SUPER_ADMIN, RT_COMMITS, post_store },
	{ "PATCH", STORES "/{store_id}", ROLE_SUPER_ADMIN, RT_COMMITS, patch_store },
	{ "GET", ADMINS, ROLE_SUPER_ADMIN, RT_SNAPSHOT, get_admins },
	{ "POST", ADMINS, ROLE_SUPER_ADMIN, RT_COMMITS, post_admin },
	{ "PATCH", ADMINS "/{admin_id}/activate", ROLE_SUPER_ADMIN, RT_COMMITS,
	    patch_admin_activate },
	{ "PATCH", ADMINS "/{admin_id}/deactivate", ROLE_SUPER_ADMIN, RT_COMMITS,
	    patch_admin_deactivate },
	{ "PATCH", ADMINS "/{admin_id}/password", ROLE_SUPER_ADMIN, RT_COMMITS,
	    patch_admin_password },
	{ "GET", TABLES, ROLE_STORE_ADMIN, RT_READ, get_tables },
	{ "POST", TABLES, ROLE_STORE_ADMIN, RT_WRITE, post_table },
	{ "PATCH", TABLES "/{table_id}", ROLE_STORE_ADMIN, RT_WRITE, patch_table },
	{ "DELETE", TABLES "/{table_id}", ROLE_STORE_ADMIN, RT_WRITE, delete_table },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "manage-admin", 0, routes);
}
