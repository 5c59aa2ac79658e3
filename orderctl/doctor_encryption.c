/* doctor: encryption at rest: the database's data and WAL, the pictures, the backups. */
#include "config.h"

#include "doctor.h"

#include "encrypted.h"

#include "sql/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKUP_CONF "/etc/pgbackrest/pgbackrest.conf"
#define BACKUP_CONF_DIR "/etc/pgbackrest/conf.d"
#define OLD_BACKUP_CONF "/etc/pgbackrest.conf"
#define REPOSITORIES 4

/* What is not encrypted, or not known to be, is a failure unless it is allowed. */
static void
say_bare(const struct doctor *d, struct finding *f, const char *path, const char *why)
{
	doctor_say(f, d->conf->allow_unencrypted ? SEEN_WARNING : SEEN_FAILED,
	    "%s is not encrypted (%s)", path, why);
}

static void
judge(const struct doctor *d, struct finding *f, const char *path)
{
	char why[ENCRYPTED_WHY_SIZE] = "";
	int result = encrypted_path("", path, why);

	if (result == -1 && errno == EACCES) {
		doctor_say(f, SEEN_SKIPPED, "%s may not be seen", path);
		doctor_remedy(f, "run this as root");
	} else if (result == -1) {
		say_bare(d, f, path, strerror(errno));
	} else if (result == ENCRYPTED_ELSEWHERE) {
		doctor_say(f, SEEN_SKIPPED, "%s is on another host: %s", path, why);
		doctor_remedy(f, "see there that its disk is a LUKS volume: `lsblk`");
	} else if (result == 0) {
		say_bare(d, f, path, why);
	} else {
		doctor_say(f, SEEN_OK, "%s: %s", path, why);
	}
}

bool
doctor_find_data(const struct doctor *d, struct finding *f, char dir[PATH_MAX])
{
	PGconn *db = doctor_connect("DATABASE_OWNER_URL", d->conf->database_owner_url, f);
	PGresult *r = db != NULL ? doctor_row(db, &SQL_DOCTOR_DATA_DIRECTORY, NULL, f) : NULL;
	char process[64], version[PATH_MAX];
	ssize_t n;

	if (r == NULL)
		return false;
	if (strcmp(PQgetvalue(r, 0, 0), "t") != 0) {
		doctor_say(f, SEEN_SKIPPED, "the database is on %s, and cannot be seen from here",
		    PQgetvalue(r, 0, 3));
		doctor_remedy(
		    f, "see there that the data, WAL and backups are on LUKS volumes: `lsblk`");
		return false;
	}
	/* only some roles may know the setting, but a server process works in its data directory */
	snprintf(process, sizeof(process), "/proc/%.12s/cwd", PQgetvalue(r, 0, 1));
	n = readlink(process, dir, PATH_MAX - 1);
	if (!PQgetisnull(r, 0, 2))
		n = snprintf(dir, PATH_MAX, "%s", PQgetvalue(r, 0, 2));
	dir[n > 0 ? n : 0] = '\0';
	snprintf(version, sizeof(version), "%.4000s/PG_VERSION", dir);
	if (access(version, F_OK) == 0)
		return true;
	doctor_say(f, SEEN_SKIPPED, "the directory of the database may not be seen");
	doctor_remedy(f, "run this as root, on the host of the database");
	return false;
}

