/* image: pictures are made anew, everything else is refused and leaves nothing. */
#include "config.h"

#include "../../cgi-bin/image.h"
#include "http.h"

#include "unit.h"

#include <dirent.h>
#include <magick/api.h>
#include <stdbool.h>
#include <sys/stat.h>

static struct arena *arena;

/* A picture of one colour, as bytes of the arena; each with a comment as its metadata. */
static void *
coloured(
    const char *colour, const char *coder, unsigned long columns, unsigned long rows, size_t *size)
{
	ImageInfo *info = CloneImageInfo(NULL);
	ExceptionInfo e;
	Image *image;
	void *bytes, *copy;

	GetExceptionInfo(&e);
	CloneString(&info->size, arena_printf(arena, "%lux%lu", columns, rows));
	snprintf(info->filename, sizeof(info->filename), "xc:%s", colour);
	image = ReadImage(info, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(image);
	SetImageAttribute(image, "comment", "taken at home");
	snprintf(image->magick, sizeof(image->magick), "%s", coder);
	snprintf(info->magick, sizeof(info->magick), "%s", coder);
	bytes = ImageToBlob(info, image, size, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	copy = arena_strndup(arena, bytes, *size);
	MagickFree(bytes);
	DestroyImage(image);
	DestroyImageInfo(info);
	DestroyExceptionInfo(&e);
	return copy;
}

static void *
picture(const char *coder, unsigned long columns, unsigned long rows, size_t *size)
{
	return coloured("#c04020", coder, columns, rows, size);
}

static int
files_in(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

/* The bytes of unit_dir()/name, or NULL. */
static char *
contents(const char *name, size_t *size)
{
	FILE *f = fopen(unit_path(name), "r");
	char *bytes = arena_alloc(arena, 1 << 20);

	if (f == NULL)
		return NULL;
	*size = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

/* A stored picture, decoded; NULL when there is none. */
static Image *
stored(const char *name)
{
	size_t size;
	char *bytes = contents(name, &size);
	ImageInfo *info = CloneImageInfo(NULL);
	ExceptionInfo e;
	Image *image;

	GetExceptionInfo(&e);
	image = bytes != NULL ? BlobToImage(info, bytes, size, &e) : NULL;
	DestroyImageInfo(info);
	DestroyExceptionInfo(&e);
	return image;
}

static bool
has_size(const char *name, unsigned long columns, unsigned long rows)
{
	Image *image = stored(name);
	bool so = image != NULL && image->columns == columns && image->rows == rows;

	if (image != NULL)
		DestroyImage(image);
	return so;
}

/* Whether the picture's first pixel is nearly of this grey (0 … 255). */
static bool
is_grey(const char *name, int grey)
{
	Image *image = stored(name);
	PixelPacket pixel;
	ExceptionInfo e;

	if (image == NULL)
		return false;
	GetExceptionInfo(&e);
	pixel = AcquireOnePixel(image, 0, 0, &e);
	DestroyExceptionInfo(&e);
	DestroyImage(image);
	return abs(ScaleQuantumToChar(pixel.red) - grey) < 4 &&
	    abs(ScaleQuantumToChar(pixel.green) - grey) < 4 &&
	    abs(ScaleQuantumToChar(pixel.blue) - grey) < 4;
}

static void
formats_are_told_by_their_bytes(void)
{
	static const struct {
		const char *bytes, *ending;
	} cases[] = {
		{ "\xff\xd8\xff\xe0............", "jpg" },
		{ "\x89PNG\r\n\x1a\n........", "png" },
		{ "GIF87a..........", "gif" },
		{ "GIF89a..........", "gif" },
		{ "RIFF....WEBP....", "webp" },
		{ "RIFF....WAVE....", NULL },
		{ "RIFX....WEBP....", NULL },
		{ "GIF88a..........", NULL },
		{ "\x89PNG\n\x1a\n.........", NULL },
		{ "\xff\xd8\xfe.............", NULL },
		{ "%PDF-1.4........", NULL },
		{ "%!PS-Adobe-3.0..", NULL },
		{ "<svg xmlns=\"...\">", NULL },
		{ "BM..............", NULL },
		{ "push graphic-con", NULL },
		{ " GIF89a.........", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *ending = image_sniff(cases[i].bytes, 16);

		if ((ending == NULL) != (cases[i].ending == NULL) ||
		    (ending != NULL && strcmp(ending, cases[i].ending) != 0))
			CU_FAIL(cases[i].bytes);
		CU_ASSERT_PTR_NULL(image_sniff(cases[i].bytes, 15));
	}
	CU_ASSERT_PTR_NULL(image_sniff("", 0));
}

static void
each_format_is_stored_with_a_thumbnail(void)
{
	static const struct {
		const char *coder, *ending;
	} formats[] = { { "JPEG", "jpg" }, { "PNG", "png" }, { "GIF", "gif" }, { "WEBP", "webp" } };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct image out = { 0 };
		size_t size;
		void *bytes = picture(formats[i].coder, 40, 20, &size);

		CU_ASSERT_STRING_EQUAL_FATAL(image_sniff(bytes, size), formats[i].ending);
		CU_ASSERT_EQUAL_FATAL(
		    image_store(arena, unit_dir(), bytes, size, &out), IMAGE_STORED);
		CU_ASSERT_STRING_EQUAL(out.name + 37, formats[i].ending);
		CU_ASSERT_STRING_EQUAL(out.thumbnail + 37, "jpg");
		CU_ASSERT_TRUE(http_is_uuid(arena_strndup(arena, out.name, 36)));
		CU_ASSERT_STRING_NOT_EQUAL(out.name, out.thumbnail);
		CU_ASSERT_TRUE(has_size(out.name, 40, 20));
		CU_ASSERT_TRUE(has_size(out.thumbnail, IMAGE_THUMBNAIL, IMAGE_THUMBNAIL));
	}
	CU_ASSERT_EQUAL(files_in(unit_dir()), 8);
}

static void
the_web_server_may_read_the_files(void)
{
	struct image out = { 0 };
	struct stat st;
	size_t size;
	void *bytes = picture("PNG", 3, 3, &size);
	mode_t mask = umask(077);

	CU_ASSERT_EQUAL_FATAL(image_store(arena, unit_dir(), bytes, size, &out), IMAGE_STORED);
	umask(mask);
	CU_ASSERT_EQUAL(stat(unit_path(out.name), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0644);
	CU_ASSERT_EQUAL(stat(unit_path(out.thumbnail), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0644);
}

static void
large_pictures_become_smaller(void)
{
	struct image out = { 0 };
	size_t size;
	void *bytes = picture("PNG", 3200, 100, &size);

	CU_ASSERT_EQUAL_FATAL(image_store(arena, unit_dir(), bytes, size, &out), IMAGE_STORED);
	CU_ASSERT_TRUE(has_size(out.name, IMAGE_SIDE, 50));
	CU_ASSERT_TRUE(has_size(out.thumbnail, IMAGE_THUMBNAIL, IMAGE_THUMBNAIL));
	/* a JPEG may be decoded smaller than it is, never larger */
	bytes = picture("JPEG", 100, 6600, &size);
	CU_ASSERT_EQUAL_FATAL(image_store(arena, unit_dir(), bytes, size, &out), IMAGE_STORED);
	CU_ASSERT_TRUE(has_size(out.name, 24, IMAGE_SIDE));
}

static void
nothing_but_the_picture_is_kept(void)
{
	struct image out = { 0 };
	size_t size, kept_size;
	char *bytes = picture("JPEG", 30, 30, &size), *more = arena_alloc(arena, size + 16), *kept;

	memcpy(more, bytes, size);
	memcpy(more + size, "<?php evil(); ?>", 16);
	CU_ASSERT_PTR_NOT_NULL(memmem(more, size, "taken at home", 13));
	CU_ASSERT_EQUAL_FATAL(image_store(arena, unit_dir(), more, size + 16, &out), IMAGE_STORED);
	kept = contents(out.name, &kept_size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
	CU_ASSERT_PTR_NULL(memmem(kept, kept_size, "evil", 4));
	CU_ASSERT_PTR_NULL(memmem(kept, kept_size, "taken at home", 13));
}

/* A JPEG's Exif part that says: turned by a quarter. */
static const unsigned char quarter_turn[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M',
	0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0 };

static void
pictures_are_stored_upright(void)
{
	struct image out = { 0 };
	size_t size;
	char *bytes = picture("JPEG", 40, 20, &size);
	char *turned = arena_alloc(arena, size + sizeof(quarter_turn));

	memcpy(turned, bytes, 2);
	memcpy(turned + 2, quarter_turn, sizeof(quarter_turn));
	memcpy(turned + 2 + sizeof(quarter_turn), bytes + 2, size - 2);
	CU_ASSERT_EQUAL_FATAL(
	    image_store(arena, unit_dir(), turned, size + sizeof(quarter_turn), &out),
	    IMAGE_STORED);
	CU_ASSERT_TRUE(has_size(out.name, 20, 40));
}

static void
a_thumbnail_is_white_where_the_picture_is_transparent(void)
{
	static const char *const coders[] = { "PNG", "GIF", "WEBP" };
	struct image out = { 0 };
	size_t size;
	void *bytes;

	for (size_t i = 0; i < sizeof(coders) / sizeof(coders[0]); i++) {
		bytes = coloured("transparent", coders[i], 20, 20, &size);

		CU_ASSERT_EQUAL_FATAL(
		    image_store(arena, unit_dir(), bytes, size, &out), IMAGE_STORED);
		if (!is_grey(out.thumbnail, 255))
			CU_FAIL(coders[i]);
	}
	bytes = coloured("#808080", "PNG", 20, 20, &size);
	CU_ASSERT_EQUAL_FATAL(image_store(arena, unit_dir(), bytes, size, &out), IMAGE_STORED);
	CU_ASSERT_TRUE(is_grey(out.thumbnail, 128));
}

static void
what_is_no_whole_picture_is_refused_and_leaves_no_file(void)
{
	static const char *const coders[] = { "JPEG", "PNG", "GIF", "WEBP" };
	struct image out;
	int before = files_in(unit_dir());
	size_t size;

	for (size_t i = 0; i < sizeof(coders) / sizeof(coders[0]); i++) {
		char *bytes = picture(coders[i], 60, 60, &size);

		CU_ASSERT_EQUAL(image_store(arena, unit_dir(), bytes, 15, &out), IMAGE_REFUSED);
		CU_ASSERT_EQUAL(image_store(arena, unit_dir(), bytes, 20, &out), IMAGE_REFUSED);
		if (image_store(arena, unit_dir(), bytes, size / 2, &out) != IMAGE_REFUSED)
			CU_FAIL(coders[i]);
		/* its head whole, its last pixels not */
		if (i == 0)
			CU_ASSERT_EQUAL(
			    image_store(arena, unit_dir(), bytes, size - 12, &out), IMAGE_REFUSED);
	}
	CU_ASSERT_EQUAL(image_store(arena, unit_dir(), "", 0, &out), IMAGE_REFUSED);
	CU_ASSERT_EQUAL(
	    image_store(arena, unit_dir(), "%!PS-Adobe-3.0\nshowpage\n", 24, &out), IMAGE_REFUSED);
	CU_ASSERT_EQUAL(
	    image_store(arena, unit_dir(), "GIF89a the rest is no GIF at all", 32, &out),
	    IMAGE_REFUSED);
	CU_ASSERT_EQUAL(files_in(unit_dir()), before);
}

static void
too_many_pixels_are_refused_before_they_are_read(void)
{
	/* a PNG's head of 30,000 × 30,000, then nothing */
	static const unsigned char bomb[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0,
		13, 'I', 'H', 'D', 'R', 0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0, 0x1d,
		0x2e, 0x3a, 0x4c, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82 };
	struct image out;
	int before = files_in(unit_dir());
	size_t size;
	void *thin = picture("PNG", 1, 120, &size);

	CU_ASSERT_EQUAL(image_store(arena, unit_dir(), bomb, sizeof(bomb), &out), IMAGE_REFUSED);
	/* its thumbnail would be 300 × 36,000 */
	CU_ASSERT_EQUAL(image_store(arena, unit_dir(), thin, size, &out), IMAGE_REFUSED);
	CU_ASSERT_EQUAL(files_in(unit_dir()), before);
}

static void
too_many_bytes_are_refused(void)
{
	struct image out;
	size_t size;
	char *bytes = picture("JPEG", 10, 10, &size);
	char *large = arena_alloc(arena, IMAGE_BYTES_MAX + 1);

	memcpy(large, bytes, size);
	CU_ASSERT_EQUAL(
	    image_store(arena, unit_dir(), large, IMAGE_BYTES_MAX + 1, &out), IMAGE_REFUSED);
	CU_ASSERT_EQUAL(image_store(arena, unit_dir(), large, IMAGE_BYTES_MAX, &out), IMAGE_STORED);
}

static void
a_directory_that_is_not_there_is_told(void)
{
	struct image out;
	size_t size;
	void *bytes = picture("GIF", 5, 5, &size);

	CU_ASSERT_EQUAL(image_store(arena, unit_path("none"), bytes, size, &out), IMAGE_FAILED);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "formats are told by their bytes", formats_are_told_by_their_bytes },
		{ "each format is stored with a thumbnail",
		    each_format_is_stored_with_a_thumbnail },
		{ "the web server may read the files", the_web_server_may_read_the_files },
		{ "large pictures become smaller", large_pictures_become_smaller },
		{ "nothing but the picture is kept", nothing_but_the_picture_is_kept },
		{ "pictures are stored upright", pictures_are_stored_upright },
		{ "a thumbnail is white where the picture is transparent",
		    a_thumbnail_is_white_where_the_picture_is_transparent },
		{ "what is no whole picture is refused and leaves no file",
		    what_is_no_whole_picture_is_refused_and_leaves_no_file },
		{ "too many pixels are refused before they are read",
		    too_many_pixels_are_refused_before_they_are_read },
		{ "too many bytes are refused", too_many_bytes_are_refused },
		{ "a directory that is not there is told", a_directory_that_is_not_there_is_told },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(1 << 20);
	/* valgrind takes what libjpeg does by SIMD for uninitialised */
	setenv("JSIMD_FORCENONE", "1", 1);
	InitializeMagick(NULL);
	status = unit_main("image", tests);
	arena_free(arena);
	return status;
}
