/*
 * request: what is asked of the relay: a stream, by whom, from where on.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "arena.h"
#include "error.h"
#include "head.h"
#include "token.h"

#include <stdint.h>
#include <stdio.h>

struct request {
	struct claims who;
	int64_t cursor; /* or one of eventlog.h's CURSOR_ */
};

/* ERR_NONE when *out may stream, as far as the token tells; else why not. now_s: seconds since
 * 1970. */
enum error_code request_check(const struct head *h, struct tokens *tokens, struct arena *scratch,
    int64_t now_s, struct request *out);

/* The relay's routes, in the form that all programs print them. */
void request_print_routes(FILE *out);

#endif
