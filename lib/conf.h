/*
 * conf: the configuration: a .env file (TABLE_ORDER_ENV, by default
 * SYSCONFDIR/table-order/table-order.env) under the real environment, which
 * wins. CONF_KEYS is the one home of keys, types, defaults and limits;
 * .env.example and table-order.env(5) say what they mean.
 *
 * Accepted lines mean the same to sh, systemd, Compose and dotenv: KEY=value
 * with a value of [A-Za-z0-9_@%+=:,./-]*, KEY='value' without ' or \ in it,
 * whole-line comments, blank lines. A secret may stand in a file of its own:
 * NAME_FILE=path.
 */
#ifndef CONF_H
#define CONF_H

#include "log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What a program needs set; or them together. */
enum conf_need {
	CONF_DATABASE = 1,
	CONF_OWNER = 2,
	CONF_DISPATCHER = 4,
	CONF_RELAY = 8,
	CONF_REDIS = 16,
	CONF_RABBITMQ = 32,
	CONF_VERIFY = 64, /* public keys */
	CONF_SIGN = 128,  /* private key */
	CONF_EVERYTHING = 255,
};

/* S: text; X: secret text; P: secret PEM; I: integer with least and most; L: log level.
 * type(KEY, member, default, least and most or need). conf_value.c checks the shapes of texts. */
#define CONF_KEYS(S, X, P, I, L) \
	X(DATABASE_URL, database_url, "", CONF_DATABASE) \
	X(DATABASE_OWNER_URL, database_owner_url, "", CONF_OWNER) \
	X(DISPATCHER_DATABASE_URL, dispatcher_database_url, "", CONF_DISPATCHER) \
	X(RELAY_DATABASE_URL, relay_database_url, "", CONF_RELAY) \
	X(REDIS_URL, redis_url, "", CONF_REDIS) \
	X(RABBITMQ_URL, rabbitmq_url, "", CONF_RABBITMQ) \
	S(PUBLIC_URL, public_url, "http://localhost:8080", 0) \
	I(DB_POOL_SIZE, db_pool_size, 50, 3, 1000) \
	I(DB_POOL_WAIT_SECONDS, db_pool_wait_seconds, 60, 1, 70) \
	I(DB_CONNECT_RETRIES, db_connect_retries, 3, 0, 10) \
	P(JWT_PRIVATE_KEY, jwt_private_key, "", CONF_SIGN) \
	P(JWT_PUBLIC_KEYS, jwt_public_keys, "", CONF_VERIFY) \
	I(JWT_LIFETIME_SECONDS, jwt_lifetime_seconds, 57600, 1, 31536000) \
	I(BCRYPT_COST, bcrypt_cost, 12, 4, 16) \
	I(RATE_LIMIT_PER_MINUTE, rate_limit_per_minute, 100, 0, 1000000) \
	I(LOGIN_WINDOW_SECONDS, login_window_seconds, 900, 1, 86400) \
	I(LOGIN_LIMIT_ACCOUNT_ADDRESS, login_limit_account_address, 5, 1, 1000000) \
	I(LOGIN_LIMIT_ACCOUNT, login_limit_account, 50, 1, 1000000) \
	I(LOGIN_LIMIT_ADDRESS, login_limit_address, 100, 1, 1000000) \
	S(CORS_ALLOWED_ORIGINS, cors_allowed_origins, "", 0) \
	I(CACHE_TTL_SECONDS, cache_ttl_seconds, 300, 1, 86400) \
	I(SLOW_READ_MS, slow_read_ms, 1000, 1, 600000) \
	I(SLOW_WRITE_MS, slow_write_ms, 3000, 1, 600000) \
	I(WORKER_THREADS, worker_threads, 8, 1, 64) \
	S(UPLOAD_DIR, upload_dir, "/var/lib/table-order/uploads", 0) \
	S(LOG_DIR, log_dir, "/var/log/table-order", 0) \
	L(LOG_LEVEL, log_level, LOG_INFO) \
	S(RUN_DIR, run_dir, "/run/table-order", 0) \
	I(HISTORY_RETENTION_MONTHS, history_retention_months, 12, 0, 1200) \
	I(EVENT_RETENTION_HOURS, event_retention_hours, 72, 1, 87600) \
	S(SSE_LISTEN, sse_listen, "127.0.0.1:8090", 0) \
	I(SSE_HEARTBEAT_SECONDS, sse_heartbeat_seconds, 15, 1, 3600) \
	I(SSE_REPLAY_EVENTS, sse_replay_events, 1000, 1, 100000) \
	S(METRICS_ALLOW, metrics_allow, "127.0.0.0/8,::1/128", 0) \
	S(TRUSTED_PROXIES, trusted_proxies, "", 0) \
	I(ALLOW_UNENCRYPTED, allow_unencrypted, 0, 0, 1)

/* Every text is non-NULL and lives as long as the struct. Keys are PEM text. */
struct conf {
#define T(KEY, member, dflt, need) const char *member;
#define I(KEY, member, dflt, least, most) int64_t member;
#define L(KEY, member, dflt) enum log_level member;
	CONF_KEYS(T, T, T, I, L)
#undef T
#undef I
#undef L
	struct conf_text *texts;
};

/*
 * Reads the configuration. Every problem is one line on err: "file:line: KEY: what is wrong".
 * need: which keys must be set; strict: unknown keys are errors, not warnings.
 * Returns the number of errors; with any, c is good for conf_fini() and for listing what else is
 * wrong with its texts.
 */
int conf_load(struct conf *c, const char *path, unsigned need, bool strict, FILE *err);
void conf_fini(struct conf *c);
/* The path that programs use: TABLE_ORDER_ENV or the built-in one. */
const char *conf_path(void);

/* For fuzzing and tests: reads one line's key and value in place. 1: a pair; 0: blank or comment;
 * -1: not acceptable, *why says so. */
int conf_parse_line(char *line, const char **key, const char **value, const char **why);

#endif
