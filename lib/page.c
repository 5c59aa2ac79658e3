#include "config.h"

#include "page.h"

#define SIZE_DEFAULT 50
#define SIZE_MAX_ROWS 100
#define NUMBER_MAX 1000000

json_object *
page_list(struct req *r, const struct rows *rows,
    json_object *(*render)(struct req *r, const struct rows *rows, int i))
{
	json_object *answer = json_new_object(r->arena), *list = json_new_array(r->arena);

	for (int i = 0; i < rows_count(rows); i++)
		json_append(list, render(r, rows, i));
	json_put(answer, "data", list);
	return answer;
}

struct page
page_read(struct req *r)
{
	struct page p;

	p.number = req_query_int(r, "page", 1, NUMBER_MAX, 1);
	p.size = req_query_int(r, "page_size", 1, SIZE_MAX_ROWS, SIZE_DEFAULT);
	p.start = (p.number - 1) * p.size;
	return p;
}

void
page_put(struct req *r, json_object *answer, const struct page *p, int64_t total_count)
{
	json_object *o = json_new_object(r->arena);

	json_put_int(o, "page", p->number);
	json_put_int(o, "page_size", p->size);
	json_put_int(o, "total_count", total_count);
	json_put_int(o, "total_pages", (total_count + p->size - 1) / p->size);
	json_put(answer, "pagination", o);
}
