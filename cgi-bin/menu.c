/* menu: menus and their categories. */
#include "config.h"

#include "event.h"
#include "menu_input.h"
#include "page.h"
#include "reply.h"
#include "serve.h"

#include "sql/menu.h"

/* Where the web server serves UPLOAD_DIR. */
#define IMAGES "/images/"

#define REORDER_MAX 1000

static void
put_url(struct req *r, json_object *o, const char *name, const struct rows *menus, int i,
    const char *column)
{
	json_put_text(o, name,
	    row_is_null(menus, i, column)
		? NULL
		: arena_printf(r->arena, IMAGES "%s", row_text(menus, i, column)));
}

static json_object *
menu_json(struct req *r, const struct rows *menus, int i)
{
	json_object *o = json_new_object(r->arena);

	json_put_int(o, "id", row_int(menus, i, "id"));
	json_put_int(o, "category_id", row_int(menus, i, "category_id"));
	json_put_text(o, "name", row_text(menus, i, "name"));
	json_put_text(o, "description",
	    row_is_null(menus, i, "description") ? NULL : row_text(menus, i, "description"));
	json_put_int(o, "price", row_int(menus, i, "price"));
	put_url(r, o, "image_url", menus, i, "image_path");
	put_url(r, o, "thumbnail_url", menus, i, "thumbnail_path");
	json_put_bool(o, "is_available", row_bool(menus, i, "is_available"));
	json_put_int(o, "display_order", row_int(menus, i, "display_order"));
	return o;
}

static json_object *
category_json(struct req *r, const struct rows *categories, int i)
{
	json_object *o = json_new_object(r->arena);

	json_put_int(o, "id", row_int(categories, i, "id"));
	json_put_text(o, "name", row_text(categories, i, "name"));
	json_put_int(o, "display_order", row_int(categories, i, "display_order"));
	return o;
}

/* --- what both sides read ------------------------------------------------------------------- */

static void
get_categories(struct req *r)
{
	struct rows *categories = sql_categories(r);

	db_flush(r);
	reply_json(r, 200, page_list(r, categories, category_json));
}

static void
get_menus(struct req *r)
{
	int64_t category = req_query_int(r, "category_id", 1, JSON_INT_MAX, 0);
	struct rows *menus = sql_menus(r, category);

	db_flush(r);
	reply_json(r, 200, page_list(r, menus, menu_json));
}

static void
get_menu(struct req *r)
{
	int64_t id = req_path_id(r, "menu_id", ERR_MENU_NOT_FOUND);
	struct rows *menu = sql_menu_one(r, id);

	db_flush(r);
	if (rows_count(menu) == 0)
		req_fail(r, ERR_MENU_NOT_FOUND);
	reply_json(r, 200, menu_json(r, menu, 0));
}

/* --- the admin's side: menus --------------------------------------------------------------- */

/* Tells every table what changed, by stream and by cache. Either id may be 0. */
static void
announce(struct req *r, json_object *menu_ids, json_object *category_ids)
{
	static const struct place everywhere;
	json_object *event = event_new(r, "MenuChanged", &everywhere);

	json_put(event, "menu_ids", menu_ids);
	json_put(event, "category_ids", category_ids);
	event_add(r, event);
	req_void(r, "menu");
}

/* The ids of all rows, as an array. */
static json_object *
ids_of(struct req *r, const struct rows *rows)
{
	json_object *ids = json_new_array(r->arena);

	for (int i = 0; rows != NULL && i < rows_count(rows); i++)
		json_object_array_add(ids, json_object_new_int64(row_int(rows, i, "id")));
	return ids;
}

static void
get_menus_page(struct req *r)
{
	struct page page = page_read(r);
	int64_t category = req_query_int(r, "category_id", 1, JSON_INT_MAX, 0);
	struct rows *menus = sql_menus_page(r, category, page.size, page.start);
	struct rows *count = sql_menus_count(r, category);
	json_object *answer;

	db_flush(r);
	answer = page_list(r, menus, menu_json);
	page_put(r, answer, &page, row_int(count, 0, "total"));
	reply_json(r, 200, answer);
}

