/* Files of pictures that no menu names: a process died between file and commit, or after the commit
 * and before it removed what was replaced. */
#include "config.h"

#include "orderctl.h"

#include "arena.h"
#include "http.h"
#include "uuid.h"

#include "sql/orderctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A request that is at work may have written a file, and not yet committed the row that names it.
 * It is over after little more than a minute. */
#define AGE_SECONDS 3600

#define BATCH 500
#define NAME_SIZE (UUID_LENGTH + 1 + 4 + 1)

struct sweep {
	PGconn *db;
	const char *path;
	int dir;
	bool dry;
	/* the names of files that may go, as an array of PostgreSQL's: {name,name} */
	char names[BATCH * NAME_SIZE + 2];
	int count;
	size_t size;
	int64_t gone; /* -1: it failed */
};

/* As the menu service names them: a UUID in lower case, and the ending of a format. */
static bool
is_ours(const char *name)
{
	char id[UUID_LENGTH + 1];
	const char *ending = name + UUID_LENGTH + 1;
	size_t n;

	if (strspn(name, "0123456789abcdef-") != UUID_LENGTH || name[UUID_LENGTH] != '.')
		return false;
	memcpy(id, name, UUID_LENGTH);
	id[UUID_LENGTH] = '\0';
	n = strspn(ending, "abcdefghijklmnopqrstuvwxyz");
	return http_is_uuid(id) && (n == 3 || n == 4) && ending[n] == '\0';
}

/* A regular file that is old enough. */
static bool
may_go(const struct sweep *s, const char *name)
{
	struct stat st;

	return is_ours(name) && fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_mtime < time(NULL) - AGE_SECONDS;
}

static void
remove_file(struct sweep *s, const char *name)
{
	if (!s->dry && unlinkat(s->dir, name, 0) == -1 && errno != ENOENT) {
		ctl_fail("%s/%s: %s; run this as the account of the services", s->path, name,
		    strerror(errno));
		s->gone = -1;
	} else if (s->gone != -1) {
		s->gone++;
	}
}

/* Removes what no menu names of the names gathered. They were written long ago, so that no menu
 * will: the question comes after the look at the directory. */
static void
remove_batch(struct sweep *s)
{
	const char *const values[] = { s->names };
	PGresult *r;

	if (s->count == 0 || s->gone == -1)
		return;
	s->names[0] = '{';
	memcpy(s->names + s->size, "}", 2);
	r = ctl_run(s->db, &SQL_FILES_UNNAMED, values);
	if (r == NULL)
		s->gone = -1;
	for (int i = 0; i < PQntuples(r); i++)
		remove_file(s, PQgetvalue(r, i, 0));
	PQclear(r);
	s->count = 0;
	s->size = 0;
}

static void
add_name(struct sweep *s, const char *name)
{
	size_t n = strlen(name);

	s->names[s->size++] = ',';
	memcpy(s->names + s->size, name, n);
	s->size += n;
	if (++s->count == BATCH)
		remove_batch(s);
}

static void
sweep(struct sweep *s, DIR *d)
{
	const struct dirent *e;

	s->dir = dirfd(d);
	errno = 0;
	while (s->gone != -1 && (e = readdir(d)) != NULL) {
		if (may_go(s, e->d_name))
			add_name(s, e->d_name);
		errno = 0;
	}
	if (s->gone != -1 && errno != 0) {
		ctl_fail("%s: %s", s->path, strerror(errno));
		s->gone = -1;
	}
	remove_batch(s);
}

int64_t
ctl_orphans(PGconn *db, const char *dir, bool dry)
{
	struct sweep s = { .db = db, .path = dir, .dry = dry };
	DIR *d = opendir(dir);

	if (d == NULL) {
		ctl_fail("%s: %s; UPLOAD_DIR in %s must name the directory of the pictures", dir,
		    strerror(errno), conf_path());
		return -1;
	}
	sweep(&s, d);
	closedir(d);
	return s.gone;
}
