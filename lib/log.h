/*
 * log: one JSON object a line, in LOG_DIR/<program>.log or on standard error.
 * A line is one write, so programs may share a file. A file that was rotated
 * away is reopened within a second. Any thread may log.
 *
 *	log_warning("redis is away", LOG_S("error", text), LOG_I("retry_ms", 1000));
 */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* One member of the line; s is printed when it is not NULL, else n. */
struct log_field {
	const char *key;
	const char *s;
	int64_t n;
};

#define LOG_S(k, v) ((struct log_field) { (k), (v) != NULL ? (v) : "", 0 })
#define LOG_I(k, v) ((struct log_field) { (k), NULL, (int64_t)(v) })
#define LOG_END ((struct log_field) { 0 })

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__, LOG_END)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__, LOG_END)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__, LOG_END)

/* Lines go to dir/<program>.log from now on; to standard error when dir is NULL, empty or cannot be
 * written (which is said there). Before the first call: to standard error, as "table-order". */
void log_open(const char *dir, const char *program, enum log_level least);
/* message and struct log_field values, ended by LOG_END; use the macros. */
void log_write(enum log_level level, const char *message, ...);
/* "INFO" -> LOG_INFO; -1 when it is no level. */
int log_level_parse(const char *name);

#endif
