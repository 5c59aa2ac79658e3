#include "config.h"

#include "token.h"

#include "clock.h"

#include <json-c/json.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LIMIT 8
#define TOKEN_LIMIT 4096
#define CACHE_SIZE 1024
#define SKEW_SECONDS 60
#define MIN_KEY_BITS 2048
#define KID_SIZE 44

struct key {
	char kid[KID_SIZE];
	char *pem;
	int pem_len;
	char *jwk;
};

struct verified {
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct claims claims;
};

struct tokens {
	struct key keys[KEY_LIMIT];
	size_t count;
	char *private_pem;
	char signing_kid[KID_SIZE];
	char *jwks;
	pthread_mutex_t lock;
	struct verified cache[CACHE_SIZE];
};

static const struct {
	enum role role;
	const char *name;
} roles[] = {
	{ ROLE_TABLE, "table" },
	{ ROLE_STORE_ADMIN, "store_admin" },
	{ ROLE_SUPER_ADMIN, "super_admin" },
};

const char *
role_name(enum role role)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (roles[i].role == role)
			return roles[i].name;
	return "";
}

static enum role
role_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].name, name) == 0)
			return roles[i].role;
	return ROLE_NONE;
}

/* base64url without padding (RFC 4648 §5); out holds 4 * ceil(n / 3) + 1 bytes. */
static void
base64url(char *out, const unsigned char *bytes, size_t n)
{
	int len = EVP_EncodeBlock((unsigned char *)out, bytes, (int)n);

	while (len > 0 && out[len - 1] == '=')
		len--;
	out[len] = '\0';
	for (char *p = out; *p != '\0'; p++) {
		if (*p == '+')
			*p = '-';
		else if (*p == '/')
			*p = '_';
	}
}

/* The number `name` of an RSA key in base64url; NULL when there is none. The caller frees it. */
static char *
key_number(EVP_PKEY *pkey, const char *name)
{
	BIGNUM *n = NULL;
	unsigned char *bytes;
	char *text = NULL;
	size_t len;

	if (EVP_PKEY_get_bn_param(pkey, name, &n) != 1)
		return NULL;
	len = (size_t)BN_num_bytes(n);
	bytes = malloc(len + 1);
	text = malloc(len * 2 + 8);
	if (bytes == NULL || text == NULL)
		abort();
	BN_bn2bin(n, bytes);
	base64url(text, bytes, len);
	free(bytes);
	BN_free(n);
	return text;
}

static char *
format(const char *f, const char *a, const char *b, const char *c)
{
	size_t size = strlen(f) + strlen(a) + strlen(b) + strlen(c) + 1;
	char *s = malloc(size);

	if (s == NULL)
		abort();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(s, size, f, a, b, c);
#pragma GCC diagnostic pop
	return s;
}

/* The thumbprint of an RSA key and, with jwk, its JWK. -1 when it is no RSA key of enough bits. */
static int
describe_key(EVP_PKEY *pkey, char kid[KID_SIZE], char **jwk)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char *n, *e, *canonical;

	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA || EVP_PKEY_get_bits(pkey) < MIN_KEY_BITS)
		return -1;
	n = key_number(pkey, OSSL_PKEY_PARAM_RSA_N);
	e = key_number(pkey, OSSL_PKEY_PARAM_RSA_E);
	if (n == NULL || e == NULL) {
		free(n);
		free(e);
		return -1;
	}
	canonical = format("{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}%s", e, n, "");
	SHA256((unsigned char *)canonical, strlen(canonical), hash);
	base64url(kid, hash, sizeof(hash));
	if (jwk != NULL)
		*jwk = format("{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"%s\","
			      "\"n\":\"%s\",\"e\":\"%s\"}",
		    kid, n, e);
	free(canonical);
	free(n);
	free(e);
	return 0;
}

static int
add_public_key(struct tokens *t, EVP_PKEY *pkey)
{
	struct key *k = &t->keys[t->count];
	BIO *out = BIO_new(BIO_s_mem());
	char *pem;
	long len;

	if (t->count == KEY_LIMIT || describe_key(pkey, k->kid, &k->jwk) == -1) {
		BIO_free(out);
		return -1;
	}
	PEM_write_bio_PUBKEY(out, pkey);
	len = BIO_get_mem_data(out, &pem);
	k->pem = strndup(pem, (size_t)len);
	k->pem_len = (int)len;
	BIO_free(out);
	t->count++;
	return 0;
}

static int
load_public_keys(struct tokens *t, const char *pem, FILE *err)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *pkey;
	size_t marks = 0;
	int result = 0;

	while (result == 0 && (pkey = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL)) != NULL) {
		result = add_public_key(t, pkey);
		EVP_PKEY_free(pkey);
	}
	BIO_free(in);
	/* a key that cannot be read must not go unnoticed behind those that can */
	for (const char *p = pem; (p = strstr(p, "-----BEGIN ")) != NULL; p++)
		marks++;
	if (marks != t->count)
		result = -1;
	if (result == -1 || t->count == 0) {
		fprintf(err,
		    "JWT_PUBLIC_KEYS: must hold 1 to %d RSA public keys (PEM) of %d bits or more\n",
		    KEY_LIMIT, MIN_KEY_BITS);
		return -1;
	}
	return 0;
}

