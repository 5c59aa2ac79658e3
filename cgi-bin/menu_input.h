/*
 * menu_input: what an admin sends of a menu, as JSON or as a form with a
 * picture.
 */
#ifndef MENU_INPUT_H
#define MENU_INPUT_H

#include "db.h"

/* The greatest display_order, of a category too. */
#define DISPLAY_ORDER_MAX 1000000

/* A menu's fields, as they shall be. */
struct menu_input {
	int64_t category_id;
	const char *name;
	const char *description; /* NULL: none */
	int64_t price;
	bool is_available;
	int64_t display_order;
	const char *image; /* file names in UPLOAD_DIR; NULL: none */
	const char *thumbnail;
};

/*
 * The body (JSON, or multipart/form-data with the same names and a file `image`) over what the menu
 * is: row 0 of before, or nothing for a new one, whose required fields must then be there. A
 * picture has been stored, and the one that it replaces is marked obsolete. `"image": null` takes
 * it away.
 */
struct menu_input menu_input_read(struct req *r, const struct rows *before);

/* Reads and checks the form's shape and stores its picture; before any statement, for it takes
 * time. Afterwards menu_input_read() finds all in the request. */
void menu_input_prepare(struct req *r);

/* Marks the files of row i of menus as obsolete. */
void menu_input_drop_files(struct req *r, const struct rows *menus, int i);

#endif
