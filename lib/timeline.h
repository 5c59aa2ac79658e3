/*
 * timeline: which of several servers is the database, when an old primary
 * comes back beside the one that was promoted.
 *
 * Every promotion raises the timeline of PostgreSQL's log. The highest that any
 * program of this host has seen stands in RUN_DIR/db-timeline.0, with the
 * cluster's identifier; a server of the same cluster that is behind it is an old
 * primary. It would show what was, and keep every commit waiting; no program
 * uses it any more, nor a connection to it that is open.
 */
#ifndef TIMELINE_H
#define TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

/* Learns of a server's timeline. False when a higher one of the same cluster was seen: it is an old
 * primary. A directory that cannot be used forgets nothing and refuses nothing. Any thread. */
bool timeline_learn(const char *run_dir, uint64_t cluster, uint64_t number);

/* Whether that still holds, whichever program has learnt better since. Costs next to nothing. */
bool timeline_holds(uint64_t cluster, uint64_t number);

#endif