static const struct key *
find_key(const struct tokens *t, const char *kid)
{
	for (size_t i = 0; kid != NULL && i < t->count; i++)
		if (strcmp(t->keys[i].kid, kid) == 0)
			return &t->keys[i];
	return NULL;
}

static int
load_private_key(struct tokens *t, const char *pem, FILE *err)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	int result = -1;

	if (pkey == NULL || describe_key(pkey, t->signing_kid, NULL) == -1)
		fprintf(err,
		    "JWT_PRIVATE_KEY: must be an RSA private key (PEM) of %d bits or more\n",
		    MIN_KEY_BITS);
	else if (find_key(t, t->signing_kid) == NULL)
		fprintf(err, "JWT_PRIVATE_KEY: its public key is not among JWT_PUBLIC_KEYS\n");
	else
		result = 0;
	EVP_PKEY_free(pkey);
	BIO_free(in);
	t->private_pem = strdup(pem);
	return result;
}

static void
build_jwks(struct tokens *t)
{
	char *list = strdup("");

	for (size_t i = 0; i < t->count; i++) {
		char *longer = format("%s%s%s", list, i > 0 ? "," : "", t->keys[i].jwk);

		free(list);
		list = longer;
	}
	t->jwks = format("{\"keys\":[%s]}%s%s", list, "", "");
	free(list);
}

struct tokens *
tokens_new(const struct conf *c, FILE *err)
{
	struct tokens *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	pthread_mutex_init(&t->lock, NULL);
	if (load_public_keys(t, c->jwt_public_keys, err) == -1 ||
	    (c->jwt_private_key[0] != '\0' && load_private_key(t, c->jwt_private_key, err) == -1)) {
		tokens_free(t);
		return NULL;
	}
	build_jwks(t);
	return t;
}

void
tokens_free(struct tokens *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++) {
		free(t->keys[i].pem);
		free(t->keys[i].jwk);
	}
	if (t->private_pem != NULL)
		OPENSSL_cleanse(t->private_pem, strlen(t->private_pem));
	free(t->private_pem);
	free(t->jwks);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

const char *
tokens_jwks(const struct tokens *t)
{
	return t->jwks;
}

/* header.payload.signature, each of base64url letters only (libjwt skips what it does not know). */
static bool
well_shaped(const char *token)
{
	size_t n = 0, dots = 0, part = 0;

	for (const char *p = token; *p != '\0'; p++, n++) {
		if (*p == '.') {
			if (part == 0 || part % 4 == 1 || ++dots > 2)
				return false;
			part = 0;
			continue;
		}
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			*p) == NULL)
			return false;
		part++;
		if (n >= TOKEN_LIMIT)
			return false;
	}
	/* 4 letters make 3 bytes; a single one left over makes none */
	return dots == 2 && part > 0 && part % 4 != 1;
}

