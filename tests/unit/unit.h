/*
 * unit: what the unit tests share: one suite a program, and a directory of its
 * own that goes with the process.
 */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/Basic.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char unit_dir_path[64];
static pid_t unit_dir_owner;

static inline int
unit_remove(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline void
unit_clean(void)
{
	if (getpid() == unit_dir_owner)
		nftw(unit_dir_path, unit_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* A new directory of this process, removed at its exit. */
static inline const char *
unit_dir(void)
{
	if (unit_dir_path[0] == '\0') {
		strcpy(unit_dir_path, "/tmp/table-order-unit.XXXXXX");
		if (mkdtemp(unit_dir_path) == NULL)
			abort();
		unit_dir_owner = getpid();
		atexit(unit_clean);
	}
	return unit_dir_path;
}

/* unit_dir()/name, valid until the 32nd call from here. */
static inline const char *
unit_path(const char *name)
{
	static char paths[32][128];
	static int next;
	char *path = paths[next++ % 32];

	snprintf(path, sizeof(paths[0]), "%s/%s", unit_dir(), name);
	return path;
}

/* Writes text to unit_dir()/name; returns its path. */
static inline const char *
unit_file(const char *name, const char *text)
{
	const char *path = unit_path(name);
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		abort();
	return path;
}

/* Runs the tests, ended by CU_TEST_INFO_NULL, with CUnit's summary. Returns the exit status. */
static inline int
unit_main(const char *name, CU_TestInfo *tests)
{
	CU_SuiteInfo suites[] = { { name, NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned failures;

	setvbuf(
	    stdout, NULL, _IONBF, 0); /* a forked child must not print its parent's text again */
	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 2;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures == 0 ? 0 : 1;
}

#endif
