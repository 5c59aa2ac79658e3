/*
 * orderctl: what its commands share. A command says each of its errors in one
 * line on standard error, with what to do about it.
 */
#ifndef ORDERCTL_H
#define ORDERCTL_H

#include "conf.h"
#include "pg.h"

#include <libpq-fe.h>

/* What orderctl answers to its caller. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1, /* something is wrong outside: configuration, a server, data */
	CTL_USAGE = 2,  /* the command line is wrong */
};

struct command {
	const char *name;
	const char *arguments;
	const char *about;  /* one line */
	const char *detail; /* what `help NAME` adds */
	/* argv[0] is the command's name; returns one of the above */
	int (*run)(int argc, char **argv);
};

int ctl_after_restore(int argc, char **argv);
int ctl_check_config(int argc, char **argv);
int ctl_create_super_admin(int argc, char **argv);
int ctl_doctor(int argc, char **argv);
int ctl_keygen(int argc, char **argv);
int ctl_maintenance(int argc, char **argv);
int ctl_migrate(int argc, char **argv);
int ctl_outbox(int argc, char **argv);
int ctl_seed_demo(int argc, char **argv);
int ctl_setup(int argc, char **argv);

/* Says "orderctl: …" on standard error; returns CTL_FAILED. */
int ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a wrong command line, naming the command's help; returns CTL_USAGE. */
int ctl_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads the configuration; returns the number of problems, each said. conf_fini() in any case. */
int ctl_conf(struct conf *c, unsigned need);

/*
 * Connects as the owner. An operator's connection takes no slot of the services' pool: it must work
 * when the pool is exhausted and before RUN_DIR exists. NULL when that failed, which has been said.
 * The caller calls PQfinish.
 */
PGconn *ctl_connect(const struct conf *c);
/* Runs a statement; values as text, NULL for null. NULL when it failed, which has been said; else
 * the caller clears the result. */
PGresult *ctl_run(PGconn *db, const struct sql *s, const char *const *values);
/* Whether a statement named name went well: 0, or -1, which has been said. */
int ctl_check(PGconn *db, const PGresult *r, const char *name);
/* Runs a command without parameters or result. Returns 0, or -1, which has been said. */
int ctl_run_text(PGconn *db, const char *command);

/*
 * Removes from the directory dir pictures that no menu names and that are older than an hour:
 * regular files of the menu service's naming and no others. dry: only counts them. Returns their
 * number, or -1 when something failed, which has been said.
 */
int64_t ctl_orphans(PGconn *db, const char *dir, bool dry);

#endif
