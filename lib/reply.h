/*
 * reply: the answer of a request: chosen by the handler, sent by serve() after
 * the commit.
 */
#ifndef REPLY_H
#define REPLY_H

#include "req.h"

/* More than any answer may have: what is sent holds it several times, within ARENA_LIMIT_BYTES. */
#define REPLY_LIMIT_BYTES ((size_t)24 << 20)

/* A JSON answer; rendered now. One over the limit fails the request. */
void reply_json(struct req *r, int status, json_object *o);
/* 204. */
void reply_empty(struct req *r);
/* Anything else; bytes must live as long as the request. */
void reply_bytes(struct req *r, int status, const char *type, const char *bytes, size_t n);
/* An error as the answer of a transaction that is committed all the same. */
void reply_refusal(struct req *r, enum error_code code);
/* Where the created object is: a path. */
void reply_location(struct req *r, const char *path);
/* One more header; value must live as long as the request. */
void reply_header(struct req *r, const char *name, const char *value);
/* The same for answers and errors alike. */
void reply_header_always(struct req *r, const char *name, const char *value);

/* Sends headers and body, of the reply or of the error. */
void reply_send(struct req *r);
/* The status that was or would be sent. */
int reply_status(const struct req *r);

#endif
