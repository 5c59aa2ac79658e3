/* conf: what a configuration file may say, and what is said about it. */
#include "config.h"

#include "conf.h"

#include "unit.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#define PUBLIC_PEM "-----BEGIN PUBLIC KEY-----\nQUJD\n-----END PUBLIC KEY-----"

/* What conf_load said. */
static char said[8192];

static int
load(struct conf *c, const char *path, unsigned need, bool strict)
{
	FILE *err = fmemopen(said, sizeof(said), "w");
	int errors;

	said[0] = '\0';
	errors = conf_load(c, path, need, strict, err);
	fclose(err);
	return errors;
}

/* Whether path:line: rest is one of the lines said; line 0: path: rest. */
static bool
says(const char *path, int line, const char *rest)
{
	char text[600];

	if (line > 0)
		snprintf(text, sizeof(text), "%s:%d: %s", path, line, rest);
	else
		snprintf(text, sizeof(text), "%s: %s", path, rest);
	return strstr(said, text) != NULL;
}

static const char *
private_file(const char *name, const char *text)
{
	const char *path = unit_file(name, text);

	chmod(path, 0600);
	return path;
}

static void
forget_environment(void)
{
	unsetenv("TABLE_ORDER_ENV");
#define KEY(name, ...) \
	unsetenv(#name); \
	unsetenv(#name "_FILE");
	CONF_KEYS(KEY, KEY, KEY, KEY, KEY)
#undef KEY
}

static int
parse(const char *line, const char **key, const char **value)
{
	static char copy[300];
	const char *why = NULL;
	int kind;

	snprintf(copy, sizeof(copy), "%s", line);
	kind = conf_parse_line(copy, key, value, &why);
	CU_ASSERT_EQUAL(kind == -1, why != NULL);
	return kind;
}

static void
accepted_lines(void)
{
	static const struct {
		const char *line, *key, *value;
	} good[] = {
		{ "A=", "A", "" },
		{ "A=b", "A", "b" },
		{ "_a1=_@%+=:,./-", "_a1", "_@%+=:,./-" },
		{ "A=''", "A", "" },
		{ "A='b c # \" $d'", "A", "b c # \" $d" },
		{ "A='한글'", "A", "한글" },
	};
	const char *key, *value;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CU_ASSERT_EQUAL_FATAL(parse(good[i].line, &key, &value), 1);
		CU_ASSERT_STRING_EQUAL(key, good[i].key);
		CU_ASSERT_STRING_EQUAL(value, good[i].value);
	}
	CU_ASSERT_EQUAL(parse("", &key, &value), 0);
	CU_ASSERT_EQUAL(parse("# A=b", &key, &value), 0);
}

static void
refused_lines(void)
{
	static const char *const bad[] = { "A", "=", "=b", "1A=b", " A=b", "A =b", "A= b", "A=b ",
		"A=b c", "A=b#c", "A=$b", "A=\"b\"", "A='b", "A='b'c", "A='b\\'", "A='b''c'", "A='",
		"A=b'c'", "export A=b", "A=한글", "A=b\r", "A;B=c", "A=b\tc", "A=`b`", "-A=b" };
	const char *key, *value;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], &key, &value) != -1)
			CU_FAIL(bad[i]);
}

static void
without_a_file_the_defaults_hold(void)
{
	struct conf c;

	CU_ASSERT_EQUAL(load(&c, unit_path("none"), 0, true), 0);
	CU_ASSERT_STRING_EQUAL(said, "");
#define TEXT(KEY, member, dflt, need) CU_ASSERT_STRING_EQUAL(c.member, dflt);
#define NUMBER(KEY, member, dflt, least, most) CU_ASSERT_EQUAL(c.member, dflt);
#define LEVEL(KEY, member, dflt) CU_ASSERT_EQUAL(c.member, dflt);
	CONF_KEYS(TEXT, TEXT, TEXT, NUMBER, LEVEL)
#undef TEXT
#undef NUMBER
#undef LEVEL
	conf_fini(&c);
}

static const char *
example(void)
{
	static char path[4096];
	const char *srcdir = getenv("srcdir");

	snprintf(path, sizeof(path), "%s/.env.example", srcdir != NULL ? srcdir : ".");
	return path;
}

/* How many lines of the example set key. */
static int
example_lines(const char *wanted)
{
	FILE *f = fopen(example(), "r");
	const char *key, *value, *why;
	char line[1000];
	int n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		n += conf_parse_line(line, &key, &value, &why) == 1 && strcmp(key, wanted) == 0;
	}
	fclose(f);
	return n;
}

