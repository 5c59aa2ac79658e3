#include "config.h"

#include "image.h"

#include "log.h"
#include "uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <magick/api.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* IMAGE_PIXELS_MAX of up to 10 bytes each, and what making them smaller takes beside */
#define MEMORY_BYTES (512 << 20)
#define QUALITY 80

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
/* those that have the lock or wait for it */
static atomic_int in_turn;
static pthread_once_t initialized = PTHREAD_ONCE_INIT;

static const struct format {
	const char *ending;
	const char *coder; /* GraphicsMagick's name; only these are ever asked for */
	size_t at;
	size_t size;
	const char *magic;
} formats[] = {
	{ "jpg", "JPEG", 0, 3, "\xff\xd8\xff" },
	{ "png", "PNG", 0, 8, "\x89PNG\r\n\x1a\n" },
	{ "gif", "GIF", 0, 6, "GIF87a" },
	{ "gif", "GIF", 0, 6, "GIF89a" },
	{ "webp", "WEBP", 8, 4, "WEBP" },
};

static const struct format *
find_format(const void *bytes, size_t size)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct format *f = &formats[i];

		if (size < 16 || memcmp((const char *)bytes + f->at, f->magic, f->size) != 0)
			continue;
		if (f->at == 0 || memcmp(bytes, "RIFF", 4) == 0)
			return f;
	}
	return NULL;
}

const char *
image_sniff(const void *bytes, size_t size)
{
	const struct format *f = find_format(bytes, size);

	return f != NULL ? f->ending : NULL;
}

static void
initialize(void)
{
	ExceptionInfo e;

	GetExceptionInfo(&e);
	InitializeMagickEx(NULL, MAGICK_OPT_NO_SIGNAL_HANDER, &e);
	DestroyExceptionInfo(&e);
	SetMagickResourceLimit(MemoryResource, MEMORY_BYTES);
	SetMagickResourceLimit(MapResource, 0);
	SetMagickResourceLimit(DiskResource, 0);
	SetMagickResourceLimit(PixelsResource, IMAGE_PIXELS_MAX);
	SetMagickResourceLimit(ThreadsResource, 1);
}

/* Any complaint about the bytes, even a warning: a truncated JPEG is no more than that. */
static bool
complains(const ExceptionInfo *e)
{
	return e->severity >= ErrorException || e->severity == CorruptImageWarning ||
	    e->severity == CoderWarning;
}

/* Reads the size alone, before any pixel; false when the picture is too large or none. A larger one
 * than is kept sets the size hint: a JPEG is then decoded at no more than twice that. A hint above
 * a picture's own size would blow it up. */
static bool
size_is_fine(ImageInfo *info, const void *bytes, size_t size, ExceptionInfo *e)
{
	Image *ping = PingBlob(info, bytes, size, e);
	unsigned long columns = 0, rows = 0, longest;
	char hint[64];

	if (ping != NULL) {
		columns = ping->columns;
		rows = ping->rows;
		DestroyImageList(ping);
	}
	if (complains(e) || columns == 0 || rows == 0 ||
	    (double)columns * (double)rows > IMAGE_PIXELS_MAX)
		return false;
	longest = columns > rows ? columns : rows;
	if (longest > IMAGE_SIDE) {
		snprintf(hint, sizeof(hint), "%lux%lu", columns * IMAGE_SIDE / longest + 1,
		    rows * IMAGE_SIDE / longest + 1);
		CloneString(&info->size, hint);
	}
	return true;
}

/* The first picture in the bytes. */
static Image *
decode(ImageInfo *info, const void *bytes, size_t size, ExceptionInfo *e)
{
	Image *list, *first;

	/* before the size is read, too: a GIF may hold hundreds of pictures, each as large as
	 * allowed */
	info->subimage = 0;
	info->subrange = 1;
	if (!size_is_fine(info, bytes, size, e))
		return NULL;
	list = BlobToImage(info, bytes, size, e);
	if (list == NULL || complains(e)) {
		if (list != NULL)
			DestroyImageList(list);
		return NULL;
	}
	first = RemoveFirstImageFromList(&list);
	if (list != NULL)
		DestroyImageList(list);
	return first;
}

