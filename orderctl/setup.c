/* orderctl setup: most of it is running psql, rabbitmqctl and this command, so it is a shell
 * script, installed beside the migrations. */
#include "config.h"

#include "orderctl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT PKGDATADIR "/setup"

int
ctl_setup(int argc, char **argv)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)argc;
	if (n == -1)
		return ctl_fail("/proc/self/exe: %s; is /proc mounted?", strerror(errno));
	self[n] = '\0';
	setenv("ORDERCTL", self, 1);
	setenv("TABLE_ORDER_ENV", conf_path(), 1);
	execv(SCRIPT, argv);
	return ctl_fail("%s: %s; install table-order again", SCRIPT, strerror(errno));
}
