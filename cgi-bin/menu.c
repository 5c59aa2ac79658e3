/* menu: menus and their categories. */
#include "config.h"

#include "db.h"
#include "reply.h"
#include "serve.h"

#include "sql/menu.h"

/* Where the web server serves UPLOAD_DIR. */
#define IMAGES "/images/"

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

/* {"data":[…]} of all rows. */
static void
reply_list(struct req *r, const struct rows *rows,
    json_object *(*render)(struct req *r, const struct rows *rows, int i))
{
	json_object *answer = json_new_object(r->arena), *list = json_new_array(r->arena);

	for (int i = 0; i < rows_count(rows); i++)
		json_append(list, render(r, rows, i));
	json_put(answer, "data", list);
	reply_json(r, 200, answer);
}

static void
get_categories(struct req *r)
{
	struct rows *categories = sql_categories(r);

	db_flush(r);
	reply_list(r, categories, category_json);
}

static void
get_menus(struct req *r)
{
	int64_t category = req_query_int(r, "category_id", 1, JSON_INT_MAX, 0);
	struct rows *menus = sql_menus(r, category);

	db_flush(r);
	reply_list(r, menus, menu_json);
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

static const struct route routes[] = {
	{ "GET", "/api/customer/categories", ROLE_TABLE, RT_READ, get_categories,
	    .cached = "menu" },
	{ "GET", "/api/customer/menus", ROLE_TABLE, RT_READ, get_menus, .cached = "menu" },
	{ "GET", "/api/customer/menus/{menu_id}", ROLE_TABLE, RT_READ, get_menu, .cached = "menu" },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return serve(argc, argv, "menu", 0, routes);
}
