/* route: which row of a table serves a request. */
#include "config.h"

#include "route.h"

#include "unit.h"

static void
handle(struct req *r)
{
	(void)r;
}

static const struct route routes[] = {
	{ "GET", "/api/menus", ROLE_NONE, RT_READ, handle },
	{ "POST", "/api/menus", ROLE_STORE_ADMIN, RT_WRITE | RT_UPLOAD, handle },
	{ "PATCH", "/api/menus/reorder", ROLE_STORE_ADMIN, RT_WRITE, handle },
	{ "GET", "/api/menus/{menu_id}", ROLE_TABLE | ROLE_STORE_ADMIN, RT_READ, handle },
	{ "PATCH", "/api/menus/{menu_id}", ROLE_STORE_ADMIN, RT_WRITE | RT_IDEMPOTENT, handle },
	{ "DELETE", "/api/menus/{menu_id}/picture", ROLE_SUPER_ADMIN, RT_PLATFORM | RT_COMMITS,
	    handle },
	{ 0 },
};
static const struct route with_rest[] = {
	{ "GET", "/health", ROLE_NONE, RT_LOCAL | RT_SNAPSHOT, handle },
	{ "*", "*", ROLE_NONE, RT_LOCAL, handle },
	{ 0 },
};

static struct arena *arena;
static struct app app;
static struct req req;
static const char *allowed;

static const struct route *
find(const struct route *table, const char *method, const char *path)
{
	const struct route *row;

	app.routes = table;
	req = (struct req) { .app = &app, .arena = arena, .method = method, .path = path };
	row = route_find(&req);
	allowed = route_methods(&req);
	return row;
}

static void
method_and_path_choose_the_row(void)
{
	CU_ASSERT_PTR_EQUAL(find(routes, "GET", "/api/menus"), &routes[0]);
	CU_ASSERT_PTR_EQUAL(find(routes, "POST", "/api/menus"), &routes[1]);
	CU_ASSERT_PTR_EQUAL(find(routes, "GET", "/api/menus/7"), &routes[3]);
	CU_ASSERT_STRING_EQUAL(req.segments[2], "7");
	CU_ASSERT_EQUAL(req.segment_count, 3);
	CU_ASSERT_PTR_EQUAL(find(routes, "DELETE", "/api/menus/7/picture"), &routes[5]);
	CU_ASSERT_PTR_EQUAL(find(with_rest, "GET", "/health"), &with_rest[0]);
}

static void
an_earlier_row_wins(void)
{
	CU_ASSERT_PTR_EQUAL(find(routes, "PATCH", "/api/menus/reorder"), &routes[2]);
	CU_ASSERT_PTR_EQUAL(find(routes, "PATCH", "/api/menus/8"), &routes[4]);
	CU_ASSERT_PTR_EQUAL(find(routes, "GET", "/api/menus/reorder"), &routes[3]);
}

static void
head_goes_where_get_goes(void)
{
	CU_ASSERT_PTR_EQUAL(find(routes, "HEAD", "/api/menus"), &routes[0]);
	CU_ASSERT_PTR_NULL(find(routes, "HEAD", "/api/menus/7/picture"));
	CU_ASSERT_STRING_EQUAL(allowed, "DELETE");
}

static void
another_method_is_told_what_is_allowed(void)
{
	CU_ASSERT_PTR_NULL(find(routes, "DELETE", "/api/menus"));
	CU_ASSERT_STRING_EQUAL(allowed, "GET, HEAD, POST");
	CU_ASSERT_PTR_NULL(find(routes, "POST", "/api/menus/reorder"));
	CU_ASSERT_STRING_EQUAL(allowed, "PATCH, GET, HEAD");
	CU_ASSERT_PTR_NULL(find(routes, "get", "/api/menus"));
	CU_ASSERT_STRING_EQUAL(allowed, "GET, HEAD, POST");
	CU_ASSERT_PTR_NULL(find(routes, "*", "/api/menus/7/picture"));
	CU_ASSERT_STRING_EQUAL(allowed, "DELETE");
}

