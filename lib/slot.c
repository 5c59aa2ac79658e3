#include "config.h"

#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes a lock file. One that root makes goes to the owner of the directory: the services, who are
 * not root, could not open it. */
static int
create_lock(const char *dir, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	struct stat st;

	if (fd != -1 && geteuid() == 0 && stat(dir, &st) == 0 &&
	    fchown(fd, st.st_uid, st.st_gid) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
open_lock(const char *dir, const char *name, const char *suffix, int number)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.%s%d", dir, name, suffix, number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		fd = create_lock(dir, path);
	if (fd == -1 && errno == EEXIST) /* another made it meanwhile */
		fd = open(path, O_RDWR | O_CLOEXEC);
	return fd;
}

int
slot_take(const char *dir, const char *name, int n, int *index)
{
	for (int i = 0; i < n; i++) {
		int fd = open_lock(dir, name, "", i);

		if (fd == -1)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			if (index != NULL)
				*index = i;
			return fd;
		}
		close(fd);
	}
	errno = EAGAIN;
	return -1;
}

bool
slot_held(const char *dir, const char *name, int number)
{
	char path[4096];
	bool held;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.%d", dir, name, number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) == -1;
	close(fd);
	return held;
}

int
slot_want(const char *dir, const char *name)
{
	int fd = open_lock(dir, name, "wanted", 0);

	if (fd != -1 && flock(fd, LOCK_SH | LOCK_NB) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

bool
slot_wanted(const char *dir, const char *name)
{
	int fd = open_lock(dir, name, "wanted", 0);
	bool wanted;

	if (fd == -1)
		return false;
	wanted = flock(fd, LOCK_EX | LOCK_NB) == -1;
	close(fd);
	return wanted;
}
