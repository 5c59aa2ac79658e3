/* timeline: an old primary is known as such, to every program of the host. */
#include "config.h"

#include "timeline.h"

#include "unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* timeline_learn() in a process of its own, as another program would. */
static bool
learns_elsewhere(const char *dir, uint64_t cluster, uint64_t number)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(timeline_learn(dir, cluster, number) ? 0 : 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
an_old_primary_is_refused_by_all(void)
{
	const char *dir = unit_path("run");

	mkdir(dir, 0700);
	CU_ASSERT_TRUE(timeline_holds(7, 1));
	CU_ASSERT_TRUE(timeline_learn(dir, 7, 1));
	CU_ASSERT_TRUE(timeline_learn(dir, 7, 1));
	CU_ASSERT_TRUE(timeline_holds(7, 1));
	/* another program sees the promoted one first */
	CU_ASSERT_TRUE(learns_elsewhere(dir, 7, 2));
	CU_ASSERT_FALSE(timeline_holds(7, 1));
	CU_ASSERT_FALSE(timeline_learn(dir, 7, 1));
	CU_ASSERT_FALSE(learns_elsewhere(dir, 7, 1));
	CU_ASSERT_TRUE(timeline_holds(7, 2));
	CU_ASSERT_TRUE(timeline_learn(dir, 7, 3));
	CU_ASSERT_FALSE(learns_elsewhere(dir, 7, 2));
	CU_ASSERT_TRUE(learns_elsewhere(dir, 7, 3));
	/* a restored or a new cluster begins anew */
	CU_ASSERT_TRUE(timeline_learn(dir, 8, 1));
	CU_ASSERT_TRUE(timeline_holds(8, 1));
	CU_ASSERT_TRUE(learns_elsewhere(dir, 8, 1));
}

static void
without_a_directory_nobody_is_refused(void)
{
	CU_ASSERT_TRUE(learns_elsewhere("/nonexistent", 9, 2));
	CU_ASSERT_TRUE(learns_elsewhere("/nonexistent", 9, 1));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "an old primary is refused by all", an_old_primary_is_refused_by_all },
		{ "without a directory nobody is refused", without_a_directory_nobody_is_refused },
		CU_TEST_INFO_NULL,
	};

	return unit_main("timeline", tests);
}