static void
post_menu(struct req *r)
{
	struct menu_input in;
	struct rows *menu;

	menu_input_prepare(r);
	in = menu_input_read(r, NULL);
	menu = sql_menu_insert(r, in.category_id, in.name, in.description, in.price, in.image,
	    in.thumbnail, in.is_available, in.display_order);
	db_flush(r);
	announce(r, ids_of(r, menu), ids_of(r, NULL));
	reply_json(r, 201, menu_json(r, menu, 0));
	reply_location(
	    r, arena_printf(r->arena, "/api/admin/menus/%lld", (long long)row_int(menu, 0, "id")));
}

static void
patch_menu(struct req *r)
{
	int64_t id = req_path_id(r, "menu_id", ERR_MENU_NOT_FOUND);
	struct rows *before, *after;
	struct menu_input in;

	menu_input_prepare(r);
	before = sql_menu_one(r, id);
	db_flush(r);
	if (rows_count(before) == 0)
		req_fail(r, ERR_MENU_NOT_FOUND);
	in = menu_input_read(r, before);
	after = sql_menu_update(r, id, in.category_id, in.name, in.description, in.price, in.image,
	    in.thumbnail, in.is_available, in.display_order);
	db_flush(r);
	announce(r, ids_of(r, after), ids_of(r, NULL));
	reply_json(r, 200, menu_json(r, after, 0));
}

static void
delete_menu(struct req *r)
{
	int64_t id = req_path_id(r, "menu_id", ERR_MENU_NOT_FOUND);
	struct rows *menu = sql_menu_one(r, id);
	struct rows *use = sql_menu_in_use(r, id);

	db_flush(r);
	if (rows_count(menu) == 0)
		req_fail(r, ERR_MENU_NOT_FOUND);
	if (row_bool(use, 0, "in_use"))
		req_fail(r, ERR_MENU_IN_USE);
	sql_menu_delete(r, id);
	menu_input_drop_files(r, menu, 0);
	announce(r, ids_of(r, menu), ids_of(r, NULL));
	reply_empty(r);
}

/* --- the order of display ------------------------------------------------------------------- */

/* The body's [{id, display_order}], checked; each id once. */
static json_object *
read_order(struct req *r)
{
	json_object *items = req_array(r, req_body(r), "", "items", 1, REORDER_MAX);
	json_object *order = json_new_array(r->arena);

	for (size_t i = 0; i < json_object_array_length(items); i++) {
		const char *where = arena_printf(r->arena, "items[%zu].", i);
		json_object *item = req_element(r, items, i, "items");
		json_object *place = json_new_object(r->arena);
		int64_t id = req_int(r, item, where, "id", 1, JSON_INT_MAX);

		json_put_int(place, "id", id);
		json_put_int(place, "display_order",
		    req_int(r, item, where, "display_order", 0, DISPLAY_ORDER_MAX));
		for (size_t k = 0; k < i && !req_failed(r); k++)
			if (json_object_get_int64(json_object_object_get(
				json_object_array_get_idx(order, k), "id")) == id)
				req_fail_field(
				    r, arena_printf(r->arena, "%sid", where), "stands twice");
		json_append(order, place);
	}
	return order;
}

static void
patch_menus_reorder(struct req *r)
{
	json_object *items = read_order(r);
	struct rows *menus = sql_menus_reorder(r, json_text(r->arena, items));

	db_flush(r);
	/* all or nothing */
	if (rows_count(menus) != (int)json_object_array_length(items))
		req_fail(r, ERR_MENU_NOT_FOUND);
	announce(r, ids_of(r, menus), ids_of(r, NULL));
	reply_json(r, 200, page_list(r, menus, menu_json));
}

static void
patch_categories_reorder(struct req *r)
{
	json_object *items = read_order(r);
	struct rows *categories = sql_categories_reorder(r, json_text(r->arena, items));

	db_flush(r);
	if (rows_count(categories) != (int)json_object_array_length(items))
		req_fail(r, ERR_CATEGORY_NOT_FOUND);
	announce(r, ids_of(r, NULL), ids_of(r, categories));
	reply_json(r, 200, page_list(r, categories, category_json));
}

