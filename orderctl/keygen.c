/* orderctl keygen: the pair of keys that signs and verifies tokens. */
#include "config.h"

#include "orderctl.h"

#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_BITS 3072
#define KEPT_KEYS 7 /* services take eight in all */

struct pair {
	const char *private_pem;
	const char *public_pem;
};

static const char *
take_text(struct arena *a, BIO *bio)
{
	char *data;
	long n = BIO_get_mem_data(bio, &data);
	const char *text = arena_strndup(a, data, (size_t)n);

	BIO_free(bio);
	return text;
}

static int
make_pair(struct arena *a, unsigned bits, struct pair *out)
{
	BIO *private = BIO_new(BIO_s_mem()), *public = BIO_new(BIO_s_mem());
	EVP_PKEY *key = EVP_RSA_gen(bits);
	int made = key != NULL &&
	    PEM_write_bio_PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    PEM_write_bio_PUBKEY(public, key) == 1;

	EVP_PKEY_free(key);
	out->private_pem = take_text(a, private);
	out->public_pem = take_text(a, public);
	return made ? 0 : ctl_fail("the key could not be made; is the system out of memory?");
}

/* The first public keys of pem, as many as may stay behind a new one. */
static const char *
old_keys(struct arena *a, const char *pem)
{
	BIO *in = BIO_new_mem_buf(pem, -1), *out = BIO_new(BIO_s_mem());
	EVP_PKEY *key;

	for (int n = 0; n < KEPT_KEYS && (key = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL)) != NULL;
	     n++) {
		PEM_write_bio_PUBKEY(out, key);
		EVP_PKEY_free(key);
	}
	BIO_free(in);
	return take_text(a, out);
}

static int
add_old_keys(struct arena *a, struct pair *p)
{
	struct conf c;
	int result = CTL_FAILED;

	if (ctl_conf(&c, CONF_VERIFY) == 0) {
		p->public_pem =
		    arena_printf(a, "%s%s", p->public_pem, old_keys(a, c.jwt_public_keys));
		result = CTL_OK;
	}
	conf_fini(&c);
	return result;
}

static void
print_line(struct arena *a, const char *key, const char *pem)
{
	size_t n = strlen(pem);
	char *text = arena_alloc(a, 4 * ((n + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)pem, (int)n);
	printf("%s=%s\n", key, text);
}

/* Gives fd to whoever may read old; the first that root makes, to whom its directory belongs. No
 * service runs as root: what root owns is for its group to read. */
static int
hand_over(int fd, const char *old, const char *dir, mode_t mode)
{
	struct stat st;
	bool there = stat(old, &st) == 0;

	if (!there && (geteuid() == 0 ? stat(dir, &st) : fstat(fd, &st)) == -1)
		return -1;
	if ((there && (st.st_mode & S_IRGRP) != 0) || (st.st_uid == 0 && st.st_gid != 0))
		mode |= S_IRGRP;
	return fchown(fd, st.st_uid, st.st_gid) == 0 && fchmod(fd, mode) == 0 ? 0 : -1;
}

/* Writes dir/name anew, so that whoever reads it meanwhile sees the old file or the new one. */
static int
write_file(struct arena *a, const char *dir, const char *name, const char *text, mode_t mode)
{
	const char *path = arena_printf(a, "%s/%s", dir, name);
	const char *fresh = arena_printf(a, "%s.new", path);
	int fd, result = CTL_FAILED;

	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd != -1 && hand_over(fd, path, dir, mode) == 0 &&
	    write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0 &&
	    rename(fresh, path) == 0)
		result = CTL_OK;
	else
		ctl_fail("%s: %s; make room or get the rights, then run it again", path,
		    strerror(errno));
	if (fd != -1)
		close(fd);
	if (result != CTL_OK)
		unlink(fresh);
	return result;
}

static int
write_pair(struct arena *a, const char *dir, const struct pair *p, bool rotate)
{
	const char *private = arena_printf(a, "%s/private.pem", dir);
	const char *public = arena_printf(a, "%s/public.pem", dir);

	if (!rotate && (access(private, F_OK) == 0 || access(public, F_OK) == 0))
		return ctl_fail("%s holds a key already; use --rotate, or remove it", dir);
	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		return ctl_fail("%s: %s; make the directory first", dir, strerror(errno));
	/* the public keys first: they verify what either private key signs */
	if (write_file(a, dir, "public.pem", p->public_pem, 0644) != CTL_OK ||
	    write_file(a, dir, "private.pem", p->private_pem, 0600) != CTL_OK)
		return CTL_FAILED;
	printf("wrote %s and %s; restart the services to use them\n", private, public);
	return CTL_OK;
}

int
ctl_keygen(int argc, char **argv)
{
	static const struct option options[] = { { "bits", required_argument, NULL, 'b' },
		{ "rotate", no_argument, NULL, 'r' }, { 0 } };
	struct arena *a;
	struct pair pair;
	unsigned long bits = DEFAULT_BITS;
	bool rotate = false;
	int option, result;

	while ((option = getopt_long(argc, argv, "b:r", options, NULL)) != -1) {
		if (option == 'b')
			bits = strtoul(optarg, NULL, 10);
		else if (option == 'r')
			rotate = true;
		else
			return ctl_usage("keygen", "wrong option '%s'", argv[optind - 1]);
	}
	if (bits < 2048 || bits > 4096 || argc - optind > 1)
		return ctl_usage("keygen", "bits are 2048 to 4096, and one directory at most");
	a = arena_new(64 << 10);
	result = make_pair(a, (unsigned)bits, &pair);
	if (result == CTL_OK && rotate)
		result = add_old_keys(a, &pair);
	if (result == CTL_OK && argv[optind] != NULL) {
		result = write_pair(a, argv[optind], &pair, rotate);
	} else if (result == CTL_OK) {
		print_line(a, "JWT_PRIVATE_KEY", pair.private_pem);
		print_line(a, "JWT_PUBLIC_KEYS", pair.public_pem);
	}
	arena_free(a);
	return result;
}
