/* A configuration file. The first byte tells who may read it, whether unknown keys are errors, and
 * which keys are needed. */
#include "config.h"

#include "conf.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void
try_line(const uint8_t *data, size_t size)
{
	size_t rest, n = fuzz_first_line(data, size, &rest);
	char *line = fuzz_copy(data, n, 1);
	const char *key = NULL, *value = NULL, *why = NULL;

	switch (conf_parse_line(line, &key, &value, &why)) {
	case 1:
		FUZZ_CHECK(*key != '\0' && strpbrk(value, "'\\") == NULL);
		break;
	case 0:
		FUZZ_CHECK(key == NULL && why == NULL);
		break;
	default:
		FUZZ_CHECK(why != NULL);
		break;
	}
	free(line);
}

/* Opening whatever path the input names would block on a pipe or a terminal. */
static bool
names_a_device(const uint8_t *data, size_t size)
{
	return memmem(data, size, "_FILE", 5) != NULL && memmem(data, size, "/null", 5) == NULL &&
	    (memmem(data, size, "/dev", 4) != NULL || memmem(data, size, "/proc", 5) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *err;
	char path[64];
	struct conf c;
	int fd, errors;

	if (size == 0 || names_a_device(data, size))
		return 0;
	try_line(data + 1, size - 1);
	if (err == NULL)
		err = fopen("/dev/null", "w");
	fd = memfd_create("conf", MFD_CLOEXEC);
	FUZZ_CHECK(err != NULL && fd != -1);
	FUZZ_CHECK(write(fd, data + 1, size - 1) == (ssize_t)size - 1);
	fchmod(fd, (data[0] & 1) != 0 ? 0644 : 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	errors = conf_load(
	    &c, path, (data[0] & 4) != 0 ? CONF_DATABASE | CONF_REDIS : 0, (data[0] & 2) != 0, err);
	FUZZ_CHECK(errors >= 0);
	if (errors == 0)
		FUZZ_CHECK(c.redis_url != NULL && c.db_pool_size >= 1 && c.bcrypt_cost <= 16);
	conf_fini(&c);
	close(fd);
	return 0;
}
