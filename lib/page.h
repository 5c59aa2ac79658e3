/*
 * page: lists, {"data":[…]}, and their pages: ?page (from 1) and ?page_size
 * (1…100, 50 by default).
 */
#ifndef PAGE_H
#define PAGE_H

#include "db.h"

struct page {
	int64_t number;
	int64_t size;
	int64_t start; /* rows before it */
};

/* {"data":[…]} of all rows, each rendered. */
json_object *page_list(struct req *r, const struct rows *rows,
    json_object *(*render)(struct req *r, const struct rows *rows, int i));

struct page page_read(struct req *r);
/* The answer's "pagination" member: page, page_size, total_count, total_pages. */
void page_put(struct req *r, json_object *answer, const struct page *p, int64_t total_count);

#endif
