/* orderctl doctor: whether all is well, and what to do where it is not. */
#include "config.h"

#include "orderctl.h"

#include "doctor.h"

#include "arena.h"
#include "clock.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than any single wait in a look, so that it can say itself what does not answer. */
#define DEADLINE_US (8 * CLOCK_SECOND_US)
#define NEEDS 3

struct check {
	const char *name;
	doctor_look *look;
	const char *remedy;
	/* those that must not have failed, or there is nothing to see */
	const char *needs[NEEDS];
	const char *key;
	size_t at;
};

#define KEY(KEY, member) .key = #KEY, .at = offsetof(struct conf, member)
#define OWNER .needs = { "database-owner" }

#define DIRECTORY_REMEDY "make it, and give it to the programs' user"
#define DATABASE_REMEDY "start the database, or correct its URL; its log says more"
#define ENCRYPTION_REMEDY \
	"move it to a LUKS volume; or set ALLOW_UNENCRYPTED=1 if the disk encrypts itself or you " \
	"may do without"

static const struct check checks[] = {
	{ "configuration", look_configuration,
	    "`orderctl check-config` lists every problem; table-order.env(5) explains each key" },
	{ "secrets", look_secrets,
	    "they are for root and the programs' user: chown root:table-order, chmod 640" },
	{ "keys", look_keys,
	    "`orderctl keygen --rotate DIR` makes a pair that fits; then restart the programs" },
	{ "run-dir", look_directory, DIRECTORY_REMEDY, KEY(RUN_DIR, run_dir) },
	{ "log-dir", look_directory, DIRECTORY_REMEDY, KEY(LOG_DIR, log_dir) },
	{ "upload-dir", look_directory, DIRECTORY_REMEDY, KEY(UPLOAD_DIR, upload_dir) },
	{ "disk-space", look_disk_space,
	    "delete what is not needed or make the file system larger; `df -h` and `df -i` tell" },
	{ "logs", look_logs,
	    "start table-order-logrotate.service; its journal says why it did not rotate them",
	    KEY(LOG_DIR, log_dir) },

	{ "database", look_database, DATABASE_REMEDY, KEY(DATABASE_URL, database_url) },
	{ "database-owner", look_database, DATABASE_REMEDY,
	    KEY(DATABASE_OWNER_URL, database_owner_url) },
	{ "database-dispatcher", look_database, DATABASE_REMEDY,
	    KEY(DISPATCHER_DATABASE_URL, dispatcher_database_url) },
	{ "database-relay", look_database, DATABASE_REMEDY,
	    KEY(RELAY_DATABASE_URL, relay_database_url) },
	{ "database-version", look_version, "upgrade the database to PostgreSQL 15", OWNER },
	{ "database-commit", look_commit,
	    "see database-standby; does a standby hang, is the disk of the database full?",
	    .needs = { "database" } },
	{ "database-roles", look_roles, "run bootstrap.sql again: it sets the roles' attributes",
	    OWNER },
	{ "row-security", look_row_security,
	    "alter table NAME enable row level security, force row level security", OWNER },
	{ "schema", look_schema, "run `orderctl migrate`", OWNER },
	{ "database-clock", look_clock, "let chrony or systemd-timesyncd set both clocks", OWNER },
	{ "database-connections", look_connections,
	    "raise max_connections in postgresql.conf, or lower DB_POOL_SIZE", OWNER },
	{ "database-standby", look_standby,
	    "start the standby; " PAGE("failover") " says how replication is set up", OWNER },
	{ "database-checksums", look_checksums,
	    "stop the database and run `pg_checksums --enable -D DIR` once", OWNER },
	{ "history-months", look_history_months,
	    "run `orderctl maintenance`, and see that it runs every night", OWNER },
	{ "outbox", look_outbox,
	    "is the dispatcher running and RabbitMQ up? Then it drains by itself", OWNER },
	{ "dispatcher", look_dispatcher, "start outbox-dispatcher; its log says what it waits for",
	    OWNER },
	{ "maintenance", look_maintenance,
	    "run `orderctl maintenance`, and see that it runs every night", OWNER },

	{ "redis", look_redis, "start Redis, or correct REDIS_URL" },
	{ "redis-memory", look_redis_memory,
	    "set maxmemory (64mb will do) and maxmemory-policy allkeys-lru in redis.conf",
	    .needs = { "redis" } },
	{ "rabbitmq", look_rabbitmq, "start RabbitMQ, or correct RABBITMQ_URL" },
	{ "rabbitmq-exchange", look_exchange,
	    "restart outbox-dispatcher, which declares it, and then sse-relay",
	    .needs = { "rabbitmq" } },

	{ "sockets", look_sockets, "start the programs that are named, or those behind them" },
	{ "relay", look_relay, "start sse-relay; SSE_LISTEN says where it listens" },
	{ "programs", look_programs, "restart the programs that are named, one after the other" },
	{ "units", look_units,
	    "`journalctl -u UNIT` says why; start what is named, and a service that failed again" },
	{ "public-url", look_public_url,
	    "start the web server, or correct PUBLIC_URL; its error log says more" },
	{ "tls", look_tls, "renew the certificate, and have the web server read it" },
	{ "stream", look_stream, "see relay; the web server must pass streams on without buffering",
	    .needs = { "public-url", "keys", "database-owner" } },

	{ "encryption-data", look_data_encryption, ENCRYPTION_REMEDY, OWNER },
	{ "encryption-wal", look_wal_encryption, ENCRYPTION_REMEDY, OWNER },
	{ "encryption-uploads", look_upload_encryption, ENCRYPTION_REMEDY },
	{ "encryption-backups", look_backup_encryption, ENCRYPTION_REMEDY },
};