static void
the_example_names_every_key_with_its_default(void)
{
	struct conf c, defaults;

	CU_ASSERT_EQUAL(load(&defaults, unit_path("none"), 0, true), 0);
	CU_ASSERT_EQUAL(load(&c, example(), 0, true), 0);
	CU_ASSERT_STRING_EQUAL(said, "");
#define KEY(name, ...) \
	if (example_lines(#name) != 1) \
		CU_FAIL(#name " stands not once in .env.example");
	CONF_KEYS(KEY, KEY, KEY, KEY, KEY)
#undef KEY
#define TEXT(KEY, member, dflt, need) CU_ASSERT_STRING_EQUAL(c.member, defaults.member);
#define NUMBER(KEY, member, ...) CU_ASSERT_EQUAL(c.member, defaults.member);
	CONF_KEYS(TEXT, TEXT, TEXT, NUMBER, NUMBER)
#undef TEXT
#undef NUMBER
	conf_fini(&c);
	conf_fini(&defaults);
}

static void
all_problems_are_listed_at_once(void)
{
	const char *path = private_file("bad.env",
	    "# fine\n"
	    "DB_POOL_SIZE=many\n"
	    "BCRYPT_COST=3\n"
	    "no key here\n"
	    "LOG_LEVEL=info\n"
	    "JWT_PRIVATE_KEY=bm90IGEga2V5\n"
	    "UPLOAD_DIR=/a\n"
	    "UPLOAD_DIR=/b\n"
	    "WORKER_THREADS=8x");
	struct conf c;

	CU_ASSERT_EQUAL(load(&c, path, CONF_DATABASE | CONF_REDIS, false), 9);
	CU_ASSERT_TRUE(says(path, 2, "DB_POOL_SIZE: must be a whole number from 3 to 1000\n"));
	CU_ASSERT_TRUE(says(path, 3, "BCRYPT_COST: must be a whole number from 4 to 16\n"));
	CU_ASSERT_TRUE(says(path, 4, "there must be ="));
	CU_ASSERT_TRUE(says(path, 5, "LOG_LEVEL: must be DEBUG, INFO, WARNING or ERROR\n"));
	CU_ASSERT_TRUE(says(path, 6, "JWT_PRIVATE_KEY: is not PEM"));
	CU_ASSERT_TRUE(says(path, 8, "UPLOAD_DIR: is set twice"));
	CU_ASSERT_TRUE(says(path, 9, "WORKER_THREADS: must be"));
	CU_ASSERT_TRUE(says(path, 0, "DATABASE_URL: must be set\n"));
	CU_ASSERT_TRUE(says(path, 0, "REDIS_URL: must be set\n"));
	CU_ASSERT_PTR_NULL(strstr(said, "bm90IGEga2V5"));
	conf_fini(&c);
}

static void
numbers_keep_their_limits(void)
{
	static const struct {
		const char *line;
		int errors;
	} cases[] = {
		{ "DB_POOL_SIZE=3", 0 },
		{ "DB_POOL_SIZE=1000", 0 },
		{ "DB_POOL_SIZE=2", 1 },
		{ "DB_POOL_SIZE=0", 1 },
		{ "DB_POOL_SIZE=1001", 1 },
		{ "DB_POOL_SIZE=-1", 1 },
		{ "DB_POOL_SIZE=", 1 },
		{ "DB_POOL_SIZE=5.5", 1 },
		{ "DB_POOL_SIZE=99999999999999999999", 1 },
		{ "DB_POOL_SIZE='5 '", 1 },
		{ "DB_POOL_SIZE=0x10", 1 },
		{ "ALLOW_UNENCRYPTED=1", 0 },
		{ "ALLOW_UNENCRYPTED=yes", 1 },
	};
	struct conf c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (load(&c, unit_file("number.env", cases[i].line), 0, true) != cases[i].errors)
			CU_FAIL(cases[i].line);
		conf_fini(&c);
	}
}

static void
unknown_keys_warn_or_fail(void)
{
	const char *path = unit_file("unknown.env", "NO_SUCH_KEY=1\nBCRYPT_COST_FILE=/x\n");
	struct conf c;

	CU_ASSERT_EQUAL(load(&c, path, 0, false), 0);
	CU_ASSERT_TRUE(says(path, 1, "NO_SUCH_KEY: unknown key (ignored)\n"));
	CU_ASSERT_TRUE(says(path, 2, "BCRYPT_COST_FILE: unknown key (ignored)\n"));
	conf_fini(&c);
	CU_ASSERT_EQUAL(load(&c, path, 0, true), 2);
	CU_ASSERT_TRUE(says(path, 1, "NO_SUCH_KEY: unknown key\n"));
	conf_fini(&c);
}

static void
the_environment_wins(void)
{
	const char *path = private_file("env.env", "WORKER_THREADS=2\nREDIS_URL=redis://file\n");
	struct conf c;

	setenv("WORKER_THREADS", "3", 1);
	setenv("REDIS_URL_FILE", private_file("redis", "redis://own file\n"), 1);
	CU_ASSERT_EQUAL(load(&c, path, CONF_REDIS, true), 0);
	CU_ASSERT_EQUAL(c.worker_threads, 3);
	CU_ASSERT_STRING_EQUAL(c.redis_url, "redis://own file");
	conf_fini(&c);
	setenv("WORKER_THREADS", "0", 1);
	CU_ASSERT_EQUAL(load(&c, path, CONF_REDIS, true), 1);
	CU_ASSERT_TRUE(says("environment", 0, "WORKER_THREADS: must be"));
	conf_fini(&c);
	forget_environment();
}

static void
a_secret_may_have_a_file_of_its_own(void)
{
	const char *secret = private_file("secret", "amqp://user:pass word@host\n");
	char line[300];
	const char *path;
	struct conf c;

	snprintf(line, sizeof(line), "RABBITMQ_URL_FILE=%s\n", secret);
	path = unit_file("own.env", line);
	CU_ASSERT_EQUAL(load(&c, path, CONF_RABBITMQ, true), 0);
	CU_ASSERT_STRING_EQUAL(c.rabbitmq_url, "amqp://user:pass word@host");
	conf_fini(&c);

	chmod(secret, 0604);
	CU_ASSERT_EQUAL(load(&c, path, CONF_RABBITMQ, true), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "everybody can read it"));
	conf_fini(&c);

	unlink(secret);
	CU_ASSERT_EQUAL(load(&c, path, CONF_RABBITMQ, true), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, secret));
	conf_fini(&c);

	snprintf(line, sizeof(line), "RABBITMQ_URL_FILE=%s\nRABBITMQ_URL=amqp://x\n", secret);
	CU_ASSERT_TRUE(load(&c, private_file("both.env", line), 0, true) > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "set twice"));
	conf_fini(&c);
}

