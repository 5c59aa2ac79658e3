#include "config.h"

#include "option.h"

#include <stdio.h>
#include <string.h>

int
option_answer(const char *option, const char *program, const char *usage, const char *about)
{
	if (strcmp(option, "--version") == 0) {
		printf("%s (" PACKAGE_NAME ") " PACKAGE_VERSION "\n", program);
		return 0;
	}
	if (strcmp(option, "--help") == 0) {
		printf(
		    "usage: %s %s\n%s\nThe configuration is the file that TABLE_ORDER_ENV names; "
		    "see table-order(7) and table-order.env(5).\n",
		    program, usage, about);
		return 0;
	}
	fprintf(stderr, "%s: unknown option %s; see --help\n", program, option);
	return 2;
}
