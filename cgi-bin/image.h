/*
 * image: pictures of menus. What comes in is JPEG, PNG, WebP or GIF by its own
 * bytes; what is stored was decoded and encoded anew: upright, at most
 * IMAGE_SIDE pixels a side, without metadata or anything that trailed it; and a
 * JPEG thumbnail of IMAGE_THUMBNAIL pixels square. GraphicsMagick decodes,
 * bounded in pixels and memory, one picture at a time in a process while
 * IMAGE_WAITING others wait: the other threads go on serving menus.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "arena.h"

#include <stddef.h>

#define IMAGE_BYTES_MAX ((size_t)5 << 20)
#define IMAGE_PIXELS_MAX 40000000
#define IMAGE_WAITING 3
#define IMAGE_SIDE 1600
#define IMAGE_THUMBNAIL 300

/* The names of a stored picture's files in their directory; random. */
struct image {
	const char *name;
	const char *thumbnail;
	int error; /* errno of IMAGE_FAILED */
};

enum image_result {
	IMAGE_STORED,
	IMAGE_REFUSED, /* no acceptable picture */
	IMAGE_BUSY,    /* enough others wait for their turn */
	IMAGE_FAILED,  /* the files cannot be written; none is left */
};

/* The file name ending of the format that the bytes are of ("jpg", "png", "webp", "gif"); NULL for
 * any other. */
const char *image_sniff(const void *bytes, size_t size);

/* Stores a picture in dir, both files whole and on disk. Any thread. */
enum image_result image_store(
    struct arena *a, const char *dir, const void *bytes, size_t size, struct image *out);

#endif