/* Puts next in the place of *image; keeps *image when there is none. */
static bool
replace(Image **image, Image *next)
{
	if (next == NULL)
		return false;
	DestroyImage(*image);
	*image = next;
	return true;
}

/* Makes the picture what is kept of it: small first, so that turning takes no second large one. */
static bool
straighten(Image **image, ExceptionInfo *e)
{
	static const RectangleInfo no_page;
	Image *i = *image;
	OrientationType orientation = i->orientation;
	double longest = (double)(i->columns > i->rows ? i->columns : i->rows);
	double scale = longest > IMAGE_SIDE ? IMAGE_SIDE / longest : 1;

	if (scale < 1) {
		unsigned long columns = (unsigned long)((double)i->columns * scale + 0.5);
		unsigned long rows = (unsigned long)((double)i->rows * scale + 0.5);

		if (!replace(image,
			ResizeImage(i, columns > 0 ? columns : 1, rows > 0 ? rows : 1,
			    TriangleFilter, 1.0, e)))
			return false;
	}
	if (orientation > TopLeftOrientation &&
	    !replace(image, AutoOrientImage(*image, orientation, e)))
		return false;
	/* browsers show the colours of print each in its own way, and a canvas of any size */
	if ((*image)->colorspace == CMYKColorspace &&
	    TransformColorspace(*image, RGBColorspace) == MagickFail)
		return false;
	(*image)->page = no_page;
	return StripImage(*image) != MagickFail;
}

/* A JPEG knows no transparency: what was transparent becomes white. */
static bool
lay_on_white(Image **image, ExceptionInfo *e)
{
	Image *white;

	if (!(*image)->matte)
		return true;
	white = CloneImage(*image, (*image)->columns, (*image)->rows, MagickTrue, e);
	if (white == NULL)
		return false;
	QueryColorDatabase("white", &white->background_color, e);
	white->matte = MagickFalse;
	if (SetImage(white, OpaqueOpacity) == MagickFail ||
	    CompositeImage(white, OverCompositeOp, *image, 0, 0) == MagickFail) {
		DestroyImage(white);
		return false;
	}
	white->matte = MagickFalse;
	return replace(image, white);
}

/* The middle of the picture, filling the square. */
static Image *
make_thumbnail(const Image *image, ExceptionInfo *e)
{
	double shortest = (double)(image->columns < image->rows ? image->columns : image->rows);
	double scale = IMAGE_THUMBNAIL / shortest;
	unsigned long columns = (unsigned long)((double)image->columns * scale + 0.5);
	unsigned long rows = (unsigned long)((double)image->rows * scale + 0.5);
	Image *scaled, *square;
	RectangleInfo middle = { IMAGE_THUMBNAIL, IMAGE_THUMBNAIL, 0, 0 };

	columns = columns < IMAGE_THUMBNAIL ? IMAGE_THUMBNAIL : columns;
	rows = rows < IMAGE_THUMBNAIL ? IMAGE_THUMBNAIL : rows;
	if (columns > 100 * IMAGE_THUMBNAIL || rows > 100 * IMAGE_THUMBNAIL)
		return NULL; /* a hair's breadth of a picture */
	scaled = ResizeImage(image, columns, rows, TriangleFilter, 1.0, e);
	if (scaled == NULL)
		return NULL;
	middle.x = ((long)columns - IMAGE_THUMBNAIL) / 2;
	middle.y = ((long)rows - IMAGE_THUMBNAIL) / 2;
	square = CropImage(scaled, &middle, e);
	DestroyImage(scaled);
	if (square != NULL && !lay_on_white(&square, e)) {
		DestroyImage(square);
		return NULL;
	}
	return square;
}

