/*
 * stop: how a program that loops by itself is ended. SIGTERM and SIGINT ask;
 * the loop sees it and leaves. If it is held up inside a library until the
 * grace is over the process ends there, with status 0: only for programs that
 * may be killed at any point.
 */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/* From now on signals ask. SIGPIPE and SIGHUP are ignored. Once, in main(). */
void stop_on_signals(unsigned grace_seconds);
/* Whether a signal has asked. */
bool stop_asked(void);

#endif
