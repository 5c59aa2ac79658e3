/* doctor: the configuration, the files and directories that it names, who may read and write them.
 */
#include "config.h"

#include "doctor.h"

#include "arena.h"
#include "token.h"
#include "uuid.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_SECONDS 60
/* Little is left: a tenth, unless that is much. Too little: a thirtieth, and less than 1 GB. */
#define LITTLE_PERCENT 10
#define LITTLE_MB 5000
#define TOO_LITTLE_PERCENT 3
#define TOO_LITTLE_MB 1000
/* Logs are rotated each day and, looked at each hour, at 100 MB. */
#define LOG_FAILED_MB 300
#define LOG_FAILED_HOURS 50

/* --- configuration and secrets -----------------------------------------------------------------
 */

void
look_configuration(const struct doctor *d, struct finding *f)
{
	const char *first = d->problems;
	size_t n = strcspn(first, "\n");
	int more = 0;

	if (*first == '\0') {
		doctor_say(f, SEEN_OK, "%s", conf_path());
		return;
	}
	for (const char *p = first + n; *p != '\0'; p++)
		more += *p == '\n' && p[1] != '\0';
	doctor_say(f, SEEN_FAILED, "%.*s", (int)n, first);
	if (more > 0)
		doctor_say(f, SEEN_FAILED, "and %d more", more);
	if (access(conf_path(), R_OK) == -1 && errno == EACCES)
		doctor_remedy(
		    f, "run this as root: what follows was seen without its configuration");
}

/* Puts on the programs' user for good, if that is not us already. Returns 0, or -1: not ours to do,
 * which has been said. */
static int
become_user(const struct doctor *d, struct finding *f)
{
	if (d->uid == (uid_t)-1) {
		doctor_say(f, SEEN_SKIPPED, "it is not known who the programs run as");
		doctor_remedy(f, "make RUN_DIR, and give it to the programs' user");
		return -1;
	}
	if (geteuid() == d->uid)
		return 0;
	if (geteuid() != 0) {
		doctor_say(f, SEEN_SKIPPED, "the programs run as %s, and this does not", d->user);
		doctor_remedy(f, "run this as root or as %s", d->user);
		return -1;
	}
	if (initgroups(d->user, d->gid) == -1 || setgid(d->gid) == -1 || setuid(d->uid) == -1) {
		doctor_say(f, SEEN_FAILED, "cannot become %s: %s", d->user, strerror(errno));
		return -1;
	}
	return 0;
}

static void
check_secret(
    const struct doctor *d, struct finding *f, const char *key, const char *path, bool is_secret)
{
	struct stat st;
	const char *wrong = NULL;
	const char *mode = is_secret ? "640" : "644";

	if (stat(path, &st) == -1) {
		doctor_say(f, SEEN_FAILED, "%s: %s: %s", key, path, strerror(errno));
		doctor_remedy(f, "put the file there, or correct %s", key);
		return;
	}
	if (is_secret && (st.st_mode & S_IROTH) != 0)
		wrong = "everybody can read it";
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		wrong = "others than its owner can change it";
	else if (st.st_uid != 0 && d->uid != (uid_t)-1 && st.st_uid != d->uid)
		wrong = "it belongs neither to root nor to the programs' user";
	if (wrong == NULL)
		return;
	doctor_say(f, SEEN_FAILED, "%s: %s", path, wrong);
	doctor_remedy(f, "chown root:%s FILE && chmod %s FILE", d->user, mode);
}

