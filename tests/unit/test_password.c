/* password: bcrypt, bounded, and the same time for accounts that do not exist. */
#include "config.h"

#include "password.h"

#include "clock.h"
#include "slot.h"
#include "unit.h"

#include <pthread.h>
#include <time.h>

static struct conf conf = { .bcrypt_cost = 4 };

static const char *
letters(size_t n)
{
	static char text[200];

	memset(text, 'p', n);
	text[n] = '\0';
	return text;
}

static void
a_hash_fits_its_password(void)
{
	char one[PASSWORD_HASH_SIZE], two[PASSWORD_HASH_SIZE];

	CU_ASSERT_EQUAL_FATAL(password_hash(&conf, "열쇠 1", one), 0);
	CU_ASSERT_EQUAL_FATAL(password_hash(&conf, "열쇠 1", two), 0);
	CU_ASSERT_NSTRING_EQUAL(one, "$2b$04$", 7);
	CU_ASSERT_EQUAL(strlen(one), 60);
	CU_ASSERT_STRING_NOT_EQUAL(one, two);
	CU_ASSERT_TRUE(password_verify(&conf, "열쇠 1", one));
	CU_ASSERT_TRUE(password_verify(&conf, "열쇠 1", two));
	CU_ASSERT_FALSE(password_verify(&conf, "열쇠 2", one));
	CU_ASSERT_FALSE(password_verify(&conf, "", one));
}

static void
the_cost_is_the_configured_one(void)
{
	struct conf dear = { .bcrypt_cost = 6, .run_dir = conf.run_dir };
	char hash[PASSWORD_HASH_SIZE];

	CU_ASSERT_EQUAL_FATAL(password_hash(&dear, "x", hash), 0);
	CU_ASSERT_NSTRING_EQUAL(hash, "$2b$06$", 7);
	CU_ASSERT_TRUE(password_verify(&conf, "x", hash));
}

static void
one_to_72_bytes(void)
{
	char hash[PASSWORD_HASH_SIZE];

	CU_ASSERT_FALSE(password_acceptable(""));
	CU_ASSERT_TRUE(password_acceptable("x"));
	CU_ASSERT_TRUE(password_acceptable(letters(72)));
	CU_ASSERT_FALSE(password_acceptable(letters(73)));
	CU_ASSERT_EQUAL(password_hash(&conf, "", hash), -1);
	CU_ASSERT_EQUAL(password_hash(&conf, letters(73), hash), -1);
	CU_ASSERT_STRING_EQUAL(hash, "");
	CU_ASSERT_EQUAL(password_hash(&conf, letters(72), hash), 0);
	CU_ASSERT_TRUE(password_verify(&conf, letters(72), hash));
	CU_ASSERT_FALSE(password_verify(&conf, letters(71), hash));
	/* bcrypt alone would cut this and find it right */
	CU_ASSERT_FALSE(password_verify(&conf, letters(73), hash));
}

static void
no_garbage_is_a_hash(void)
{
	static const char *const garbage[] = { "", "*0", "*1", "x", "xx", "secret", "$2b$",
		"$2b$04$", "rqXexS6ZhobKA", /* DES */
		"$1$salt$qJH7.N4xYta3aEG/dfqo/0",
		"$2b$99$nobodyhasthispassword.nobodyhasthispassword.nobodyha",
		"$2b$04$nobodyhasthispassword!nobodyhasthispassword.nobodyhas",
		"$2b$04$nobodyhasthispassword.nobodyhasthispassword.nobodyhas" };

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		CU_ASSERT_FALSE(password_verify(&conf, "secret", garbage[i]));
	CU_ASSERT_FALSE(password_verify(&conf, "secret", NULL));
}

static double
cpu_seconds(const struct conf *c, const char *hash)
{
	struct timespec before, after;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	password_verify(c, "secret", hash);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	return (double)(after.tv_sec - before.tv_sec) +
	    (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

static double
least(double a, double b)
{
	return a < b ? a : b;
}

static void
an_unknown_account_takes_as_long(void)
{
	struct conf dear = { .bcrypt_cost = 8, .run_dir = conf.run_dir };
	char hash[PASSWORD_HASH_SIZE];
	double known, unknown, garbage;

	CU_ASSERT_EQUAL_FATAL(password_hash(&dear, "another", hash), 0);
	known = unknown = garbage = 1e9;
	/* in turns, and the least of each: what else the machine does has met all alike */
	for (int i = 0; i < 5; i++) {
		known = least(known, cpu_seconds(&dear, hash));
		unknown = least(unknown, cpu_seconds(&dear, NULL));
		garbage = least(garbage, cpu_seconds(&dear, "*0"));
	}
	CU_ASSERT_TRUE(unknown > known / 2 && unknown < known * 2);
	CU_ASSERT_TRUE(garbage > known / 2 && garbage < known * 2);
}

static void *
hash_and_tell_when(void *arg)
{
	char hash[PASSWORD_HASH_SIZE];

	password_hash(&conf, "x", hash);
	*(int64_t *)arg = clock_mono_us();
	return NULL;
}

/* More than this machine has processors, fewer than a process may have files. */
#define SLOTS 512

static void
callers_queue_for_a_slot(void)
{
	struct conf elsewhere = { .bcrypt_cost = 4, .run_dir = unit_path("no such directory") };
	int slots[SLOTS], n = 0;
	int64_t done_us = 0, released_us;
	pthread_t thread;

	while (n < SLOTS && (slots[n] = slot_take(conf.run_dir, "hash-slot", SLOTS, NULL)) != -1)
		n++;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, hash_and_tell_when, &done_us), 0);
	/* time enough for a hash that would not wait */
	for (int i = 0; i < 20; i++)
		password_verify(&elsewhere, "x", NULL);
	released_us = clock_mono_us();
	while (n > 0)
		close(slots[--n]);
	pthread_join(thread, NULL);
	CU_ASSERT_TRUE(done_us >= released_us);
}

static void
without_a_directory_logins_go_on(void)
{
	struct conf c = { .bcrypt_cost = 4, .run_dir = unit_path("no such directory") };
	char hash[PASSWORD_HASH_SIZE];

	CU_ASSERT_EQUAL_FATAL(password_hash(&c, "x", hash), 0);
	CU_ASSERT_TRUE(password_verify(&c, "x", hash));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "a hash fits its password", a_hash_fits_its_password },
		{ "the cost is the configured one", the_cost_is_the_configured_one },
		{ "1 to 72 bytes", one_to_72_bytes },
		{ "no garbage is a hash", no_garbage_is_a_hash },
		{ "an unknown account takes as long", an_unknown_account_takes_as_long },
		{ "callers queue for a slot", callers_queue_for_a_slot },
		{ "without a directory logins go on", without_a_directory_logins_go_on },
		CU_TEST_INFO_NULL,
	};

	log_open(NULL, "test_password", LOG_ERROR);
	conf.run_dir = unit_dir();
	return unit_main("password", tests);
}
