#include "config.h"

#include "reply.h"

#include <string.h>

static const char json_media_type[] = "application/json; charset=utf-8";

void
reply_header_always(struct req *r, const char *name, const char *value)
{
	struct header *h = arena_alloc(r->arena, sizeof(*h));

	*h = (struct header) { name, value, r->reply.headers };
	r->reply.headers = h;
}

void
reply_bytes(struct req *r, int status, const char *type, const char *bytes, size_t n)
{
	if (req_failed(r))
		return;
	r->reply.status = status;
	r->reply.content_type = type;
	r->reply.body = bytes;
	r->reply.body_len = n;
}

void
reply_json(struct req *r, int status, json_object *o)
{
	const char *text;

	if (req_failed(r))
		return;
	text = json_text_within(r->arena, o, REPLY_LIMIT_BYTES);
	if (text == NULL) {
		req_fail(r, ERR_INTERNAL_ERROR);
		r->error_note = "the answer is too large";
		return;
	}
	reply_bytes(r, status, json_media_type, text, strlen(text));
}

void
reply_empty(struct req *r)
{
	reply_bytes(r, 204, NULL, "", 0);
}

void
reply_location(struct req *r, const char *path)
{
	if (!req_failed(r))
		r->reply.location = path;
}

void
reply_header(struct req *r, const char *name, const char *value)
{
	if (!req_failed(r))
		reply_header_always(r, name, value);
}

/* {"error":{"code","message","details"?,"request_id"}} in place of whatever was to be sent. */
static void
render_error(struct req *r, enum error_code code)
{
	json_object *outer = json_new_object(r->arena);
	json_object *error = json_new_object(r->arena);

	json_put_text(error, "code", error_name(code));
	json_put_text(error, "message", error_message(code, r->lang));
	if (r->error_details != NULL)
		json_put(error, "details", r->error_details);
	json_put_text(error, "request_id", r->id);
	json_put(outer, "error", error);
	r->reply.status = error_status(code);
	r->reply.content_type = json_media_type;
	r->reply.location = NULL;
	r->reply.body = json_text(r->arena, outer);
	r->reply.body_len = strlen(r->reply.body);
	if (r->reply.status == 401)
		reply_header_always(r, "WWW-Authenticate",
		    code == ERR_TOKEN_MISSING || code == ERR_INVALID_CREDENTIALS
			? "Bearer"
			: "Bearer error=\"invalid_token\"");
	if (r->retry_after_s > 0)
		reply_header_always(
		    r, "Retry-After", arena_printf(r->arena, "%lld", (long long)r->retry_after_s));
}

void
reply_refusal(struct req *r, enum error_code code)
{
	if (!req_failed(r))
		render_error(r, code);
}

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = { { 200, "OK" }, { 201, "Created" }, { 204, "No Content" },
		{ 304, "Not Modified" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" }, { 409, "Conflict" }, { 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" }, { 500, "Internal Server Error" },
		{ 503, "Service Unavailable" } };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

static bool
has_header(const struct req *r, const char *name)
{
	for (const struct header *h = r->reply.headers; h != NULL; h = h->next)
		if (strcmp(h->name, name) == 0)
			return true;
	return false;
}

static void
render_head(struct req *r, struct buf *b)
{
	const struct reply *p = &r->reply;

	buf_printf(b, "Status: %d %s\r\n", p->status, reason(p->status));
	if (p->content_type != NULL)
		buf_printf(b, "Content-Type: %s\r\n", p->content_type);
	if (p->status != 204 && p->status != 304)
		buf_printf(b, "Content-Length: %zu\r\n", p->body_len);
	if (p->location != NULL)
		buf_printf(b, "Location: %s\r\n", p->location);
	buf_printf(b, "X-Request-Id: %s\r\n", r->id);
	if (!has_header(r, "Cache-Control"))
		buf_puts(b, "Cache-Control: no-store\r\n");
	if (!has_header(r, "Content-Security-Policy"))
		buf_puts(
		    b, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
	buf_puts(b,
	    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
	    "X-Frame-Options: DENY\r\n");
	if (strncmp(r->app->conf.public_url, "https:", 6) == 0)
		buf_puts(b, "Strict-Transport-Security: max-age=31536000\r\n");
	for (const struct header *h = p->headers; h != NULL; h = h->next)
		buf_printf(b, "%s: %s\r\n", h->name, h->value);
	buf_puts(b, "\r\n");
}

void
reply_send(struct req *r)
{
	struct buf b;

	if (r->error == ERR_NONE && r->reply.status == 0) {
		r->error = ERR_INTERNAL_ERROR;
		r->error_note = "the handler gave no answer";
	}
	if (r->error != ERR_NONE)
		render_error(r, r->error);
	buf_init(&b, r->arena, 1024 + r->reply.body_len);
	render_head(r, &b);
	if (strcmp(r->method, "HEAD") != 0 && r->reply.status != 204 && r->reply.status != 304)
		buf_add(&b, r->reply.body, r->reply.body_len);
	r->gateway->write(r->gateway->self, b.data, b.len);
}

int
reply_status(const struct req *r)
{
	return r->error != ERR_NONE ? error_status(r->error) : r->reply.status;
}
