/*
 * doctor: what orderctl doctor looks at. Each look is a function that says what
 * it saw in a finding. It runs in a process of its own, which is ended when it
 * takes too long: it may block, change its user, and leave behind what it likes.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "conf.h"
#include "pg.h"

#include <libpq-fe.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One of the operator's pages, where it is installed. */
#define PAGE(name) DOCDIR "/operations/" name ".md"

/* From harmless to grave. */
enum outcome { SEEN_NOTHING, SEEN_SKIPPED, SEEN_OK, SEEN_WARNING, SEEN_FAILED };

struct finding {
	enum outcome outcome;
	char seen[800];
	char remedy[400];
};

/* What is looked at. */
struct doctor {
	const struct conf *conf;
	const char *problems; /* of the configuration, a line each; "" */
	/* who the programs run as; -1 when that is not known */
	uid_t uid;
	gid_t gid;
	char user[64];
	/* the key that the check is about, and its value */
	const char *key;
	const char *value;
};

typedef void doctor_look(const struct doctor *d, struct finding *f);

/* Says what was seen. The gravest of several counts, and those of one gravity are listed. */
void doctor_say(struct finding *f, enum outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What to do, where the table of checks does not say it well enough. */
void doctor_remedy(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- doctor_files.c: the configuration, what it names, who may read and write it --- */

doctor_look look_configuration, look_secrets, look_keys, look_directory, look_disk_space, look_logs;

/* --- doctor_database.c --- */

doctor_look look_database, look_version, look_commit, look_roles, look_row_security, look_schema,
    look_clock, look_connections, look_standby, look_checksums, look_history_months, look_outbox,
    look_dispatcher, look_maintenance;

/* A connection, with a short deadline; NULL when there is none, which has been said. */
PGconn *doctor_connect(const char *key, const char *url, struct finding *f);
/* The one row of a statement; NULL when it failed, which has been said. */
PGresult *doctor_row(PGconn *db, const struct sql *s, const char *const *values, struct finding *f);

/* --- doctor_servers.c: Redis, RabbitMQ, and what a guest sees --- */

doctor_look look_redis, look_redis_memory, look_rabbitmq, look_exchange, look_relay,
    look_public_url, look_tls, look_stream;

/* --- doctor_programs.c --- */

doctor_look look_sockets, look_programs, look_units;

/* Who the programs run as: of one that runs, else the owner of RUN_DIR. */
void doctor_find_user(struct doctor *d);

/* --- doctor_encryption.c: encryption at rest --- */

/* The database's directory; false when it cannot be seen from here, which has been said. */
bool doctor_find_data(const struct doctor *d, struct finding *f, char dir[PATH_MAX]);

doctor_look look_data_encryption, look_wal_encryption, look_upload_encryption,
    look_backup_encryption;

#endif
