#include "config.h"

#include "log.h"

#include "clock.h"
#include "http.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE 8192

static const char *const level_names[] = { "DEBUG", "INFO", "WARNING", "ERROR" };

static struct {
	pthread_mutex_t lock;
	char path[4096];
	char program[64];
	enum log_level least;
	int fd;
	int64_t checked_us;
	bool torn; /* a full disk took a part of the last line */
} out = { PTHREAD_MUTEX_INITIALIZER, "", "table-order", LOG_INFO, STDERR_FILENO, 0, false };

struct line {
	char text[LINE_SIZE];
	size_t len;
};

/* Keeps room for the closing "}\n": a line that is too long is cut inside its last string. */
static void
add(struct line *l, const char *s, size_t n)
{
	size_t room = LINE_SIZE - 4 - l->len;

	if (n > room)
		n = room;
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

/* What clients sent may be no UTF-8; a line always is. */
static void
add_string(struct line *l, const char *s)
{
	char escaped[8];

	add(l, "\"", 1);
	while (*s != '\0' && l->len < LINE_SIZE - 16) {
		unsigned char c = (unsigned char)*s;
		size_t n = http_utf8_next(s, strnlen(s, 4));

		if (n == 0)
			add(l, "\xef\xbf\xbd", 3); /* U+FFFD */
		else if (c == '"' || c == '\\')
			add(l, (char[]) { '\\', (char)c }, 2);
		else if (c < 0x20)
			add(l, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", c));
		else
			add(l, s, n);
		s += n > 0 ? n : 1;
	}
	add(l, "\"", 1);
}

static void
add_field(struct line *l, struct log_field f)
{
	char number[24];

	if (l->len >= LINE_SIZE - 128)
		return;
	add(l, ",", 1);
	add_string(l, f.key);
	add(l, ":", 1);
	if (f.s != NULL)
		add_string(l, f.s);
	else
		add(l, number, (size_t)snprintf(number, sizeof(number), "%lld", (long long)f.n));
}

static void
reopen(void)
{
	int fd = open(out.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	if (fd == -1) {
		if (out.fd == STDERR_FILENO)
			dprintf(STDERR_FILENO, "%s: %s: %s; logging to standard error\n",
			    out.program, out.path, strerror(errno));
		return;
	}
	if (out.fd != STDERR_FILENO)
		close(out.fd);
	out.fd = fd;
}

static void
follow_rotation(int64_t now_us)
{
	struct stat named, held;

	if (out.path[0] == '\0' || now_us - out.checked_us < CLOCK_SECOND_US)
		return;
	out.checked_us = now_us;
	if (stat(out.path, &named) == 0 && fstat(out.fd, &held) == 0 &&
	    named.st_ino == held.st_ino && named.st_dev == held.st_dev)
		return;
	reopen();
}

void
log_open(const char *dir, const char *program, enum log_level least)
{
	pthread_mutex_lock(&out.lock);
	snprintf(out.program, sizeof(out.program), "%s", program);
	out.least = least;
	out.path[0] = '\0';
	if (out.fd != STDERR_FILENO)
		close(out.fd);
	out.fd = STDERR_FILENO;
	if (dir != NULL && dir[0] != '\0') {
		snprintf(out.path, sizeof(out.path), "%s/%s.log", dir, program);
		reopen();
	}
	out.checked_us = clock_mono_us();
	pthread_mutex_unlock(&out.lock);
}

/* What the file does not take goes to standard error, which is a supervisor's. */
static void
write_line(const struct line *l)
{
	ssize_t n;

	if (out.torn)
		out.torn = write(out.fd, "\n", 1) != 1;
	n = write(out.fd, l->text, l->len);
	if (n == (ssize_t)l->len)
		return;
	out.torn = out.torn || n > 0;
	if (out.fd != STDERR_FILENO)
		(void)!write(STDERR_FILENO, l->text, l->len);
}

void
log_write(enum log_level level, const char *message, ...)
{
	struct line l = { .len = 0 };
	char time_text[CLOCK_TEXT_SIZE];
	struct log_field f;
	va_list args;

	if (level < out.least)
		return;
	add(&l, "{\"time\":", 8);
	add_string(&l, clock_rfc3339(clock_wall_us(), time_text));
	add_field(&l, LOG_S("level", level_names[level]));
	add_field(&l, LOG_S("program", out.program));
	add_field(&l, LOG_I("pid", getpid()));
	add_field(&l, LOG_S("message", message));
	va_start(args, message);
	while ((f = va_arg(args, struct log_field)).key != NULL)
		add_field(&l, f);
	va_end(args);
	memcpy(l.text + l.len, "}\n", 2);
	l.len += 2;

	pthread_mutex_lock(&out.lock);
	follow_rotation(clock_mono_us());
	write_line(&l);
	pthread_mutex_unlock(&out.lock);
}

int
log_level_parse(const char *name)
{
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcmp(name, level_names[i]) == 0)
			return i;
	return -1;
}