static void
a_readable_secret_is_refused(void)
{
	const char *path =
	    unit_file("open.env", "REDIS_URL=redis://:pass@host\nWORKER_THREADS=2\n");
	struct conf c;

	chmod(path, 0644);
	CU_ASSERT_EQUAL(load(&c, path, 0, false), 1);
	CU_ASSERT_TRUE(says(path, 1, "REDIS_URL: a secret in a file that everybody can read"));
	conf_fini(&c);
	chmod(path, 0640);
	CU_ASSERT_EQUAL(load(&c, path, 0, false), 0);
	conf_fini(&c);
}

static void
public_keys_need_no_hiding(void)
{
	const char *pem = unit_file("public.pem", PUBLIC_PEM "\n");
	unsigned char base64[200];
	char line[400];
	struct conf c;

	chmod(pem, 0644);
	snprintf(line, sizeof(line), "JWT_PUBLIC_KEYS_FILE=%s\n", pem);
	CU_ASSERT_EQUAL(load(&c, unit_file("keys.env", line), CONF_VERIFY, true), 0);
	CU_ASSERT_STRING_EQUAL(c.jwt_public_keys, PUBLIC_PEM);
	conf_fini(&c);

	EVP_EncodeBlock(base64, (const unsigned char *)PUBLIC_PEM, (int)strlen(PUBLIC_PEM));
	snprintf(line, sizeof(line), "JWT_PUBLIC_KEYS=%s\n", base64);
	chmod(unit_file("keys64.env", line), 0644);
	CU_ASSERT_EQUAL(load(&c, unit_path("keys64.env"), CONF_VERIFY, true), 0);
	CU_ASSERT_STRING_EQUAL(c.jwt_public_keys, PUBLIC_PEM);
	conf_fini(&c);
}

static void
a_file_that_cannot_be_read_is_named(void)
{
	struct conf c;

	setenv("TABLE_ORDER_ENV", unit_path("absent"), 1);
	CU_ASSERT_STRING_EQUAL(conf_path(), unit_path("absent"));
	CU_ASSERT_EQUAL(load(&c, conf_path(), 0, false), 1);
	CU_ASSERT_TRUE(says(unit_path("absent"), 0, "No such file or directory\n"));
	conf_fini(&c);
	CU_ASSERT_EQUAL(load(&c, unit_dir(), 0, false), 1);
	CU_ASSERT_TRUE(says(unit_dir(), 0, "Is a directory\n"));
	conf_fini(&c);
	forget_environment();
	CU_ASSERT_STRING_EQUAL(conf_path(), SYSCONFDIR "/table-order/table-order.env");
}

static void
a_nul_byte_is_no_end_of_line(void)
{
	const char *path = unit_path("nul.env");
	FILE *f = fopen(path, "w");
	struct conf c;

	fwrite("WORKER_THREADS=2\0junk\n", 1, 22, f);
	fclose(f);
	CU_ASSERT_EQUAL(load(&c, path, 0, false), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "nul.env:1: "));
	conf_fini(&c);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "accepted lines", accepted_lines },
		{ "refused lines", refused_lines },
		{ "without a file the defaults hold", without_a_file_the_defaults_hold },
		{ ".env.example names every key with its default",
		    the_example_names_every_key_with_its_default },
		{ "all problems are listed at once", all_problems_are_listed_at_once },
		{ "numbers keep their limits", numbers_keep_their_limits },
		{ "unknown keys warn or fail", unknown_keys_warn_or_fail },
		{ "the environment wins", the_environment_wins },
		{ "a secret may have a file of its own", a_secret_may_have_a_file_of_its_own },
		{ "a readable secret is refused", a_readable_secret_is_refused },
		{ "public keys need no hiding", public_keys_need_no_hiding },
		{ "a file that cannot be read is named", a_file_that_cannot_be_read_is_named },
		{ "a NUL byte is no end of line", a_nul_byte_is_no_end_of_line },
		CU_TEST_INFO_NULL,
	};

	forget_environment();
	return unit_main("conf", tests);
}
