/*
 * route: finding the row of a service's table that serves a request, and
 * printing the table for the build (web-server snippets, status, tests).
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "req.h"

/* Splits r->path into r->segments. false: no path that any route could have. */
bool route_split(struct req *r);
/* Whether a pattern ("/api/admin/orders/{order_id}") fits the split path. */
bool route_fits(const struct req *r, const char *pattern);
/* The row for r->method and the path, which is split here; or NULL. HEAD goes where GET goes. */
const struct route *route_find(struct req *r);
/* The methods of the rows that fit the split path, as Allow tells them ("GET, HEAD"); "" without
 * any. */
const char *route_methods(struct req *r);

/* One line a row: method, pattern, program, roles, flags, separated by tabs. */
void route_print(const char *program, const struct route *routes, FILE *out);

/* A comma-separated list of methods grows by one, unless it has it. */
const char *route_allow(struct arena *a, const char *allowed, const char *method);

#endif