/* 0, or an errno; then there is no such file. */
static int
write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int error = 0;
	ssize_t n;

	if (fd == -1)
		return errno;
	n = write(fd, bytes, size);
	if (n >= 0 && n < (ssize_t)size)
		error = ENOSPC; /* only a full disk takes part of it */
	/* the web server is another user */
	else if (n == -1 || fchmod(fd, 0644) == -1 || fsync(fd) == -1)
		error = errno;
	if (close(fd) == -1 && error == 0)
		error = errno;
	if (error != 0)
		unlink(path);
	return error;
}

/* Encodes an image into a new file in dir; its name, or NULL: *result says why, and *error. */
static const char *
save(struct arena *a, const char *dir, Image *image, const struct format *f,
    enum image_result *result, int *error, ExceptionInfo *e)
{
	ImageInfo *info = CloneImageInfo(NULL);
	const char *name = arena_printf(a, "%s.%s", uuid_new(a), f->ending);
	size_t size = 0;
	void *bytes;

	info->quality = QUALITY;
	snprintf(info->magick, sizeof(info->magick), "%s", f->coder);
	snprintf(image->magick, sizeof(image->magick), "%s", f->coder);
	bytes = ImageToBlob(info, image, &size, e);
	DestroyImageInfo(info);
	*result = bytes == NULL ? IMAGE_REFUSED : IMAGE_STORED;
	if (bytes != NULL)
		*error = write_file(arena_printf(a, "%s/%s", dir, name), bytes, size);
	if (bytes != NULL && *error != 0)
		*result = IMAGE_FAILED;
	MagickFree(bytes);
	return *result == IMAGE_STORED ? name : NULL;
}

static void
sync_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return;
	fsync(fd);
	close(fd);
}

static enum image_result
store_both(struct arena *a, const char *dir, Image *image, Image *thumbnail, const struct format *f,
    struct image *out, ExceptionInfo *e)
{
	enum image_result result;

	out->name = save(a, dir, image, f, &result, &out->error, e);
	if (out->name == NULL)
		return result;
	out->thumbnail = save(a, dir, thumbnail, &formats[0], &result, &out->error, e);
	if (out->thumbnail == NULL)
		unlink(arena_printf(a, "%s/%s", dir, out->name));
	else
		sync_directory(dir);
	return result;
}

static enum image_result
convert(struct arena *a, const char *dir, const void *bytes, size_t size, const struct format *f,
    struct image *out)
{
	ImageInfo *info = CloneImageInfo(NULL);
	enum image_result result = IMAGE_REFUSED;
	Image *image, *thumbnail = NULL;
	ExceptionInfo e;

	GetExceptionInfo(&e);
	snprintf(info->magick, sizeof(info->magick), "%s", f->coder);
	image = decode(info, bytes, size, &e);
	if (image != NULL && straighten(&image, &e))
		thumbnail = make_thumbnail(image, &e);
	if (thumbnail != NULL)
		result = store_both(a, dir, image, thumbnail, f, out, &e);
	if (result == IMAGE_REFUSED)
		log_info("a picture was refused", LOG_S("format", f->ending), LOG_I("size", size),
		    LOG_S("reason", e.reason), LOG_S("description", e.description));
	if (thumbnail != NULL)
		DestroyImage(thumbnail);
	if (image != NULL)
		DestroyImage(image);
	DestroyImageInfo(info);
	DestroyExceptionInfo(&e);
	return result;
}

enum image_result
image_store(struct arena *a, const char *dir, const void *bytes, size_t size, struct image *out)
{
	const struct format *f = find_format(bytes, size);
	enum image_result result;

	if (f == NULL || size > IMAGE_BYTES_MAX)
		return IMAGE_REFUSED;
	pthread_once(&initialized, initialize);
	if (atomic_fetch_add(&in_turn, 1) > IMAGE_WAITING) {
		atomic_fetch_sub(&in_turn, 1);
		return IMAGE_BUSY;
	}
	pthread_mutex_lock(&one_at_a_time);
	result = convert(a, dir, bytes, size, f, out);
	pthread_mutex_unlock(&one_at_a_time);
	atomic_fetch_sub(&in_turn, 1);
	return result;
}
