#include "config.h"

#include "password.h"

#include "clock.h"
#include "slot.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "$2b$"
#define HASH_LENGTH 60
#define SLOT_NAME "hash-slot"
#define SLOT_POLL_US (10 * 1000)

/* A place among those that hash on this host, to be closed; -1 when RUN_DIR cannot be used: logins
 * then go on without the bound. */
static int
wait_for_slot(const struct conf *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int n = cores > 3 ? (int)(cores / 2) : 1;
	int fd;

	while ((fd = slot_take(c->run_dir, SLOT_NAME, n, NULL)) == -1 && errno == EAGAIN)
		clock_wait_us(SLOT_POLL_US);
	if (fd == -1)
		log_warning("password hashing is not bounded", LOG_S("run_dir", c->run_dir),
		    LOG_S("error", strerror(errno)));
	return fd;
}

/* A garbage setting makes crypt(3) fall back to DES or to "*0": neither has this shape. */
static bool
is_hash(const char *text)
{
	return text != NULL && strncmp(text, PREFIX, strlen(PREFIX)) == 0 &&
	    strlen(text) == HASH_LENGTH;
}

/* bcrypt of password by setting (a salt, or a hash made of it) into out; -1 when it made none. */
static int
compute(
    const struct conf *c, const char *password, const char *setting, char out[PASSWORD_HASH_SIZE])
{
	int slot = wait_for_slot(c);
	struct crypt_data data = { 0 };
	const char *hash = crypt_rn(password, setting, &data, (int)sizeof(data));
	bool good = is_hash(hash);

	if (slot != -1)
		close(slot);
	memset(out, 0, PASSWORD_HASH_SIZE);
	if (good)
		memcpy(out, hash, HASH_LENGTH);
	OPENSSL_cleanse(&data, sizeof(data));
	return good ? 0 : -1;
}

bool
password_acceptable(const char *password)
{
	size_t n = strlen(password);

	return n >= 1 && n <= PASSWORD_LIMIT_BYTES;
}

int
password_hash(const struct conf *c, const char *password, char out[PASSWORD_HASH_SIZE])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	out[0] = '\0';
	if (!password_acceptable(password) ||
	    crypt_gensalt_rn(PREFIX, (unsigned long)c->bcrypt_cost, NULL, 0, setting,
		(int)sizeof(setting)) == NULL)
		return -1;
	return compute(c, password, setting, out);
}

bool
password_verify(const struct conf *c, const char *password, const char *hash)
{
	bool known = is_hash(hash), same;
	char setting[PASSWORD_HASH_SIZE], made[PASSWORD_HASH_SIZE];

	if (!password_acceptable(password))
		return false;
	if (known)
		memcpy(setting, hash, HASH_LENGTH + 1);
	else
		snprintf(setting, sizeof(setting), PREFIX "%02d$%s", (int)(c->bcrypt_cost % 100),
		    "nobodyhasthispassword.");
	same = compute(c, password, setting, made) == 0 && known &&
	    CRYPTO_memcmp(made, setting, HASH_LENGTH) == 0;
	OPENSSL_cleanse(made, sizeof(made));
	OPENSSL_cleanse(setting, sizeof(setting));
	return same;
}
