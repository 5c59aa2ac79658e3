#include "config.h"

#include "encrypted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* Devices stand on devices; more than that many is a circle. */
#define DEPTH 16

struct mount {
	char device[32]; /* 253:0 */
	char type[64];
	char source[PATH_MAX];
};

/* --- file systems ------------------------------------------------------------------------------
 */

/* \040 in mountinfo is a blank, and so on. */
static void
unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++, to++) {
		unsigned octal;

		if (*s == '\\' && sscanf(s + 1, "%3o", &octal) == 1) {
			*to = (char)octal;
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* The mount that path lies on: the last of those with the longest name. Returns 0 or -1. */
static int
find_mount(const char *root, const char *path, struct mount *out)
{
	char file[PATH_MAX], point[PATH_MAX], *line = NULL;
	size_t size = 0, longest = 0;
	int result = -1;
	FILE *mounts;

	snprintf(file, sizeof(file), "%s/proc/self/mountinfo", root);
	mounts = fopen(file, "re");
	while (mounts != NULL && getline(&line, &size, mounts) > 0) {
		struct mount m;
		/* 36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/sda1 rw (proc(5)) */
		const char *behind = strstr(line, " - ");

		if (behind == NULL ||
		    sscanf(line, "%*d %*d %31s %*s %4095s", m.device, point) != 2 ||
		    sscanf(behind, " - %63s %4095s", m.type, m.source) != 2)
			continue;
		unescape(point);
		unescape(m.source);
		if (!is_below(path, point) || strlen(point) < longest)
			continue;
		longest = strlen(point);
		*out = m;
		result = 0;
	}
	free(line);
	if (mounts != NULL)
		fclose(mounts);
	return result;
}

static bool
has_fscrypt_policy(const char *path)
{
	struct fscrypt_get_policy_ex_arg policy = { .policy_size = sizeof(policy.policy) };
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;

	if (fd == -1)
		return false;
	result = ioctl(fd, FS_IOC_GET_ENCRYPTION_POLICY_EX, &policy);
	close(fd);
	return result == 0;
}

static const char *const encrypting_types[] = { "ecryptfs", "fuse.gocryptfs", "fuse.encfs",
	"fuse.cryfs", "fuse.securefs", NULL };
static const char *const network_types[] = { "nfs", "nfs4", "cifs", "ceph", "fuse.glusterfs",
	"fuse.sshfs", NULL };

static bool
is_one_of(const char *const *types, const char *type)
{
	for (; *types != NULL; types++)
		if (strcmp(*types, type) == 0)
			return true;
	return false;
}

/* What `zfs get` says of a dataset's encryption: "off", or a cipher. */
static bool
is_encrypted_dataset(const char *dataset)
{
	const char *const argv[] = { "zfs", "get", "-H", "-o", "value", "encryption", dataset,
		NULL };
	const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
		NULL };
	posix_spawn_file_actions_t actions;
	char said[64] = "";
	int ends[2], status;
	ssize_t n = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv,
		(char *const *)environment) == 0) {
		close(ends[1]);
		n = read(ends[0], said, sizeof(said) - 1);
		waitpid(pid, &status, 0);
	} else {
		close(ends[1]);
	}
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	return n > 0 && strncmp(said, "off", 3) != 0 && said[0] != '-';
}

/* --- block devices -----------------------------------------------------------------------------
 */

/* The first line of dir/name; false when there is none. */
static bool
read_line(const char *dir, const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	FILE *f;
	bool got;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	got = fgets(out, (int)size, f) != NULL;
	fclose(f);
	if (got)
		out[strcspn(out, "\n")] = '\0';
	return got;
}

static int walk_device(const char *root, const char *sys, int depth, char *why);

/* Whether all devices that this one is made of are encrypted; -1 when it is made of none. */
static int
walk_slaves(const char *root, const char *sys, int depth, char *why)
{
	char path[PATH_MAX], slave[PATH_MAX];
	int result = -1;
	struct dirent *e;
	DIR *dir;

	if (snprintf(path, sizeof(path), "%s/slaves", sys) >= (int)sizeof(path))
		return -1;
	dir = opendir(path);
	while (dir != NULL && result != 0 && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(slave, sizeof(slave), "%s/%s", path, e->d_name) < (int)sizeof(slave))
			result = walk_device(root, slave, depth + 1, why);
	}
	if (dir != NULL)
		closedir(dir);
	return result;
}

static int
walk_device(const char *root, const char *sys, int depth, char *why)
{
	char text[PATH_MAX], real[PATH_MAX];
	const char *name;
	int result;

	if (depth == DEPTH || realpath(sys, real) == NULL)
		return 0;
	name = strrchr(real, '/') + 1;
	if (read_line(real, "dm/uuid", text, sizeof(text)) && strncmp(text, "CRYPT-", 6) == 0) {
		snprintf(why, ENCRYPTED_WHY_SIZE, "dm-crypt (%.60s)", name);
		return 1;
	}
	if (read_line(real, "loop/backing_file", text, sizeof(text)))
		return encrypted_path(root, text, why) == 1;
	result = walk_slaves(root, real, depth, why);
	if (result != -1)
		return result;
	/* a partition is made of the disk that it is on */
	if (read_line(real, "partition", text, sizeof(text))) {
		snprintf(text, sizeof(text), "%.*s", (int)(name - 1 - real), real);
		return walk_device(root, text, depth + 1, why);
	}
	snprintf(why, ENCRYPTED_WHY_SIZE, "%.60s, without dm-crypt", name);
	return 0;
}

int
encrypted_device(const char *root, const char *sys, char why[ENCRYPTED_WHY_SIZE])
{
	snprintf(why, ENCRYPTED_WHY_SIZE, "%.100s", sys);
	return walk_device(root, sys, 0, why);
}

/* --- both --------------------------------------------------------------------------------------
 */

int
encrypted_path(const char *root, const char *path, char why[ENCRYPTED_WHY_SIZE])
{
	char real[PATH_MAX], sys[PATH_MAX];
	struct mount m;
	struct stat st;

	if (realpath(path, real) == NULL)
		return -1;
	if (has_fscrypt_policy(real)) {
		snprintf(why, ENCRYPTED_WHY_SIZE, "fscrypt");
		return 1;
	}
	if (find_mount(root, real, &m) == -1) {
		snprintf(why, ENCRYPTED_WHY_SIZE, "no known file system");
		return 0;
	}
	snprintf(why, ENCRYPTED_WHY_SIZE, "%.60s", m.type);
	if (is_one_of(encrypting_types, m.type))
		return 1;
	if (is_one_of(network_types, m.type)) {
		snprintf(why, ENCRYPTED_WHY_SIZE, "%.60s of %.100s", m.type, m.source);
		return ENCRYPTED_ELSEWHERE;
	}
	if (strcmp(m.type, "zfs") == 0)
		return is_encrypted_dataset(m.source);
	/* btrfs counts its mounts by numbers that are no device's */
	if (strncmp(m.device, "0:", 2) == 0) {
		if (stat(m.source, &st) == -1 || !S_ISBLK(st.st_mode))
			return 0;
		snprintf(m.device, sizeof(m.device), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	}
	snprintf(sys, sizeof(sys), "%s/sys/dev/block/%s", root, m.device);
	return encrypted_device(root, sys, why);
}
