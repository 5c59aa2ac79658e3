/* doctor: the programs: do they answer on their sockets, and is what runs what is installed? */
#include "config.h"

#include "doctor.h"

#include "clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_US (4 * CLOCK_SECOND_US)
#define PROCESSES 64

/* SERVICES and DAEMONS: made by the build of what it builds. */
static const char *const services[] = { SERVICES };
static const char *const daemons[] = { DAEMONS };

#define SERVICE_COUNT (sizeof(services) / sizeof(services[0]))
#define DAEMON_COUNT (sizeof(daemons) / sizeof(daemons[0]))

/* --- sockets -----------------------------------------------------------------------------------
 */

/* FCGI_GET_VALUES of FCGI_MAX_CONNS (FastCGI 1.0, 4.1) is answered before there is a request: it
 * costs nothing, is in no log, and needs a thread that accepts. libfcgi takes it for a stream,
 * which the empty record behind it ends. */
static const unsigned char question[] = { 1, 9, 0, 0, 0, 16, 0, 0, 14, 0, 'F', 'C', 'G', 'I', '_',
	'M', 'A', 'X', '_', 'C', 'O', 'N', 'N', 'S', 1, 9, 0, 0, 0, 0, 0, 0 };
#define ANSWER_TYPE 10

static int
open_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	if (strlen(path) >= sizeof(a.sun_path)) {
		close(fd);
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a.sun_path, path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    write(fd, question, sizeof(question)) == (ssize_t)sizeof(question))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Asks all that let us in at once; returns how many there are. */
static size_t
ask_services(const struct doctor *d, struct finding *f, struct pollfd *polls)
{
	size_t missing = 0;
	char path[4096];

	for (size_t i = 0; i < SERVICE_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s.sock", d->conf->run_dir, services[i]);
		polls[i] = (struct pollfd) { .fd = open_socket(path), .events = POLLIN };
		if (polls[i].fd != -1)
			continue;
		missing += errno == ENOENT;
		/* EAGAIN: its queue is full */
		doctor_say(f, SEEN_FAILED, "%s: %s", path,
		    errno == EAGAIN ? "it does not accept" : strerror(errno));
	}
	return SERVICE_COUNT - missing;
}

static void
read_answers(struct finding *f, struct pollfd *polls)
{
	int64_t deadline_us = clock_mono_us() + ANSWER_US, left_us;
	unsigned char answer[512];

	while ((left_us = deadline_us - clock_mono_us()) > 0) {
		size_t waiting = 0;

		for (size_t i = 0; i < SERVICE_COUNT; i++) {
			if (polls[i].fd == -1)
				continue;
			waiting++;
			if (polls[i].revents == 0)
				continue;
			if (read(polls[i].fd, answer, sizeof(answer)) < 8 ||
			    answer[1] != ANSWER_TYPE)
				doctor_say(
				    f, SEEN_FAILED, "%s gives no FastCGI answer", services[i]);
			polls[i].fd = -1;
			waiting--;
		}
		if (waiting == 0)
			return;
		poll(polls, SERVICE_COUNT, (int)(left_us / 1000) + 1);
	}
	for (size_t i = 0; i < SERVICE_COUNT; i++)
		if (polls[i].fd != -1)
			doctor_say(f, SEEN_FAILED, "%s does not answer within %d s", services[i],
			    (int)(ANSWER_US / CLOCK_SECOND_US));
}

void
look_sockets(const struct doctor *d, struct finding *f)
{
	struct pollfd polls[SERVICE_COUNT];

	if (ask_services(d, f, polls) == 0) {
		*f = (struct finding) { .outcome = SEEN_NOTHING };
		doctor_say(f, SEEN_SKIPPED, "no program has a socket in %s", d->conf->run_dir);
		doctor_remedy(f,
		    "that is right where the web server starts them itself (mod_fcgid, CGI); "
		    "else start them");
		return;
	}
	read_answers(f, polls);
	if (f->outcome == SEEN_NOTHING)
		doctor_say(f, SEEN_OK, "all %zu programs answer", SERVICE_COUNT);
}

/* --- processes ---------------------------------------------------------------------------------
 */

/* The processes that hold a lock on this file. */
static size_t
holders_of(ino_t inode, pid_t *pids, size_t room)
{
	FILE *locks = fopen("/proc/locks", "re");
	char *line = NULL;
	size_t size = 0, n = 0;

	while (locks != NULL && n < room && getline(&line, &size, locks) > 0) {
		intmax_t pid;
		uintmax_t held;

		/* 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF */
		if (sscanf(line, "%*s FLOCK %*s %*s %jd %*x:%*x:%ju", &pid, &held) == 2 &&
		    pid > 0 && held == inode)
			pids[n++] = (pid_t)pid;
	}
	free(line);
	if (locks != NULL)
		fclose(locks);
	return n;
}

/* The processes of a program of this installation: each holds the lock of its metrics. */
static size_t
processes_of(const struct doctor *d, const char *program, pid_t *pids)
{
	char path[4096];
	struct stat st;
	size_t n = 0;

	for (int i = 0; n < PROCESSES; i++) {
		snprintf(path, sizeof(path), "%s/%s.metrics-lock.%d", d->conf->run_dir, program, i);
		if (stat(path, &st) == -1)
			break;
		n += holders_of(st.st_ino, pids + n, PROCESSES - n);
	}
	return n;
}

