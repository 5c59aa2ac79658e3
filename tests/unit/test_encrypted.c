/* encrypted: what lies on dm-crypt, through LVM, partitions, RAID and loop devices, in a /proc and
 * a /sys of our own making. */
#include "config.h"

#include "../../orderctl/encrypted.h"

#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

static char root[64];

/* root/path, with the directories above it, and text in it. */
static void
put(const char *path, const char *text)
{
	char file[300];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", root, path);
	for (char *p = file + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(file, 0755);
		*p = '/';
	}
	f = fopen(file, "w");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF)
		abort();
}

static void
link_to(const char *path, const char *target)
{
	char file[300];

	snprintf(file, sizeof(file), "%s/%s", root, path);
	if (symlink(target, file) == -1 && errno != EEXIST)
		abort();
}

static void
make_devices(void)
{
	snprintf(root, sizeof(root), "%s", unit_dir());
	/* a disk, its partition, LUKS on that, a logical volume on that */
	put("sys/devices/sda/sda1/partition", "1\n");
	put("sys/devices/sda/size", "1\n");
	put("sys/devices/dm-0/dm/uuid", "CRYPT-LUKS2-0123456789abcdef-luks\n");
	put("sys/devices/dm-0/slaves/.keep", "");
	link_to("sys/devices/dm-0/slaves/sda1", "../../sda/sda1");
	put("sys/devices/dm-1/dm/uuid", "LVM-abc\n");
	put("sys/devices/dm-1/slaves/.keep", "");
	link_to("sys/devices/dm-1/slaves/dm-0", "../../dm-0");
	/* a logical volume over an encrypted and a bare disk */
	put("sys/devices/dm-2/dm/uuid", "LVM-def\n");
	put("sys/devices/dm-2/slaves/.keep", "");
	link_to("sys/devices/dm-2/slaves/dm-0", "../../dm-0");
	link_to("sys/devices/dm-2/slaves/sda1", "../../sda/sda1");
	/* a partition on a RAID of encrypted disks */
	put("sys/devices/md0/slaves/.keep", "");
	link_to("sys/devices/md0/slaves/dm-0", "../../dm-0");
	put("sys/devices/md0/md0p1/partition", "1\n");
	/* devices that stand on each other */
	put("sys/devices/dm-8/slaves/.keep", "");
	put("sys/devices/dm-9/slaves/.keep", "");
	link_to("sys/devices/dm-8/slaves/dm-9", "../../dm-9");
	link_to("sys/devices/dm-9/slaves/dm-8", "../../dm-8");
}

static int
device(const char *name, char why[ENCRYPTED_WHY_SIZE])
{
	char sys[300];

	snprintf(sys, sizeof(sys), "%s/sys/devices/%s", root, name);
	return encrypted_device(root, sys, why);
}

static void
devices_are_followed_down_to_dm_crypt(void)
{
	static const struct {
		const char *name;
		int encrypted;
		const char *why;
	} cases[] = {
		{ "dm-0", 1, "dm-crypt (dm-0)" },
		{ "dm-1", 1, "dm-crypt (dm-0)" },
		{ "md0/md0p1", 1, "dm-crypt (dm-0)" },
		{ "sda", 0, "sda, without dm-crypt" },
		{ "sda/sda1", 0, "sda, without dm-crypt" },
		{ "dm-2", 0, "sda, without dm-crypt" },
		{ "dm-8", 0, NULL },
		{ "none", 0, NULL },
	};
	char why[ENCRYPTED_WHY_SIZE];

	make_devices();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (device(cases[i].name, why) != cases[i].encrypted)
			CU_FAIL(cases[i].name);
		if (cases[i].why != NULL)
			CU_ASSERT_STRING_EQUAL(why, cases[i].why);
	}
}

/* Where unit_dir() lies, as the mounts say. */
static int
below_mounts(const char *mounts, char why[ENCRYPTED_WHY_SIZE])
{
	make_devices();
	put("proc/self/mountinfo", mounts);
	return encrypted_path(root, root, why);
}

static void
a_path_lies_on_the_mount_nearest_above_it(void)
{
	char mounts[1000], why[ENCRYPTED_WHY_SIZE];

	put("sys/dev/block/.keep", "");
	link_to("sys/dev/block/8:1", "../../devices/sda/sda1");
	link_to("sys/dev/block/253:1", "../../devices/dm-1");
	CU_ASSERT_EQUAL(below_mounts("1 0 253:1 / / rw - ext4 /dev/mapper/v rw\n", why), 1);
	CU_ASSERT_EQUAL(below_mounts("1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n", why), 0);
	snprintf(mounts, sizeof(mounts),
	    "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 253:1 / %s rw - xfs /dev/mapper/v rw\n", root);
	CU_ASSERT_EQUAL(below_mounts(mounts, why), 1);
	/* a name that only begins like it is another's */
	snprintf(mounts, sizeof(mounts),
	    "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 253:1 / %.60s rw - xfs /dev/v rw\n", root);
	mounts[strlen(mounts) - strlen(" rw - xfs /dev/v rw\n") - 1] = 'X';
	CU_ASSERT_EQUAL(below_mounts(mounts, why), 0);
	/* of two on one place the later one hides the other */
	CU_ASSERT_EQUAL(below_mounts("1 0 253:1 / / rw - ext4 /dev/v rw\n"
				     "2 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
			    why),
	    0);
}

static void
file_systems_that_encrypt_are_known(void)
{
	char why[ENCRYPTED_WHY_SIZE];

	CU_ASSERT_EQUAL(below_mounts("1 0 0:40 / / rw - fuse.gocryptfs /srv/x rw\n", why), 1);
	CU_ASSERT_STRING_EQUAL(why, "fuse.gocryptfs");
	CU_ASSERT_EQUAL(below_mounts("1 0 0:40 / / rw - ecryptfs /srv/x rw\n", why), 1);
	CU_ASSERT_EQUAL(
	    below_mounts("1 0 0:40 / / rw - nfs4 host:/x rw\n", why), ENCRYPTED_ELSEWHERE);
	CU_ASSERT_STRING_EQUAL(why, "nfs4 of host:/x");
	CU_ASSERT_EQUAL(below_mounts("1 0 0:40 / / rw - tmpfs tmpfs rw\n", why), 0);
	CU_ASSERT_EQUAL(below_mounts("nonsense\n", why), 0);
	CU_ASSERT_EQUAL(encrypted_path(root, "/no/such/place", why), -1);
}

static void
a_loop_device_is_as_its_file_is(void)
{
	char text[300], why[ENCRYPTED_WHY_SIZE];

	make_devices();
	link_to("sys/dev/block/8:1", "../../devices/sda/sda1");
	put("disk.img", "");
	snprintf(text, sizeof(text), "%s/disk.img\n", root);
	put("sys/devices/loop0/loop/backing_file", text);
	put("proc/self/mountinfo", "1 0 253:1 / / rw - ext4 /dev/mapper/v rw\n");
	CU_ASSERT_EQUAL(device("loop0", why), 1);
	put("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
	CU_ASSERT_EQUAL(device("loop0", why), 0);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "devices are followed down to dm-crypt", devices_are_followed_down_to_dm_crypt },
		{ "a path lies on the mount nearest above it",
		    a_path_lies_on_the_mount_nearest_above_it },
		{ "file systems that encrypt are known", file_systems_that_encrypt_are_known },
		{ "a loop device is as its file is", a_loop_device_is_as_its_file_is },
		CU_TEST_INFO_NULL,
	};

	return unit_main("encrypted", tests);
}
