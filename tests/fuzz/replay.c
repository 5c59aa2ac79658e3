/*
 * replay: feeds files to a fuzz target: those named, and those in the
 * directories named; without any, its corpus in the source tree.
 */
#include "config.h"

#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

static int files;

static bool
feed_file(const char *path)
{
	FILE *f = fopen(path, "r");
	struct stat st;
	uint8_t *bytes;
	bool whole;

	if (f == NULL || fstat(fileno(f), &st) == -1) {
		perror(path);
		return false;
	}
	bytes = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	FUZZ_CHECK(bytes != NULL);
	whole = fread(bytes, 1, (size_t)st.st_size, f) == (size_t)st.st_size;
	fclose(f);
	if (whole)
		LLVMFuzzerTestOneInput(bytes, (size_t)st.st_size);
	else
		fprintf(stderr, "%s: cannot be read\n", path);
	free(bytes);
	files++;
	return whole;
}

static bool
feed(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char inside[PATH_MAX];
	bool fine = true;

	if (dir == NULL)
		return feed_file(path);
	while ((entry = readdir(dir)) != NULL) {
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			fine = feed_file(inside) && fine;
	}
	closedir(dir);
	return fine;
}

/* tests/fuzz/fuzz_http, or libtool's lt-fuzz_http, has its corpus in tests/fuzz/corpus/http. */
static bool
feed_corpus(const char *program)
{
	const char *srcdir = getenv("srcdir"), *target = strrchr(program, '_');
	char path[PATH_MAX];

	FUZZ_CHECK(target != NULL);
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".",
	    target + 1);
	return feed(path);
}

int
main(int argc, char **argv)
{
	bool fine = argc > 1 || feed_corpus(argv[0]);

	for (int i = 1; i < argc; i++)
		fine = feed(argv[i]) && fine;
	printf("%d files\n", files);
	return fine && files > 0 ? 0 : 1;
}