void
doctor_find_user(struct doctor *d)
{
	pid_t pids[PROCESSES];
	char path[64];
	struct passwd *user;
	struct stat st;
	bool known = false;

	for (size_t i = 0; i < DAEMON_COUNT + SERVICE_COUNT && !known; i++) {
		const char *program = i < DAEMON_COUNT ? daemons[i] : services[i - DAEMON_COUNT];

		if (processes_of(d, program, pids) == 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%jd", (intmax_t)pids[0]);
		known = stat(path, &st) == 0;
	}
	if (!known && stat(d->conf->run_dir, &st) == -1) {
		d->uid = (uid_t)-1;
		d->gid = (gid_t)-1;
		strcpy(d->user, "table-order");
		return;
	}
	user = getpwuid(st.st_uid);
	d->uid = st.st_uid;
	d->gid = user != NULL ? user->pw_gid : st.st_gid;
	if (user != NULL)
		snprintf(d->user, sizeof(d->user), "%s", user->pw_name);
	else
		snprintf(d->user, sizeof(d->user), "%ju", (uintmax_t)st.st_uid);
}

/* Whether the process executes a file that has been replaced or deleted. -1: it may not be seen. */
static int
is_outdated(pid_t pid)
{
	char path[64], *line = NULL;
	size_t size = 0;
	int result = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%jd/maps", (intmax_t)pid);
	maps = fopen(path, "re");
	if (maps == NULL)
		return errno == ENOENT ? 0 : -1;
	while (result == 0 && getline(&line, &size, maps) > 0)
		result = strstr(line, " r-xp ") != NULL && strstr(line, " (deleted)\n") != NULL;
	if (ferror(maps))
		result = -1;
	free(line);
	fclose(maps);
	return result;
}

/* Returns how many processes of the program run. */
static size_t
look_at_program(const struct doctor *d, struct finding *f, const char *program)
{
	pid_t pids[PROCESSES];
	size_t n = processes_of(d, program, pids);

	for (size_t i = 0; i < n; i++) {
		int outdated = is_outdated(pids[i]);

		if (outdated == -1) {
			doctor_say(f, SEEN_WARNING, "process %jd of %s may not be looked at",
			    (intmax_t)pids[i], program);
			doctor_remedy(f, "run this as root or as %s", d->user);
		} else if (outdated) {
			doctor_say(f, SEEN_FAILED,
			    "%s (process %jd) runs from a file that has been replaced", program,
			    (intmax_t)pids[i]);
		}
	}
	return n;
}

void
look_programs(const struct doctor *d, struct finding *f)
{
	size_t n = 0;

	if (access("/proc/locks", R_OK) == -1) {
		doctor_say(f, SEEN_SKIPPED, "/proc/locks: %s", strerror(errno));
		return;
	}
	/* services may be started by their first request: sockets tells whether they can be */
	for (size_t i = 0; i < SERVICE_COUNT; i++)
		n += look_at_program(d, f, services[i]);
	for (size_t i = 0; i < DAEMON_COUNT; i++) {
		size_t found = look_at_program(d, f, daemons[i]);

		if (found == 0) {
			doctor_say(f, SEEN_FAILED, "%s does not run", daemons[i]);
			doctor_remedy(f, "start %s, and let its supervisor keep it", daemons[i]);
		}
		n += found;
	}
	if (f->outcome == SEEN_NOTHING)
		doctor_say(f, SEEN_OK, "%zu processes run what is installed", n);
}

/* --- systemd's units ---------------------------------------------------------------------------
 */

/* These tell by metrics of their own how they went. */
static bool
is_of_backup(const char *unit)
{
	return strcmp(unit, "table-order-backup.service") == 0 ||
	    strcmp(unit, "table-order-restore-test.service") == 0;
}

static void
look_at_unit(struct finding *f, const char *unit, const char *state)
{
	const char *end = strrchr(unit, '.');

	if (strcmp(state, "failed") == 0 && !is_of_backup(unit))
		doctor_say(f, SEEN_FAILED, "%s failed", unit);
	else if (end != NULL && strcmp(end, ".timer") == 0 && strcmp(state, "active") != 0)
		doctor_say(f, SEEN_FAILED, "%s is stopped", unit);
}

void
look_units(const struct doctor *d, struct finding *f)
{
	FILE *list = popen("systemctl list-units --all --plain --no-legend 'table-order*'", "r");
	char line[512], unit[256], state[32];
	size_t count = 0;

	(void)d;
	while (list != NULL && fgets(line, sizeof(line), list) != NULL) {
		/* unit, loaded or not, active or not, … */
		if (sscanf(line, "%255s %*s %31s", unit, state) != 2)
			continue;
		look_at_unit(f, unit, state);
		count++;
	}
	if (list == NULL || pclose(list) != 0 || count == 0) {
		*f = (struct finding) { .outcome = SEEN_NOTHING };
		doctor_say(f, SEEN_SKIPPED, "systemd has none of ours");
		doctor_remedy(f, "let something run `orderctl maintenance` and logrotate");
	} else if (f->outcome == SEEN_NOTHING) {
		doctor_say(f, SEEN_OK, "none of %zu failed, and no timer is stopped", count);
	}
}
