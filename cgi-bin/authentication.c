/* authentication: logs tables, store admins and super admins in and out. */
#include "config.h"

#include "clock.h"
#include "db.h"
#include "http.h"
#include "metrics.h"
#include "password.h"
#include "reply.h"
#include "serve.h"
#include "uuid.h"

#include "sql/authentication.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 100
#define CODE_MAX_LENGTH 32

/* A login between its two transactions: counted, not yet decided. */
struct login {
	enum role role;
	const char *password;
	const char *throttle_key; /* names the account whether it exists or not */
	const struct rows *account;
	int64_t attempt_id;
};

/* --- the throttle --------------------------------------------------------------------------- */

static void
check_throttle(struct req *r, const struct rows *failures)
{
	const struct conf *c = &r->app->conf;
	int64_t retry_after = row_int(failures, 0, "retry_after");

	if (row_int(failures, 0, "both") < c->login_limit_account_address &&
	    row_int(failures, 0, "by_account") < c->login_limit_account &&
	    row_int(failures, 0, "by_address") < c->login_limit_address)
		return;
	if (!req_failed(r))
		metrics_add(METRIC_LOGINS_THROTTLED, "", 1);
	req_fail_retry(r, ERR_LOGIN_THROTTLED, retry_after > 0 ? retry_after : 1);
}

/* Counts the attempt as failed before its password is looked at; a success takes it back. */
static void
count_attempt(struct req *r, struct login *l)
{
	struct rows *failures, *attempt;

	sql_login_lock(r, l->throttle_key, r->address);
	failures =
	    sql_login_failures(r, l->throttle_key, r->address, r->app->conf.login_window_seconds);
	db_flush(r);
	check_throttle(r, failures);
	attempt = sql_login_attempt(r, l->throttle_key, r->address);
	db_flush(r);
	l->attempt_id = row_int(attempt, 0, "id");
}

/* --- who it claims to be -------------------------------------------------------------------- */

static struct login *
login_new(struct req *r, enum role role)
{
	struct login *l = arena_alloc(r->arena, sizeof(*l));

	l->role = role;
	l->password = req_password(r, req_body(r), "password");
	r->state = l;
	return l;
}

/* The store that the body names, one way or the other. */
static void
read_store(struct req *r, const char **id, const char **code)
{
	*id = req_optional_text(r, req_body(r), "", "store_id", 36, 36);
	*code = req_optional_text(r, req_body(r), "", "store_code", 1, CODE_MAX_LENGTH);
	if (*id != NULL && !http_is_uuid(*id))
		req_fail_field(r, "store_id", "must be a UUID");
	if ((*id == NULL) == (*code == NULL))
		req_fail_field(r, "store_code", "give store_id or store_code");
}

/* The first half of a login to a store, whose account is named by a field of the body. */
static void
begin_store_login(struct req *r, enum role role, const char *field,
    struct rows *(*find)(struct req *r, const char *id, const char *code, const char *name))
{
	struct login *l = login_new(r, role);
	const char *name = req_text(r, req_body(r), "", field, 1, NAME_MAX_LENGTH);
	const char *id, *code, *known;

	read_store(r, &id, &code);
	l->account = find(r, id, code, name);
	db_flush(r);
	if (req_failed(r))
		return; /* the store may have no name at all */
	known = row_text(l->account, 0, "store_id");
	if (*known == '\0')
		known = id != NULL ? id : code;
	l->throttle_key = arena_printf(r->arena, "%s %s %s", role_name(role), known, name);
	count_attempt(r, l);
}

static void
begin_table_login(struct req *r)
{
	begin_store_login(r, ROLE_TABLE, "table_number", sql_account_of_table);
}

static void
begin_admin_login(struct req *r)
{
	begin_store_login(r, ROLE_STORE_ADMIN, "username", sql_account_of_admin);
}

static void
begin_super_admin_login(struct req *r)
{
	struct login *l = login_new(r, ROLE_SUPER_ADMIN);
	const char *name = req_text(r, req_body(r), "", "username", 1, NAME_MAX_LENGTH);

	l->account = sql_account_of_super_admin(r, name);
	db_flush(r);
	l->throttle_key = arena_printf(r->arena, "super_admin %s", name);
	count_attempt(r, l);
}

/* --- the token ------------------------------------------------------------------------------ */

static const char *
issue_token(struct req *r, const struct login *l)
{
	int64_t now_s = clock_wall_us() / CLOCK_SECOND_US;
	struct claims c = {
		.role = l->role,
		.account_id = row_int(l->account, 0, "id"),
		.gen = row_int(l->account, 0, "token_generation"),
		.iat = now_s,
		.exp = now_s + r->app->conf.jwt_lifetime_seconds,
	};
	const char *token;

	snprintf(c.subject, sizeof(c.subject), "%s:%lld", l->role == ROLE_TABLE ? "table" : "admin",
	    (long long)c.account_id);
	snprintf(c.jti, sizeof(c.jti), "%s", uuid_new(r->arena));
	if (l->role != ROLE_SUPER_ADMIN)
		snprintf(c.store_id, sizeof(c.store_id), "%s", row_text(l->account, 0, "store_id"));
	token = tokens_sign(r->app->tokens, r->arena, &c);
	if (token == NULL) {
		req_fail(r, ERR_INTERNAL_ERROR);
		r->error_note = "the token cannot be signed";
		return "";
	}
	return token;
}

