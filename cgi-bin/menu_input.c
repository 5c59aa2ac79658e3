#include "config.h"

#include "menu_input.h"

#include "http.h"
#include "image.h"
#include "multipart.h"

#include <string.h>

#define DESCRIPTION_LENGTH 2000
#define PRICE_MAX 1000000000

/* A picture that came with the request, kept in r->state. */
struct picture {
	struct image files; /* name NULL: none came */
};

/* A field of a form as the JSON value that it stands for; text that is none stays text, and is
 * refused for its type where that matters. */
static json_object *
form_value(struct req *r, const struct multipart_part *part)
{
	static const char *const numbers[] = { "price", "category_id", "display_order" };
	const char *text = arena_strndup(r->arena, part->bytes, part->size);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(part->name, numbers[i]) == 0 && http_number(text, 0, INT64_MAX) != -1)
			return json_object_new_int64(http_number(text, 0, INT64_MAX));
	if (strcmp(part->name, "is_available") == 0 &&
	    (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		return json_object_new_boolean(text[0] == 't');
	return json_object_new_string_len(part->bytes, (int)part->size);
}

static void
store_picture(struct req *r, const struct multipart_part *part, struct picture *p)
{
	const char *dir = r->app->conf.upload_dir;

	if (req_failed(r))
		return;
	switch (image_store(r->arena, dir, part->bytes, part->size, &p->files)) {
	case IMAGE_STORED:
		req_file_created(r, arena_printf(r->arena, "%s/%s", dir, p->files.name));
		req_file_created(r, arena_printf(r->arena, "%s/%s", dir, p->files.thumbnail));
		break;
	case IMAGE_REFUSED:
		req_fail(r, ERR_IMAGE_INVALID);
		break;
	case IMAGE_BUSY:
		req_fail_retry(r, ERR_DEPENDENCY_UNAVAILABLE, 1);
		r->error_note = "too many pictures at once";
		break;
	case IMAGE_FAILED:
		req_fail_retry(r, ERR_STORAGE_UNAVAILABLE, 60);
		r->error_note = arena_printf(r->arena, "%s: %s", dir, strerror(p->files.error));
		break;
	}
}

/* A browser sends a field for files that was left empty as a nameless file of no bytes. */
static bool
is_picture(const struct multipart_part *part)
{
	return part->filename != NULL && strcmp(part->name, "image") == 0 &&
	    (*part->filename != '\0' || part->size > 0);
}

static void
read_form(struct req *r, struct picture *p)
{
	struct multipart form;
	const char *why =
	    multipart_read(r->arena, req_header(r, "Content-Type"), r->body, r->body_len, &form);

	r->json = json_new_object(r->arena);
	if (why != NULL)
		req_fail_field(r, "", why);
	for (int i = 0; i < form.count && !req_failed(r); i++) {
		const struct multipart_part *part = &form.parts[i];

		if (part->filename != NULL)
			continue;
		if (!http_utf8_valid(part->bytes, part->size))
			req_fail_field(r, part->name, "is not UTF-8");
		else
			json_object_object_add(r->json, part->name, form_value(r, part));
	}
	for (int i = 0; i < form.count && !req_failed(r); i++)
		if (is_picture(&form.parts[i]) && p->files.name == NULL)
			store_picture(r, &form.parts[i], p);
}

void
menu_input_prepare(struct req *r)
{
	struct picture *p = arena_alloc(r->arena, sizeof(*p));

	r->state = p;
	if (req_failed(r))
		return;
	if (http_type_is(req_header(r, "Content-Type"), "multipart/form-data"))
		read_form(r, p);
	else
		req_body(r);
}

void
menu_input_drop_files(struct req *r, const struct rows *menus, int i)
{
	const char *dir = r->app->conf.upload_dir;

	if (row_is_null(menus, i, "image_path"))
		return;
	req_file_obsolete(
	    r, arena_printf(r->arena, "%s/%s", dir, row_text(menus, i, "image_path")));
	req_file_obsolete(
	    r, arena_printf(r->arena, "%s/%s", dir, row_text(menus, i, "thumbnail_path")));
}

/* Text of a row, or NULL. */
static const char *
nullable(const struct rows *rows, const char *column)
{
	return row_is_null(rows, 0, column) ? NULL : row_text(rows, 0, column);
}

static void
read_picture(struct req *r, const struct rows *before, struct menu_input *in)
{
	const struct picture *p = r->state;
	json_object *image;
	bool named = json_object_object_get_ex(req_body(r), "image", &image);

	if (named && image != NULL)
		req_fail_field(r, "image", "a picture comes as a file of multipart/form-data");
	if (p->files.name == NULL && !named)
		return;
	if (before != NULL)
		menu_input_drop_files(r, before, 0);
	in->image = p->files.name;
	in->thumbnail = p->files.thumbnail;
}

static void
read_description(struct req *r, struct menu_input *in)
{
	json_object *body = req_body(r);

	if (!json_object_object_get_ex(body, "description", NULL))
		return;
	in->description = req_optional_text(r, body, "", "description", 0, DESCRIPTION_LENGTH);
	if (in->description != NULL && in->description[0] == '\0')
		in->description = NULL;
}

struct menu_input
menu_input_read(struct req *r, const struct rows *before)
{
	json_object *body = req_body(r);
	struct menu_input in = { .is_available = true };
	const char *name;
	int available;

	if (before != NULL) {
		in = (struct menu_input) { row_int(before, 0, "category_id"),
			row_text(before, 0, "name"), nullable(before, "description"),
			row_int(before, 0, "price"), row_bool(before, 0, "is_available"),
			row_int(before, 0, "display_order"), nullable(before, "image_path"),
			nullable(before, "thumbnail_path") };
	}
	name = before == NULL ? req_name(r, body, "name") : req_optional_name(r, body, "name");
	if (name != NULL)
		in.name = name;
	if (before == NULL) {
		in.price = req_int(r, body, "", "price", 1, PRICE_MAX);
		in.category_id = req_int(r, body, "", "category_id", 1, JSON_INT_MAX);
	} else {
		in.price = req_optional_int(r, body, "", "price", 1, PRICE_MAX, in.price);
		in.category_id =
		    req_optional_int(r, body, "", "category_id", 1, JSON_INT_MAX, in.category_id);
	}
	in.display_order =
	    req_optional_int(r, body, "", "display_order", 0, DISPLAY_ORDER_MAX, in.display_order);
	available = req_optional_bool(r, body, "", "is_available");
	if (available != -1)
		in.is_available = available == 1;
	read_description(r, &in);
	read_picture(r, before, &in);
	return in;
}