void
look_data_encryption(const struct doctor *d, struct finding *f)
{
	char data[PATH_MAX], path[PATH_MAX];
	struct dirent *e;
	DIR *spaces;

	if (!doctor_find_data(d, f, data))
		return;
	judge(d, f, data);
	snprintf(path, sizeof(path), "%.4000s/pg_tblspc", data);
	spaces = opendir(path);
	while (spaces != NULL && (e = readdir(spaces)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.3000s/pg_tblspc/%s", data, e->d_name);
		judge(d, f, path);
	}
}

void
look_wal_encryption(const struct doctor *d, struct finding *f)
{
	char data[PATH_MAX], path[PATH_MAX];

	if (!doctor_find_data(d, f, data))
		return;
	snprintf(path, sizeof(path), "%.4000s/pg_wal", data);
	judge(d, f, path);
}

void
look_upload_encryption(const struct doctor *d, struct finding *f)
{
	judge(d, f, d->conf->upload_dir);
}

/* --- backups -----------------------------------------------------------------------------------
 */

/* What pgBackRest's configuration says. */
struct backups {
	struct repository {
		char path[PATH_MAX];
		char cipher[64];
		bool named;
		bool is_remote;
	} repositories[REPOSITORIES];
	bool has_stanza; /* or there is only what the package came with */
};

static void
read_line(struct backups *b, const char *line)
{
	char option[64], value[PATH_MAX];
	struct repository *r;
	unsigned n;

	if (line[0] == '[' && strncmp(line, "[global", 7) != 0)
		b->has_stanza = true;
	if (sscanf(line, " repo%u-%63[a-z0-9-] = %4095s", &n, option, value) != 3 || n < 1 ||
	    n > REPOSITORIES)
		return;
	r = &b->repositories[n - 1];
	r->named = true;
	if (strcmp(option, "path") == 0)
		snprintf(r->path, sizeof(r->path), "%s", value);
	else if (strcmp(option, "cipher-type") == 0)
		snprintf(r->cipher, sizeof(r->cipher), "%.60s", value);
	else if (strcmp(option, "host") == 0 ||
	    (strcmp(option, "type") == 0 && strcmp(value, "posix") != 0))
		r->is_remote = true;
}

/* Returns 0, or -1 and errno. */
static int
read_file(struct backups *b, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (file == NULL)
		return -1;
	while (getline(&line, &size, file) > 0)
		read_line(b, line);
	free(line);
	fclose(file);
	return 0;
}

/* From where pgBackRest has it. Returns 0, or -1 and errno, and the file that it failed on. */
static int
read_backups(struct backups *b, const char **path)
{
	glob_t more;
	int result;

	*path = getenv("PGBACKREST_CONFIG");
	if (*path != NULL)
		return read_file(b, *path);
	*path = BACKUP_CONF;
	result = read_file(b, *path);
	if (result == -1 && errno == ENOENT) {
		*path = OLD_BACKUP_CONF;
		result = read_file(b, *path);
	}
	if (result == 0 && glob(BACKUP_CONF_DIR "/*.conf", 0, NULL, &more) == 0) {
		for (size_t i = 0; i < more.gl_pathc; i++)
			read_file(b, more.gl_pathv[i]);
		globfree(&more);
	}
	return result;
}

static void
judge_repository(
    const struct doctor *d, struct finding *f, const struct repository *r, size_t number)
{
	if (r->cipher[0] != '\0' && strcmp(r->cipher, "none") != 0)
		doctor_say(f, SEEN_OK, "repo%zu: %s", number, r->cipher);
	else if (r->is_remote)
		say_bare(d, f, "the repository elsewhere", "no repo-cipher-type");
	else
		judge(d, f, r->path[0] != '\0' ? r->path : "/var/lib/pgbackrest");
}

void
look_backup_encryption(const struct doctor *d, struct finding *f)
{
	static struct backups b;
	const char *path;
	int result = read_backups(&b, &path);

	if (result == -1 && errno == EACCES) {
		doctor_say(f, SEEN_SKIPPED, "%s may not be read", path);
		doctor_remedy(f, "run this as root");
		return;
	}
	/* There is nothing that lies in the clear; that there is no backup at all is for alerts to
	 * say, too, since another host may make it. */
	if (result == -1 || !b.has_stanza) {
		doctor_say(f, SEEN_WARNING, "no backup is set up on this host: %s: %s", path,
		    result == -1 ? strerror(errno) : "no stanza");
		doctor_remedy(f,
		    "set up pgBackRest, unless the database's host makes the backups "
		    "(" PAGE("backup") ")");
		return;
	}
	for (size_t i = 0; i < REPOSITORIES; i++)
		if (b.repositories[i].named)
			judge_repository(d, f, &b.repositories[i], i + 1);
	if (f->outcome == SEEN_NOTHING)
		judge(d, f, "/var/lib/pgbackrest");
}