/* A browser's EventSource sends no Authorization; this cookie goes to the role's stream only. */
static void
set_stream_cookie(struct req *r, enum role role, const char *token, int64_t max_age_s)
{
	const char *who = role == ROLE_TABLE ? "customer" : "admin";
	bool https = strncmp(r->app->conf.public_url, "https:", 6) == 0;

	if (role == ROLE_SUPER_ADMIN)
		return;
	reply_header(r, "Set-Cookie",
	    arena_printf(r->arena,
		"table_order_%s_stream=%s; Path=/api/%s/orders/stream; Max-Age=%lld; HttpOnly; "
		"SameSite=Strict%s",
		who, token, who, (long long)max_age_s, https ? "; Secure" : ""));
}

static json_object *
store_json(struct req *r, const struct rows *account)
{
	json_object *s = json_new_object(r->arena);

	json_put_text(s, "id", row_text(account, 0, "store_id"));
	json_put_text(s, "code", row_text(account, 0, "code"));
	json_put_text(s, "name", row_text(account, 0, "name"));
	json_put_text(s, "currency", row_text(account, 0, "currency"));
	json_put_text(s, "time_zone", row_text(account, 0, "time_zone"));
	json_put_text(s, "business_day_start",
	    arena_strndup(r->arena, row_text(account, 0, "business_day_start"), 5));
	return s;
}

static void
reply_token(struct req *r, const struct login *l)
{
	const char *token = issue_token(r, l);
	json_object *o = json_new_object(r->arena);
	int64_t lifetime_s = r->app->conf.jwt_lifetime_seconds;

	json_put_text(o, "access_token", token);
	json_put_text(o, "token_type", "Bearer");
	json_put_int(o, "expires_in", lifetime_s);
	json_put_text(o, "role", role_name(l->role));
	if (l->role != ROLE_SUPER_ADMIN) {
		json_put(o, "store", store_json(r, l->account));
		json_put_text(o, "store_id", row_text(l->account, 0, "store_id"));
	}
	if (l->role == ROLE_TABLE) {
		json_put_int(o, "table_id", row_int(l->account, 0, "id"));
		json_put_text(o, "table_number", row_text(l->account, 0, "table_number"));
	} else {
		json_put_int(o, "admin_id", row_int(l->account, 0, "id"));
	}
	reply_json(r, 200, o);
	set_stream_cookie(r, l->role, token, lifetime_s);
}

static void
count_failure(enum role role)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "role=\"%s\"", role_name(role));
	metrics_add(METRIC_LOGIN_FAILURES, labels, 1);
}

/* The second half of every login: hash with no connection held, then settle the count. */
static void
finish_login(struct req *r)
{
	const struct login *l = r->state;
	bool known = !row_is_null(l->account, 0, "password_hash");
	const char *hash = known ? row_text(l->account, 0, "password_hash") : NULL;

	if (!password_verify(&r->app->conf, l->password, hash)) {
		count_failure(l->role);
		req_fail(r, ERR_INVALID_CREDENTIALS);
		return;
	}
	sql_login_take_back(r, l->attempt_id);
	sql_login_forgive(r, l->throttle_key);
	if (row_bool(l->account, 0, "is_active"))
		reply_token(r, l);
	else
		reply_refusal(r, ERR_ACCOUNT_INACTIVE);
}

static void
post_logout(struct req *r)
{
	sql_token_revoke(r, r->who.jti, r->who.store_id[0] != '\0' ? r->who.store_id : NULL,
	    r->who.subject, r->who.exp);
	req_void(r, "auth");
	reply_empty(r);
	set_stream_cookie(r, r->who.role, "", 0);
}

static void
get_jwks(struct req *r)
{
	const char *jwks = tokens_jwks(r->app->tokens);

	reply_bytes(r, 200, "application/jwk-set+json", jwks, strlen(jwks));
	reply_header(r, "Cache-Control", "public, max-age=300");
}

#define LOGIN (RT_PLATFORM | RT_COMMITS)
#define ANYBODY (ROLE_TABLE | ROLE_STORE_ADMIN | ROLE_SUPER_ADMIN)

static const struct route routes[] = {
	{ "POST", "/api/customer/auth/login", ROLE_NONE, LOGIN, finish_login,
	    .before = begin_table_login },
	{ "POST", "/api/admin/auth/login", ROLE_NONE, LOGIN, finish_login,
	    .before = begin_admin_login },
	{ "POST", "/api/superadmin/auth/login", ROLE_NONE, LOGIN, finish_login,
	    .before = begin_super_admin_login },
	{ "POST", "/api/auth/logout", ANYBODY, RT_COMMITS, post_logout },
	{ "GET", "/api/auth/jwks.json", ROLE_NONE, RT_LOCAL, get_jwks },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "authentication", CONF_SIGN, routes);
}
