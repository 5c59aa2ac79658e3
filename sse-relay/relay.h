/*
 * relay: the loop that feeds all streams. One thread, which never waits but
 * for its descriptors: the database (eventlog) and the bus (feed) are waited
 * for elsewhere.
 */
#ifndef RELAY_H
#define RELAY_H

#include "conf.h"
#include "token.h"

/* Serves until a signal asks to stop (stop.h); then writes out what is queued, and ends all
 * streams. listener becomes the relay's. */
void relay_run(const struct conf *c, struct tokens *tokens, int listener);

#endif