static const char *
claim_text(json_object *o, const char *name, size_t size)
{
	json_object *v = json_object_object_get(o, name);

	if (!json_object_is_type(v, json_type_string) ||
	    (size_t)json_object_get_string_len(v) >= size ||
	    strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
		return NULL;
	return json_object_get_string(v);
}

static int64_t
claim_number(json_object *o, const char *name)
{
	json_object *v = json_object_object_get(o, name);
	int64_t n = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : -1;

	return n < INT64_C(1) << 53 ? n : -1;
}

/* The account's number behind the prefix that its role demands; -1 when the two disagree. */
static int64_t
subject_id(const char *subject, enum role role)
{
	const char *prefix = role == ROLE_TABLE ? "table:" : "admin:";
	size_t n = strlen(prefix);
	char *end;
	long long id;

	if (strncmp(subject, prefix, n) != 0 || subject[n] < '1' || subject[n] > '9')
		return -1;
	id = strtoll(subject + n, &end, 10);
	return *end == '\0' ? id : -1;
}

static int
read_claims(json_object *o, struct claims *c)
{
	const char *role = claim_text(o, "role", sizeof(c->subject));
	const char *subject = claim_text(o, "sub", sizeof(c->subject));
	const char *store = claim_text(o, "store_id", sizeof(c->store_id));
	const char *jti = claim_text(o, "jti", sizeof(c->jti));

	memset(c, 0, sizeof(*c));
	if (role == NULL || subject == NULL || jti == NULL || strlen(jti) != 36)
		return -1;
	c->role = role_parse(role);
	c->account_id = subject_id(subject, c->role);
	c->gen = claim_number(o, "gen");
	c->iat = claim_number(o, "iat");
	c->exp = claim_number(o, "exp");
	if (c->role == ROLE_NONE || c->account_id < 1 || c->gen < 0 || c->iat < 0 || c->exp < 0)
		return -1;
	if (c->role == ROLE_SUPER_ADMIN ? store != NULL : store == NULL || strlen(store) != 36)
		return -1;
	if (c->role == ROLE_TABLE && claim_number(o, "table_id") != c->account_id)
		return -1;
	memcpy(c->subject, subject, strlen(subject) + 1);
	memcpy(c->jti, jti, strlen(jti) + 1);
	if (store != NULL)
		memcpy(c->store_id, store, strlen(store) + 1);
	return 0;
}

/* The kid of an unverified token; its memory is freed with *jwt. */
static const char *
peek_kid(const char *token, jwt_t **jwt)
{
	if (jwt_decode(jwt, token, NULL, 0) != 0)
		return NULL;
	return jwt_get_header(*jwt, "kid");
}

static int
check_signature(struct tokens *t, const char *token, struct claims *out)
{
	jwt_t *unverified = NULL, *jwt = NULL;
	const struct key *k = find_key(t, peek_kid(token, &unverified));
	json_object *o = NULL;
	char *json = NULL;
	int result = -1;

	if (k != NULL && jwt_decode(&jwt, token, (unsigned char *)k->pem, k->pem_len) == 0 &&
	    jwt_get_alg(jwt) == JWT_ALG_RS256)
		json = jwt_get_grants_json(jwt, NULL);
	if (json != NULL && (o = json_tokener_parse(json)) != NULL)
		result = read_claims(o, out);
	json_object_put(o);
	free(json);
	jwt_free(jwt);
	jwt_free(unverified);
	return result;
}

static struct verified *
cache_place(struct tokens *t, const unsigned char hash[SHA256_DIGEST_LENGTH])
{
	return &t->cache[(hash[0] << 8 | hash[1]) % CACHE_SIZE];
}

static int
cache_get(struct tokens *t, const unsigned char *hash, struct claims *out)
{
	struct verified *v = cache_place(t, hash);
	int result = -1;

	pthread_mutex_lock(&t->lock);
	if (v->claims.role != ROLE_NONE && memcmp(v->hash, hash, SHA256_DIGEST_LENGTH) == 0) {
		*out = v->claims;
		result = 0;
	}
	pthread_mutex_unlock(&t->lock);
	return result;
}

static void
cache_put(struct tokens *t, const unsigned char *hash, const struct claims *c)
{
	struct verified *v = cache_place(t, hash);

	pthread_mutex_lock(&t->lock);
	memcpy(v->hash, hash, SHA256_DIGEST_LENGTH);
	v->claims = *c;
	pthread_mutex_unlock(&t->lock);
}

enum token_result
tokens_verify(struct tokens *t, const char *token, int64_t now_s, struct claims *out)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct claims c;

	if (!well_shaped(token))
		return TOKEN_BAD;
	SHA256((const unsigned char *)token, strlen(token), hash);
	if (cache_get(t, hash, &c) == -1) {
		if (check_signature(t, token, &c) == -1)
			return TOKEN_BAD;
		cache_put(t, hash, &c);
	}
	if (c.iat > now_s + SKEW_SECONDS)
		return TOKEN_BAD;
	if (c.exp <= now_s)
		return TOKEN_OLD;
	*out = c;
	return TOKEN_OK;
}

char *
tokens_sign(struct tokens *t, struct arena *a, const struct claims *c)
{
	char *text = NULL, *copy = NULL;
	jwt_t *jwt = NULL;
	int bad;

	if (t->private_pem == NULL || jwt_new(&jwt) != 0)
		return NULL;
	bad = jwt_set_alg(
	    jwt, JWT_ALG_RS256, (unsigned char *)t->private_pem, (int)strlen(t->private_pem));
	bad |= jwt_add_header(jwt, "kid", t->signing_kid);
	bad |= jwt_add_grant(jwt, "sub", c->subject);
	bad |= jwt_add_grant(jwt, "role", role_name(c->role));
	if (c->store_id[0] != '\0')
		bad |= jwt_add_grant(jwt, "store_id", c->store_id);
	if (c->role == ROLE_TABLE)
		bad |= jwt_add_grant_int(jwt, "table_id", c->account_id);
	bad |= jwt_add_grant_int(jwt, "gen", c->gen);
	bad |= jwt_add_grant_int(jwt, "iat", c->iat);
	bad |= jwt_add_grant_int(jwt, "exp", c->exp);
	bad |= jwt_add_grant(jwt, "jti", c->jti);
	if (bad == 0 && (text = jwt_encode_str(jwt)) != NULL)
		copy = arena_strdup(a, text);
	free(text);
	jwt_free(jwt);
	return copy;
}
