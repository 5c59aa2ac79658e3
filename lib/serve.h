/*
 * serve: the life of a service process and of each request in it.
 *
 * A service is a table of routes and their handlers; its main is one call of
 * serve(). A request goes this way, once, from top to bottom:
 *
 *	accept       FastCGI (WORKER_THREADS at a time) or plain CGI     gateway.h
 *	read         id and target, into the worker's empty arena
 *	match        the row of the table: 404, 405                      route.h
 *	guard        CORS, Accept, token and role, Redis                 guard.h
 *	read         the body, bounded; nobody without a token gets here
 *	begin        with the handler's first statement                  tx.h
 *	handle       validate, SQL, event, reply: all in memory
 *	commit       or roll back; run again after a lost race           tx.h
 *	afterwards   void or fill the cache, send, log, count, reset
 *
 * A route with a `before` step (logins) runs that first, in a transaction of its own that stays
 * committed whatever the handler does.
 *
 * Whatever fails on the way, every later step sees that and does nothing; a transaction that has
 * begun is rolled back, and the error is the answer.
 */
#ifndef SERVE_H
#define SERVE_H

#include "req.h"

/*
 * Runs a service until SIGTERM, SIGINT or SIGHUP (drained: what was accepted is answered), or for
 * one CGI request. routes ends with a row of zeros; need: keys that must be configured beyond those
 * of every service. Options: --routes, --help, --version. Returns main's exit status.
 */
int serve(int argc, char **argv, const char *program, unsigned need, const struct route *routes);

#endif
