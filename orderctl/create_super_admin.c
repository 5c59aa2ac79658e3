/* orderctl create-super-admin: the first account of an installation. */
#include "config.h"

#include "orderctl.h"

#include "password.h"
#include "sql/orderctl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD_SIZE 256

/* The first line of standard input, or what is typed unseen. */
static int
read_password(char password[PASSWORD_SIZE])
{
	if (isatty(STDIN_FILENO)) {
		if (EVP_read_pw_string(password, PASSWORD_SIZE, "Password: ", 1) != 0)
			return ctl_fail("no password, or not the same twice; run it again");
	} else if (fgets(password, PASSWORD_SIZE, stdin) == NULL) {
		return ctl_fail("give the password as the first line of standard input");
	}
	password[strcspn(password, "\n")] = '\0';
	if (!password_acceptable(password))
		return ctl_fail(
		    "a password has 1 to %d bytes; choose another", PASSWORD_LIMIT_BYTES);
	return CTL_OK;
}

static int
add_admin(const struct conf *c, const char *username, const char *hash)
{
	const char *const values[] = { username, hash };
	PGconn *db = ctl_connect(c);
	PGresult *r = db != NULL ? ctl_run(db, &SQL_SUPER_ADMIN_ADD, values) : NULL;
	int result = CTL_FAILED;

	if (r != NULL && PQntuples(r) == 0)
		ctl_fail("there is an account named '%s' already; choose another name", username);
	else if (r != NULL)
		result = CTL_OK;
	PQclear(r);
	PQfinish(db);
	if (result == CTL_OK)
		printf("super admin '%s' can log in\n", username);
	return result;
}

int
ctl_create_super_admin(int argc, char **argv)
{
	char password[PASSWORD_SIZE], hash[PASSWORD_HASH_SIZE];
	struct conf c;
	int result = CTL_FAILED;

	if (argc != 2 || argv[1][0] == '-' || argv[1][0] == '\0')
		return ctl_usage("create-super-admin",
		    "name one account; its password is read from "
		    "standard input");
	if (ctl_conf(&c, CONF_OWNER) == 0 && read_password(password) == CTL_OK) {
		if (password_hash(&c, password, hash) == 0)
			result = add_admin(&c, argv[1], hash);
		else
			ctl_fail(
			    "the password could not be hashed; is the system out of random bytes?");
	}
	OPENSSL_cleanse(password, sizeof(password));
	conf_fini(&c);
	return result;
}
