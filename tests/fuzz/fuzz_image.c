/* Pictures, decoded and stored under limits that keep a run short. */
#include "config.h"

#include "../../cgi-bin/image.h"
#include "fuzz.h"
#include "log.h"

#include <magick/api.h>
#include <stdio.h>
#include <unistd.h>

static char dir[64];

static void
remove_dir(void)
{
	rmdir(dir);
}

static void
prepare(struct arena *a)
{
	static const char none[] = "GIF89a and no more than that";
	struct image out;

	log_open(NULL, "fuzz", LOG_ERROR);
	/* valgrind takes what libjpeg does by SIMD for uninitialised */
	setenv("JSIMD_FORCENONE", "1", 1);
	/* the first picture sets the limits of a service; then come ours */
	FUZZ_CHECK(image_store(a, "/", none, sizeof(none), &out) == IMAGE_REFUSED);
	SetMagickResourceLimit(PixelsResource, 1 << 20);
	SetMagickResourceLimit(MemoryResource, 64 << 20);
	snprintf(dir, sizeof(dir), "%.40s/fuzz.XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	FUZZ_CHECK(mkdtemp(dir) != NULL);
	atexit(remove_dir);
}

static void
take_away(struct arena *a, const char *name)
{
	FUZZ_CHECK(unlink(arena_printf(a, "%s/%s", dir, name)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(4096);
	char *bytes = fuzz_copy(data, size, 0);
	struct image out;

	if (dir[0] == '\0')
		prepare(a);
	if (image_store(a, dir, bytes, size, &out) == IMAGE_STORED) {
		FUZZ_CHECK(image_sniff(bytes, size) != NULL);
		take_away(a, out.name);
		take_away(a, out.thumbnail);
		FUZZ_CHECK(image_store(a, "/none/such", bytes, size, &out) == IMAGE_FAILED);
	}
	free(bytes);
	arena_free(a);
	return 0;
}