#define CHECK_COUNT (sizeof(checks) / sizeof(checks[0]))

static const char *const outcome_names[] = { "", "skipped", "ok", "warning", "failed" };

void
doctor_say(struct finding *f, enum outcome outcome, const char *format, ...)
{
	size_t n = strlen(f->seen);
	va_list args;

	if (outcome < f->outcome)
		return;
	if (outcome > f->outcome)
		n = 0;
	else if (n > 0)
		n += (size_t)snprintf(f->seen + n, sizeof(f->seen) - n, "; ");
	f->outcome = outcome;
	if (n >= sizeof(f->seen))
		return;
	va_start(args, format);
	vsnprintf(f->seen + n, sizeof(f->seen) - n, format, args);
	va_end(args);
}

void
doctor_remedy(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->remedy, sizeof(f->remedy), format, args);
	va_end(args);
}

/* --- one check, in a process of its own --------------------------------------------------------
 */

_Noreturn static void
look_and_exit(const struct check *c, struct doctor *d, int out)
{
	struct finding f = { .outcome = SEEN_NOTHING };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* what libraries log is no answer to the operator */
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	signal(SIGPIPE, SIG_IGN);
	if (c->key != NULL) {
		d->key = c->key;
		d->value = *(const char *const *)((const char *)d->conf + c->at);
	}
	c->look(d, &f);
	/* less than PIPE_BUF: all of it at once */
	_exit(write(out, &f, sizeof(f)) == (ssize_t)sizeof(f) ? 0 : 1);
}

/* Whether the finding came in time. */
static bool
read_finding(int in, struct finding *f)
{
	int64_t deadline_us = clock_mono_us() + DEADLINE_US, left_us;
	struct pollfd p = { in, POLLIN, 0 };

	while ((left_us = deadline_us - clock_mono_us()) > 0) {
		int ready = poll(&p, 1, (int)(left_us / 1000) + 1);

		if (ready == 1)
			return read(in, f, sizeof(*f)) == (ssize_t)sizeof(*f);
		if (ready == -1 && errno != EINTR)
			break;
	}
	doctor_say(f, SEEN_FAILED, "no answer within %d s", (int)(DEADLINE_US / CLOCK_SECOND_US));
	return true;
}