/* What the configuration file says of a key, NULL when nothing. */
static char *
value_in_file(const char *wanted)
{
	FILE *file = fopen(conf_path(), "re");
	const char *key, *value, *why;
	char *line = NULL, *found = NULL;
	size_t size = 0;

	while (file != NULL && found == NULL && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (conf_parse_line(line, &key, &value, &why) == 1 && strcmp(key, wanted) == 0)
			found = strdup(value);
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return found;
}

typedef void secret_look(
    const struct doctor *d, struct finding *f, const char *key, const char *path, bool is_secret);

/* The configuration's own file and those that it names for single secrets: conf_load() has read
 * them and keeps no paths. */
static void
for_each_file(secret_look *look, const struct doctor *d, struct finding *f)
{
#define NONE(...)
#define NAME(KEY, ...) #KEY "_FILE",
	static const char *const keys[] = { CONF_KEYS(NONE, NAME, NAME, NONE, NONE) };
#undef NONE
#undef NAME

	if (access(conf_path(), F_OK) == 0)
		look(d, f, "TABLE_ORDER_ENV", conf_path(), true);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *path = getenv(keys[i]);

		if (path == NULL)
			path = value_in_file(keys[i]);
		if (path != NULL && *path != '\0')
			look(d, f, keys[i], path, strcmp(keys[i], "JWT_PUBLIC_KEYS_FILE") != 0);
	}
}

/* As the programs' user. */
static void
try_reading(
    const struct doctor *d, struct finding *f, const char *key, const char *path, bool is_secret)
{
	(void)is_secret;
	if (access(path, R_OK) == 0)
		return;
	doctor_say(
	    f, SEEN_FAILED, "%s: %s cannot read %s: %s", key, d->user, path, strerror(errno));
	doctor_remedy(f, "chgrp %s %s && chmod 640 %s", d->user, path, path);
}

void
look_secrets(const struct doctor *d, struct finding *f)
{
	struct finding as_user = { .outcome = SEEN_NOTHING };

	for_each_file(check_secret, d, f);
	if (f->outcome == SEEN_FAILED || become_user(d, f) == -1)
		return;
	for_each_file(try_reading, d, &as_user);
	if (as_user.outcome == SEEN_FAILED)
		*f = as_user;
	else
		doctor_say(f, SEEN_OK, "%s can read them, and nobody else but root", d->user);
}

void
look_keys(const struct doctor *d, struct finding *f)
{
	struct arena *a = arena_new(16 << 10);
	int64_t now_s = time(NULL);
	struct claims back,
	    claims = { .role = ROLE_SUPER_ADMIN,
		    .subject = "admin:1",
		    .iat = now_s,
		    .exp = now_s + TOKEN_SECONDS };
	char *wrong = NULL, *token;
	size_t size;
	FILE *err = open_memstream(&wrong, &size);
	struct tokens *t = err != NULL ? tokens_new(d->conf, err) : NULL;

	if (err == NULL || fclose(err) == EOF)
		abort();
	if (t == NULL) {
		doctor_say(f, SEEN_FAILED, "%.*s", (int)strcspn(wrong, "\n"), wrong);
		return;
	}
	if (d->conf->jwt_private_key[0] == '\0') {
		doctor_say(f, SEEN_FAILED, "there is no JWT_PRIVATE_KEY that may be used");
		doctor_remedy(f, "see configuration; without one nobody can log in");
		return;
	}
	memcpy(claims.jti, uuid_new(a), UUID_LENGTH + 1);
	token = tokens_sign(t, a, &claims);
	if (token == NULL || tokens_verify(t, token, now_s, &back) != TOKEN_OK ||
	    strcmp(back.jti, claims.jti) != 0)
		doctor_say(f, SEEN_FAILED, "a token that was signed does not verify");
	else
		doctor_say(f, SEEN_OK, "a token that the private key signed verifies");
}

/* --- directories -------------------------------------------------------------------------------
 */

