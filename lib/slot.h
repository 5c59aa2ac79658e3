/*
 * slot: n numbered places in a directory, each held by at most one holder of
 * this host. A place is a lock file under flock(2): it is free again when the
 * descriptor is closed, also by death.
 */
#ifndef SLOT_H
#define SLOT_H

#include <stdbool.h>

/* Takes any free place of dir/name.0 … dir/name.(n-1). Returns its descriptor, to be closed to give
 * it back, and its number in *index (may be NULL); or -1: errno EAGAIN when all are taken, else why
 * the directory cannot be used. */
int slot_take(const char *dir, const char *name, int n, int *index);

/* Whether dir/name.number is held; false too when there is no such place. Who tries to take it in
 * that very moment may find it held, and takes the next. */
bool slot_held(const char *dir, const char *name, int number);

/* Says that somebody waits for a place (and goes on saying so until the descriptor is closed). */
int slot_want(const char *dir, const char *name);
/* Whether somebody waits for a place. */
bool slot_wanted(const char *dir, const char *name);

#endif