static void
examine(const struct check *c, struct doctor *d, struct finding *f)
{
	int ends[2], status;
	pid_t pid;

	fflush(NULL);
	if (pipe2(ends, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		doctor_say(f, SEEN_FAILED, "cannot look: %s", strerror(errno));
		return;
	}
	if (pid == 0)
		look_and_exit(c, d, ends[1]);
	close(ends[1]);
	if (!read_finding(ends[0], f))
		doctor_say(f, SEEN_FAILED, "the look itself broke off");
	close(ends[0]);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static size_t
place_of(const char *name)
{
	size_t i = 0;

	while (strcmp(checks[i].name, name) != 0)
		i++;
	return i;
}

/* The check that this one needs and that did not go well, or NULL. */
static const char *
missing_need(const struct check *c, const struct finding *findings)
{
	for (size_t i = 0; i < NEEDS && c->needs[i] != NULL; i++) {
		enum outcome outcome = findings[place_of(c->needs[i])].outcome;

		if (outcome == SEEN_FAILED || outcome == SEEN_SKIPPED)
			return c->needs[i];
	}
	return NULL;
}

/* What to do; NULL when there is nothing to be done. */
static const char *
remedy_of(const struct check *c, const struct finding *f)
{
	if (f->outcome == SEEN_OK)
		return NULL;
	if (f->remedy[0] != '\0')
		return f->remedy;
	return f->outcome == SEEN_SKIPPED ? NULL : c->remedy;
}

static void
print_finding(const struct check *c, const struct finding *f)
{
	const char *remedy = remedy_of(c, f);

	printf("%-8s %-20s %s\n", outcome_names[f->outcome], c->name, f->seen);
	if (remedy != NULL)
		printf("%-8s %-20s -> %s\n", "", "", remedy);
	fflush(stdout);
}

static void
examine_all(struct doctor *d, struct finding *findings, bool print)
{
	bool terminal = isatty(STDERR_FILENO) == 1;

	for (size_t i = 0; i < CHECK_COUNT; i++) {
		const char *need = missing_need(&checks[i], findings);

		if (terminal)
			fprintf(stderr, "\r\033[K%s ...", checks[i].name);
		if (need != NULL)
			doctor_say(&findings[i], SEEN_SKIPPED, "needs %s", need);
		else
			examine(&checks[i], d, &findings[i]);
		if (terminal)
			fputs("\r\033[K", stderr);
		if (print)
			print_finding(&checks[i], &findings[i]);
	}
}

static int
count(const struct finding *findings, enum outcome outcome)
{
	int n = 0;

	for (size_t i = 0; i < CHECK_COUNT; i++)
		n += findings[i].outcome == outcome;
	return n;
}

static void
print_json(const struct finding *findings)
{
	struct arena *a = arena_new(64 << 10);
	json_object *all = json_new_object(a), *list = json_new_array(a);

	for (size_t i = 0; i < CHECK_COUNT; i++) {
		const struct finding *f = &findings[i];
		const char *remedy = remedy_of(&checks[i], f);
		json_object *one = json_new_object(a);

		json_put_text(one, "name", checks[i].name);
		json_put_text(one, "status", outcome_names[f->outcome]);
		json_put_text(one, "seen", f->seen);
		if (remedy != NULL)
			json_put_text(one, "remedy", remedy);
		json_append(list, one);
	}
	json_put(all, "checks", list);
	json_put_int(all, "failed", count(findings, SEEN_FAILED));
	json_put_int(all, "warnings", count(findings, SEEN_WARNING));
	puts(json_text(a, all));
	arena_free(a);
}

static void
print_metrics(const struct finding *findings, FILE *out)
{
	fputs(
	    "# HELP table_order_doctor_failed Whether this check of orderctl doctor failed (1) or "
	    "not (0).\n"
	    "# TYPE table_order_doctor_failed gauge\n",
	    out);
	for (size_t i = 0; i < CHECK_COUNT; i++)
		fprintf(out, "table_order_doctor_failed{check=\"%s\"} %d\n", checks[i].name,
		    findings[i].outcome == SEEN_FAILED);
	fprintf(out,
	    "# HELP table_order_doctor_last_run_timestamp_seconds When orderctl doctor looked.\n"
	    "# TYPE table_order_doctor_last_run_timestamp_seconds gauge\n"
	    "table_order_doctor_last_run_timestamp_seconds %" PRId64 "\n",
	    clock_wall_us() / CLOCK_SECOND_US);
}

/* For node_exporter, which reads *.prom: all of it at once, and for everybody to read. */
static int
write_metrics(const struct finding *findings, const char *path)
{
	char new[PATH_MAX];
	FILE *out = NULL;
	bool good = false;
	int fd = -1;

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new))
		return ctl_fail("%s cannot be written: %s", path, strerror(ENAMETOOLONG));
	/* new, and no link that somebody put there */
	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd != -1)
		out = fdopen(fd, "w");
	if (out != NULL) {
		print_metrics(findings, out);
		good = ferror(out) == 0 && fchmod(fd, 0644) == 0;
		good = fclose(out) == 0 && good && rename(new, path) == 0;
	}
	if (good)
		return CTL_OK;
	ctl_fail("%s cannot be written: %s", path, strerror(errno));
	unlink(new);
	return CTL_FAILED;
}

static void
print_failed(const struct finding *findings)
{
	for (size_t i = 0; i < CHECK_COUNT; i++)
		if (findings[i].outcome == SEEN_FAILED)
			print_finding(&checks[i], &findings[i]);
}

/* How it is told: metrics is the file to write, or NULL. */
struct form {
	bool json;
	const char *metrics;
};

static int
run(const struct conf *c, const char *problems, const struct form *form)
{
	static struct finding findings[CHECK_COUNT];
	struct doctor d = { .conf = c, .problems = problems };
	bool print = !form->json && form->metrics == NULL;
	int failed;

	doctor_find_user(&d);
	examine_all(&d, findings, print);
	failed = count(findings, SEEN_FAILED);
	if (form->json)
		print_json(findings);
	else if (print)
		printf("\n%d ok, %d with a warning, %d failed, %d skipped\n",
		    count(findings, SEEN_OK), count(findings, SEEN_WARNING), failed,
		    count(findings, SEEN_SKIPPED));
	else
		print_failed(findings);
	if (form->metrics != NULL && write_metrics(findings, form->metrics) != CTL_OK)
		return CTL_FAILED;
	return failed > 0 ? CTL_FAILED : CTL_OK;
}

int
ctl_doctor(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
		{ "metrics", required_argument, NULL, 'm' }, { 0 } };
	char *problems = NULL;
	size_t size;
	FILE *err;
	struct conf c;
	struct form form = { false, NULL };
	int option, result;

	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == 'j')
			form.json = true;
		else if (option == 'm')
			form.metrics = optarg;
		else
			return ctl_usage("doctor", "wrong option '%s'", argv[optind - 1]);
	}
	if (optind != argc)
		return ctl_usage("doctor", "unexpected '%s'", argv[optind]);
	err = open_memstream(&problems, &size);
	if (err == NULL)
		abort();
	/* with what can be read of a bad configuration the rest is looked at all the same */
	conf_load(&c, conf_path(), CONF_EVERYTHING, true, err);
	fclose(err);
	result = run(&c, problems, &form);
	free(problems);
	conf_fini(&c);
	return result;
}