/* --- the admin's side: categories ----------------------------------------------------------- */

static void
post_category(struct req *r)
{
	const char *name = req_name(r, req_body(r), "name");
	int64_t order =
	    req_optional_int(r, req_body(r), "", "display_order", 0, DISPLAY_ORDER_MAX, 0);
	struct rows *category = sql_category_insert(r, name, order);

	db_flush(r);
	announce(r, ids_of(r, NULL), ids_of(r, category));
	reply_json(r, 201, category_json(r, category, 0));
	/* a category has no address of its own to read; its list has it */
	reply_location(r, "/api/admin/categories");
}

static void
patch_category(struct req *r)
{
	int64_t id = req_path_id(r, "category_id", ERR_CATEGORY_NOT_FOUND);
	const char *name = req_optional_name(r, req_body(r), "name");
	int64_t order =
	    req_optional_int(r, req_body(r), "", "display_order", 0, DISPLAY_ORDER_MAX, -1);
	struct rows *before = sql_category_one(r, id), *after;

	db_flush(r);
	if (rows_count(before) == 0)
		req_fail(r, ERR_CATEGORY_NOT_FOUND);
	after = sql_category_update(r, id, name != NULL ? name : row_text(before, 0, "name"),
	    order != -1 ? order : row_int(before, 0, "display_order"));
	db_flush(r);
	announce(r, ids_of(r, NULL), ids_of(r, after));
	reply_json(r, 200, category_json(r, after, 0));
}

static void
delete_category(struct req *r)
{
	int64_t id = req_path_id(r, "category_id", ERR_CATEGORY_NOT_FOUND);
	struct rows *category = sql_category_one(r, id);
	struct rows *use = sql_category_in_use(r, id);

	db_flush(r);
	if (rows_count(category) == 0)
		req_fail(r, ERR_CATEGORY_NOT_FOUND);
	if (row_bool(use, 0, "in_use"))
		req_fail(r, ERR_CATEGORY_NOT_EMPTY);
	sql_category_delete(r, id);
	announce(r, ids_of(r, NULL), ids_of(r, category));
	reply_empty(r);
}

#define CUSTOMER "/api/customer"
#define MENUS "/api/admin/menus"
#define CATEGORIES "/api/admin/categories"

static const struct route routes[] = {
	{ "GET", CUSTOMER "/categories", ROLE_TABLE, RT_READ, get_categories, .cached = "menu" },
	{ "GET", CUSTOMER "/menus", ROLE_TABLE, RT_READ, get_menus, .cached = "menu" },
	{ "GET", CUSTOMER "/menus/{menu_id}", ROLE_TABLE, RT_READ, get_menu, .cached = "menu" },
	{ "GET", MENUS, ROLE_STORE_ADMIN, RT_SNAPSHOT | RT_ETAG, get_menus_page },
	{ "POST", MENUS, ROLE_STORE_ADMIN, RT_WRITE | RT_UPLOAD, post_menu },
	{ "PATCH", MENUS "/reorder", ROLE_STORE_ADMIN, RT_WRITE, patch_menus_reorder },
	{ "GET", MENUS "/{menu_id}", ROLE_STORE_ADMIN, RT_READ | RT_ETAG, get_menu },
	{ "PATCH", MENUS "/{menu_id}", ROLE_STORE_ADMIN, RT_WRITE | RT_UPLOAD, patch_menu },
	{ "DELETE", MENUS "/{menu_id}", ROLE_STORE_ADMIN, RT_WRITE, delete_menu },
	{ "GET", CATEGORIES, ROLE_STORE_ADMIN, RT_READ | RT_ETAG, get_categories },
	{ "POST", CATEGORIES, ROLE_STORE_ADMIN, RT_WRITE, post_category },
	{ "PATCH", CATEGORIES "/reorder", ROLE_STORE_ADMIN, RT_WRITE, patch_categories_reorder },
	{ "PATCH", CATEGORIES "/{category_id}", ROLE_STORE_ADMIN, RT_WRITE, patch_category },
	{ "DELETE", CATEGORIES "/{category_id}", ROLE_STORE_ADMIN, RT_WRITE, delete_category },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "menu", 0, routes);
}
