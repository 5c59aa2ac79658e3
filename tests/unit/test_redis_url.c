/* redis: which URLs name a Redis. */
#include "config.h"

#include "redis.h"

#include "unit.h"

/* Whether the URL is taken; what is said otherwise is one line that names the key. */
static bool
takes(const char *url)
{
	char said[300] = "";
	FILE *err = fmemopen(said, sizeof(said), "w");
	struct conf conf = { .redis_url = url };
	struct redis *r = redis_new(&conf, err);
	bool taken = r != NULL;

	fclose(err);
	if (taken)
		CU_ASSERT_STRING_EQUAL(said, "");
	if (!taken && (strncmp(said, "REDIS_URL: ", 11) != 0 || strchr(said, '\n') == NULL))
		CU_FAIL(url);
	if (!taken && *url != '\0')
		CU_ASSERT_PTR_NULL(strstr(said, "secret"));
	redis_free(r);
	return taken;
}

static void
urls_are_taken_or_refused(void)
{
	static const char *const good[] = { "redis://localhost", "redis://localhost/",
		"redis://localhost:6379/0", "redis://:secret@10.0.0.1:65535/15", "redis://secret@h",
		"redis://user:se@cret@h:1", "unix:/run/redis.sock" };
	static const char *const bad[] = { "", "redis://", "redis:///0", "redis://:6379",
		"redis://h:0", "redis://h:65536", "redis://h:", "redis://h:x", "redis://h:6379x",
		"redis://h/x", "redis://h/-1", "redis://h/1001", "redis://h/0/1",
		"redis://:secret@", "redis://:secret@:6379", "unix:", "unix:run/redis.sock",
		"http://h", "REDIS://h", "localhost:6379", "rediss://h" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!takes(good[i]))
			CU_FAIL(good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (takes(bad[i]))
			CU_FAIL(bad[i]);
}

static void
what_does_not_fit_is_refused_not_cut(void)
{
	char url[700];

	snprintf(url, sizeof(url), "redis://%0503d", 1);
	CU_ASSERT_TRUE(takes(url));
	snprintf(url, sizeof(url), "redis://%0504d", 1);
	CU_ASSERT_FALSE(takes(url));
	snprintf(url, sizeof(url), "redis://:%0500d@h", 1);
	CU_ASSERT_TRUE(takes(url));
	snprintf(url, sizeof(url), "redis://:%0501d@h", 1);
	CU_ASSERT_FALSE(takes(url));
	snprintf(url, sizeof(url), "unix:/%0505d", 1);
	CU_ASSERT_TRUE(takes(url));
	snprintf(url, sizeof(url), "unix:/%0506d", 1);
	CU_ASSERT_FALSE(takes(url));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "URLs are taken or refused", urls_are_taken_or_refused },
		{ "what does not fit is refused, not cut", what_does_not_fit_is_refused_not_cut },
		CU_TEST_INFO_NULL,
	};

	return unit_main("redis", tests);
}