static void
other_paths_have_no_row(void)
{
	static const char *const paths[] = { "", "/", "//", "/api", "/api/menus/", "/api//menus",
		"//api/menus", "api/menus", "*", "/api/menu", "/api/menusx", "/API/menus",
		"/api/menus/7/", "/api/menus/7/pictures", "/api/menus/7/picture/1",
		"/1/2/3/4/5/6/7/8", "/1/2/3/4/5/6/7/8/9", "/api/menus//picture" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (find(routes, "GET", paths[i]) != NULL || strcmp(allowed, "") != 0)
			CU_FAIL(paths[i]);
}

static void
a_star_serves_the_rest(void)
{
	static const char *const paths[] = { "/", "", "*", "/x", "/health/x",
		"/1/2/3/4/5/6/7/8/9" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (find(with_rest, "GET", paths[i]) != &with_rest[1])
			CU_FAIL(paths[i]);
	CU_ASSERT_PTR_EQUAL(find(with_rest, "POST", "/health"), &with_rest[1]);
}

static void
eight_segments_are_the_limit(void)
{
	req = (struct req) { .arena = arena, .path = "/1/2/3/4/5/6/7/88" };
	CU_ASSERT_TRUE(route_split(&req));
	CU_ASSERT_EQUAL(req.segment_count, 8);
	CU_ASSERT_STRING_EQUAL(req.segments[7], "88");
	CU_ASSERT_TRUE(route_fits(&req, "/1/2/3/4/5/6/7/{last}"));
	CU_ASSERT_FALSE(route_fits(&req, "/1/2/3/4/5/6/7"));
	CU_ASSERT_FALSE(route_fits(&req, "/1/2/3/4/5/6/7/8"));
	req.path = "/1/2/3/4/5/6/7/8/9";
	CU_ASSERT_FALSE(route_split(&req));
}

static void
allowed_methods_stand_once(void)
{
	CU_ASSERT_STRING_EQUAL(route_allow(arena, "", "PUT"), "PUT");
	CU_ASSERT_STRING_EQUAL(route_allow(arena, "PUT", "GET"), "PUT, GET");
	CU_ASSERT_STRING_EQUAL(route_allow(arena, "PUT, GET, HEAD", "HEAD"), "PUT, GET, HEAD");
	CU_ASSERT_STRING_EQUAL(route_allow(arena, "PUT", "PUT"), "PUT");
}

static void
a_table_is_printed_a_row_a_line(void)
{
	char text[2000] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	route_print("menu", routes, out);
	route_print("status", with_rest, out);
	fclose(out);
	CU_ASSERT_STRING_EQUAL(text,
	    "GET\t/api/menus\tmenu\t-\t-\n"
	    "POST\t/api/menus\tmenu\tstore_admin\twrite,upload\n"
	    "PATCH\t/api/menus/reorder\tmenu\tstore_admin\twrite\n"
	    "GET\t/api/menus/{menu_id}\tmenu\ttable,store_admin\t-\n"
	    "PATCH\t/api/menus/{menu_id}\tmenu\tstore_admin\twrite,idempotent\n"
	    "DELETE\t/api/menus/{menu_id}/picture\tmenu\tsuper_admin\tplatform,commits\n"
	    "GET\t/health\tstatus\t-\tsnapshot,local\n");
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "method and path choose the row", method_and_path_choose_the_row },
		{ "an earlier row wins", an_earlier_row_wins },
		{ "HEAD goes where GET goes", head_goes_where_get_goes },
		{ "another method is told what is allowed",
		    another_method_is_told_what_is_allowed },
		{ "other paths have no row", other_paths_have_no_row },
		{ "a star serves the rest", a_star_serves_the_rest },
		{ "eight segments are the limit", eight_segments_are_the_limit },
		{ "allowed methods stand once", allowed_methods_stand_once },
		{ "a table is printed a row a line", a_table_is_printed_a_row_a_line },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(1 << 16);
	status = unit_main("route", tests);
	arena_free(arena);
	return status;
}