void
look_directory(const struct doctor *d, struct finding *f)
{
	struct stat st;

	doctor_remedy(f, "install -d -o %s -g %s -m 750 %s", d->user, d->user, d->value);
	if (stat(d->value, &st) == -1 || !S_ISDIR(st.st_mode)) {
		doctor_say(f, SEEN_FAILED, "%s: %s is no directory", d->key, d->value);
		return;
	}
	if ((st.st_mode & S_IWOTH) != 0) {
		doctor_say(f, SEEN_FAILED, "%s: %s: everybody can write there", d->key, d->value);
		doctor_remedy(f, "chmod o-w %s", d->value);
		return;
	}
	if (become_user(d, f) == -1)
		return;
	if (access(d->value, W_OK | X_OK) == -1)
		doctor_say(f, SEEN_FAILED, "%s: %s cannot write in %s: %s", d->key, d->user,
		    d->value, strerror(errno));
	else
		doctor_say(f, SEEN_OK, "%s, which %s can write", d->value, d->user);
}

static void
check_space(struct finding *f, const char *dir)
{
	struct statvfs v;
	uint64_t free_mb, percent, files;

	if (statvfs(dir, &v) == -1) {
		doctor_say(f, SEEN_SKIPPED, "%s: %s", dir, strerror(errno));
		return;
	}
	free_mb = (uint64_t)v.f_bavail * v.f_frsize >> 20;
	percent = v.f_blocks > 0 ? (uint64_t)v.f_bavail * 100 / v.f_blocks : 100;
	/* some file systems do not count them */
	files = v.f_files > 0 ? (uint64_t)v.f_favail * 100 / v.f_files : 100;
	doctor_say(f,
	    (percent < TOO_LITTLE_PERCENT && free_mb < TOO_LITTLE_MB) || files < TOO_LITTLE_PERCENT
		? SEEN_FAILED
		: (percent < LITTLE_PERCENT && free_mb < LITTLE_MB) || files < LITTLE_PERCENT
		? SEEN_WARNING
		: SEEN_OK,
	    "%s: %llu MB free (%llu %%), %llu %% of the files", dir, (unsigned long long)free_mb,
	    (unsigned long long)percent, (unsigned long long)files);
}

void
look_disk_space(const struct doctor *d, struct finding *f)
{
	struct finding aside = { .outcome = SEEN_NOTHING };
	char data[PATH_MAX];

	if (doctor_find_data(d, &aside, data))
		check_space(f, data);
	check_space(f, d->conf->run_dir);
	check_space(f, d->conf->log_dir);
	check_space(f, d->conf->upload_dir);
}

/* When the first line of a log was written; -1 when it is none of ours. */
static time_t
begin_of(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[64] = "";
	struct tm t = { 0 };

	if (file == NULL)
		return -1;
	if (fgets(line, sizeof(line), file) == NULL)
		*line = '\0';
	fclose(file);
	return strptime(line, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &t) != NULL ? timegm(&t) : -1;
}

static void
look_at_log(struct finding *f, const char *path)
{
	time_t begin = begin_of(path);
	struct stat st;
	long long hours = begin != -1 ? (long long)(time(NULL) - begin) / 3600 : 0;

	if (stat(path, &st) == -1)
		return;
	if (st.st_size >> 20 >= LOG_FAILED_MB)
		doctor_say(f, SEEN_FAILED, "%s has %lld MB", path, (long long)st.st_size >> 20);
	else if (hours >= LOG_FAILED_HOURS)
		doctor_say(f, SEEN_FAILED, "%s goes back %lld hours", path, hours);
}

void
look_logs(const struct doctor *d, struct finding *f)
{
	DIR *dir = opendir(d->value);
	const struct dirent *e;
	char path[4096];
	size_t count = 0;

	if (dir == NULL) {
		doctor_say(f, SEEN_SKIPPED, "%s: %s", d->value, strerror(errno));
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		const char *end = strrchr(e->d_name, '.');

		if (end == NULL || strcmp(end, ".log") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", d->value, e->d_name);
		look_at_log(f, path);
		count++;
	}
	closedir(dir);
	if (f->outcome == SEEN_NOTHING)
		doctor_say(f, SEEN_OK, "none of %zu is overdue for its rotation", count);
}
