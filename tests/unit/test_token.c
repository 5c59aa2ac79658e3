/* token: what is accepted as a token, and above all what is not. */
#include "config.h"

#include "token.h"

#include "unit.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define NOW INT64_C(1800000000)
#define STORE "0e73c4fe-29f3-4c28-9d6d-b06eb1c7943e"
#define JTI "11111111-2222-3333-4444-555555555555"
#define TABLE_CLAIMS \
	"\"sub\":\"table:12\",\"role\":\"table\",\"store_id\":\"" STORE "\",\"table_id\":12," \
	"\"gen\":3,\"iat\":1799999000,\"exp\":1800001000,\"jti\":\"" JTI "\""

struct pair {
	EVP_PKEY *key;
	char private_pem[4000];
	char public_pem[1000];
};

static struct pair ours, old, foreign;
static struct arena *arena;
static char said[1000];

static void
make_pair(struct pair *p, EVP_PKEY *key)
{
	BIO *private = BIO_new(BIO_s_mem()), *public = BIO_new(BIO_s_mem());

	p->key = key;
	PEM_write_bio_PrivateKey(private, key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_PUBKEY(public, key);
	BIO_read(private, p->private_pem, sizeof(p->private_pem) - 1);
	BIO_read(public, p->public_pem, sizeof(p->public_pem) - 1);
	BIO_free(private);
	BIO_free(public);
}

static struct tokens *
open_tokens(const char *private_pem, const char *public_pem)
{
	struct conf c = { .jwt_private_key = private_pem, .jwt_public_keys = public_pem };
	FILE *err = fmemopen(said, sizeof(said), "w");
	struct tokens *t;

	said[0] = '\0';
	t = tokens_new(&c, err);
	fclose(err);
	return t;
}

static struct tokens *
our_tokens(void)
{
	struct tokens *t = open_tokens(ours.private_pem, ours.public_pem);

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	return t;
}

static struct claims
table_claims(void)
{
	return (struct claims) { .role = ROLE_TABLE,
		.subject = "table:12",
		.store_id = STORE,
		.account_id = 12,
		.gen = 3,
		.iat = NOW - 1000,
		.exp = NOW + 1000,
		.jti = JTI };
}

static const char *
base64url(const void *bytes, size_t n)
{
	char *text = arena_alloc(arena, n * 2 + 8);
	int len = EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);

	for (char *p = text; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	while (len > 0 && text[len - 1] == '=')
		text[--len] = '\0';
	return text;
}

static const char *
unsigned_part(const char *header, const char *payload)
{
	return arena_printf(
	    arena, "%s.%s", base64url(header, strlen(header)), base64url(payload, strlen(payload)));
}

/* A token with any header and payload, well signed by key. */
static const char *
forge(const char *header, const char *payload, EVP_PKEY *key)
{
	const char *text = unsigned_part(header, payload);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t n = sizeof(signature);

	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
	EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text, strlen(text));
	EVP_MD_CTX_free(ctx);
	return arena_printf(arena, "%s.%s", text, base64url(signature, n));
}

/* The kid of t's first key, out of its JWK set. */
static const char *
kid(struct tokens *t)
{
	const char *p = strstr(tokens_jwks(t), "\"kid\":\"") + 7;

	return arena_strndup(arena, p, strcspn(p, "\""));
}

static const char *
header(struct tokens *t, const char *alg)
{
	return arena_printf(arena, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", alg, kid(t));
}

static enum token_result
verify(struct tokens *t, const char *token)
{
	struct claims c;

	return tokens_verify(t, token, NOW, &c);
}

static void
a_signed_token_says_who(void)
{
	static const struct claims all[] = {
		{ ROLE_TABLE, "table:12", STORE, 12, 0, NOW, NOW + 57600, JTI },
		{ ROLE_STORE_ADMIN, "admin:3", STORE, 3, 2147483647, NOW, NOW + 1, JTI },
		{ ROLE_SUPER_ADMIN, "admin:9007199254740991", "", INT64_C(9007199254740991), 1, NOW,
		    NOW + 1, JTI },
	};
	struct tokens *t = our_tokens();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *token = tokens_sign(t, arena, &all[i]);
		struct claims c;

		CU_ASSERT_PTR_NOT_NULL_FATAL(token);
		for (int again = 0; again < 2; again++) { /* the second from the cache */
			CU_ASSERT_EQUAL_FATAL(tokens_verify(t, token, NOW, &c), TOKEN_OK);
			CU_ASSERT_EQUAL(c.role, all[i].role);
			CU_ASSERT_STRING_EQUAL(c.subject, all[i].subject);
			CU_ASSERT_STRING_EQUAL(c.store_id, all[i].store_id);
			CU_ASSERT_EQUAL(c.account_id, all[i].account_id);
			CU_ASSERT_EQUAL(c.gen, all[i].gen);
			CU_ASSERT_EQUAL(c.iat, all[i].iat);
			CU_ASSERT_EQUAL(c.exp, all[i].exp);
			CU_ASSERT_STRING_EQUAL(c.jti, JTI);
		}
	}
	tokens_free(t);
}

static void
a_token_has_its_time(void)
{
	struct tokens *t = our_tokens();
	struct claims c = table_claims(), got;
	const char *token = tokens_sign(t, arena, &c);

	for (int again = 0; again < 2; again++) {
		CU_ASSERT_EQUAL(tokens_verify(t, token, c.exp - 1, &got), TOKEN_OK);
		CU_ASSERT_EQUAL(tokens_verify(t, token, c.exp, &got), TOKEN_OLD);
		CU_ASSERT_EQUAL(tokens_verify(t, token, c.iat, &got), TOKEN_OK);
		/* another host's clock may be a minute ahead */
		CU_ASSERT_EQUAL(tokens_verify(t, token, c.iat - 60, &got), TOKEN_OK);
		CU_ASSERT_EQUAL(tokens_verify(t, token, c.iat - 61, &got), TOKEN_BAD);
	}
	tokens_free(t);
}

static void
a_changed_token_is_refused(void)
{
	struct tokens *t = our_tokens();
	struct claims c = table_claims();
	char *token = tokens_sign(t, arena, &c);

	CU_ASSERT_EQUAL(verify(t, token), TOKEN_OK);
	for (size_t i = 0, n = strlen(token); i < n; i += 7) {
		char was = token[i];

		/* the last character's low bits are padding */
		if (i == n - 1)
			continue;
		token[i] = was == 'A' ? 'B' : 'A';
		if (verify(t, token) != TOKEN_BAD)
			CU_FAIL("a changed token was accepted");
		token[i] = was;
	}
	CU_ASSERT_EQUAL(verify(t, token), TOKEN_OK);
	tokens_free(t);
}

static void
misshapen_text_is_refused(void)
{
	struct tokens *t = our_tokens();
	struct claims c = table_claims();
	const char *token = tokens_sign(t, arena, &c);
	char *huge = arena_alloc(arena, 100001);
	const char *const bad[] = { "", ".", "..", "...", "a.b.c", "a", "a.b", "한.글.!",
		arena_printf(arena, "%s=", token), arena_printf(arena, "%s.", token),
		arena_printf(arena, "%s.x", token), arena_printf(arena, " %s", token),
		arena_printf(arena, "%s\n", token), arena_printf(arena, "%s!", token),
		memset(huge, 'a', 100000), arena_strndup(arena, token, strlen(token) - 10),
		strchr(token, '.') };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (verify(t, bad[i]) != TOKEN_BAD)
			CU_FAIL(bad[i]);
	tokens_free(t);
}

static void
only_rs256_counts(void)
{
	struct tokens *t = our_tokens();
	const char *payload = "{" TABLE_CLAIMS "}";
	const char *text = unsigned_part(header(t, "HS256"), payload);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	CU_ASSERT_EQUAL(verify(t, forge(header(t, "RS256"), payload, ours.key)), TOKEN_OK);
	/* the classic: our public key as the secret of an HMAC */
	HMAC(EVP_sha256(), ours.public_pem, (int)strlen(ours.public_pem),
	    (const unsigned char *)text, strlen(text), mac, &n);
	CU_ASSERT_EQUAL(
	    verify(t, arena_printf(arena, "%s.%s", text, base64url(mac, n))), TOKEN_BAD);
	text = unsigned_part(header(t, "none"), payload);
	CU_ASSERT_EQUAL(verify(t, arena_printf(arena, "%s.", text)), TOKEN_BAD);
	CU_ASSERT_EQUAL(verify(t, arena_printf(arena, "%s.AAAA", text)), TOKEN_BAD);
	CU_ASSERT_EQUAL(verify(t, forge(header(t, "none"), payload, ours.key)), TOKEN_BAD);
	CU_ASSERT_EQUAL(verify(t, forge(header(t, "RS512"), payload, ours.key)), TOKEN_BAD);
	CU_ASSERT_EQUAL(verify(t, forge(header(t, "rs256x"), payload, ours.key)), TOKEN_BAD);
	tokens_free(t);
}

static void
only_our_keys_count(void)
{
	struct tokens *t = our_tokens();
	const char *payload = "{" TABLE_CLAIMS "}";

	CU_ASSERT_EQUAL(verify(t, forge(header(t, "RS256"), payload, foreign.key)), TOKEN_BAD);
	CU_ASSERT_EQUAL(verify(t, forge("{\"alg\":\"RS256\"}", payload, ours.key)), TOKEN_BAD);
	CU_ASSERT_EQUAL(
	    verify(t, forge("{\"alg\":\"RS256\",\"kid\":\"x\"}", payload, ours.key)), TOKEN_BAD);
	CU_ASSERT_EQUAL(
	    verify(t, forge("{\"alg\":\"RS256\",\"kid\":12}", payload, ours.key)), TOKEN_BAD);
	CU_ASSERT_EQUAL(verify(t, forge("[]", payload, ours.key)), TOKEN_BAD);
	tokens_free(t);
}

/* Whether a well-signed token with these claims is refused. */
static bool
refused(struct tokens *t, const char *claims)
{
	return verify(t, forge(header(t, "RS256"), claims, ours.key)) == TOKEN_BAD;
}

static void
every_claim_is_checked(void)
{
#define REST "\"iat\":1799999000,\"exp\":1800001000,\"jti\":\"" JTI "\""
#define TABLE "\"role\":\"table\",\"store_id\":\"" STORE "\",\"table_id\":12,"
	static const char *const bad[] = {
		"{}",
		"[]",
		"12",
		"not json",
		/* subject and role disagree */
		"{\"sub\":\"admin:12\"," TABLE "\"gen\":3," REST "}",
		"{\"sub\":\"table:13\"," TABLE "\"gen\":3," REST "}",
		"{\"sub\":\"table:\"," TABLE "\"gen\":3," REST "}",
		"{\"sub\":\"table:012\"," TABLE "\"gen\":3," REST "}",
		"{\"sub\":\"table:-12\"," TABLE "\"gen\":3," REST "}",
		"{\"sub\":\"table:12x\"," TABLE "\"gen\":3," REST "}",
		"{\"sub\":12," TABLE "\"gen\":3," REST "}",
		"{" TABLE "\"gen\":3," REST "}",
		"{\"sub\":\"table:12\",\"role\":\"waiter\",\"store_id\":\"" STORE
		"\",\"table_id\":12,\"gen\":3," REST "}",
		"{\"sub\":\"table:12\",\"store_id\":\"" STORE "\",\"table_id\":12,\"gen\":3," REST
		"}",
		/* table without its table, or with another type of it */
		"{\"sub\":\"table:12\",\"role\":\"table\",\"store_id\":\"" STORE
		"\",\"gen\":3," REST "}",
		"{\"sub\":\"table:12\",\"role\":\"table\",\"store_id\":\"" STORE
		"\",\"table_id\":\"12\",\"gen\":3," REST "}",
		/* store */
		"{\"sub\":\"table:12\",\"role\":\"table\",\"table_id\":12,\"gen\":3," REST "}",
		"{\"sub\":\"admin:3\",\"role\":\"store_admin\",\"gen\":3," REST "}",
		"{\"sub\":\"admin:3\",\"role\":\"store_admin\",\"store_id\":\"x\",\"gen\":3," REST
		"}",
		"{\"sub\":\"admin:3\",\"role\":\"super_admin\",\"store_id\":\"" STORE
		"\",\"gen\":3," REST "}",
		/* gen */
		"{\"sub\":\"table:12\"," TABLE REST "}",
		"{\"sub\":\"table:12\"," TABLE "\"gen\":-1," REST "}",
		"{\"sub\":\"table:12\"," TABLE "\"gen\":\"3\"," REST "}",
		"{\"sub\":\"table:12\"," TABLE "\"gen\":3.5," REST "}",
		"{\"sub\":\"table:12\"," TABLE "\"gen\":99999999999999999999," REST "}",
		/* times and jti */
		"{\"sub\":\"table:12\"," TABLE "\"gen\":3,\"exp\":1800001000,\"jti\":\"" JTI "\"}",
		"{\"sub\":\"table:12\"," TABLE "\"gen\":3,\"iat\":1799999000,\"jti\":\"" JTI "\"}",
		"{\"sub\":\"table:12\"," TABLE
		"\"gen\":3,\"iat\":1799999000,\"exp\":true,\"jti\":\"" JTI "\"}",
		"{\"sub\":\"table:12\"," TABLE
		"\"gen\":3,\"iat\":1799999000,\"exp\":1e300,\"jti\":\"" JTI "\"}",
		"{\"sub\":\"table:12\"," TABLE "\"gen\":3,\"iat\":1799999000,\"exp\":1800001000}",
		"{\"sub\":\"table:12\"," TABLE
		"\"gen\":3,\"iat\":1799999000,\"exp\":1800001000,\"jti\":\"x\"}",
	};
	struct tokens *t = our_tokens();

	CU_ASSERT_FALSE(refused(t, "{" TABLE_CLAIMS "}"));
	CU_ASSERT_FALSE(refused(t, "{" TABLE_CLAIMS ",\"other\":{\"a\":[1]}}"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!refused(t, bad[i]))
			CU_FAIL(bad[i]);
	tokens_free(t);
}

static void
an_old_key_still_verifies(void)
{
	struct tokens *before = open_tokens(old.private_pem, old.public_pem);
	struct tokens *after = open_tokens(
	    ours.private_pem, arena_printf(arena, "%s%s", ours.public_pem, old.public_pem));
	struct claims c = table_claims();
	const char *token;

	CU_ASSERT_PTR_NOT_NULL_FATAL(before);
	CU_ASSERT_PTR_NOT_NULL_FATAL(after);
	token = tokens_sign(before, arena, &c);
	CU_ASSERT_EQUAL(verify(after, token), TOKEN_OK);
	CU_ASSERT_EQUAL(verify(before, tokens_sign(after, arena, &c)), TOKEN_BAD);
	CU_ASSERT_PTR_NOT_NULL(strstr(tokens_jwks(after), kid(before)));
	tokens_free(before);
	tokens_free(after);
}

static void
bad_keys_are_refused(void)
{
	static struct pair weak, elliptic;

	make_pair(&weak, EVP_RSA_gen(1024));
	make_pair(&elliptic, EVP_EC_gen("P-256"));
	CU_ASSERT_PTR_NULL(open_tokens("", ""));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "JWT_PUBLIC_KEYS: "));
	CU_ASSERT_PTR_NULL(
	    open_tokens("", "-----BEGIN PUBLIC KEY-----\nQUJD\n-----END PUBLIC KEY-----"));
	CU_ASSERT_PTR_NULL(open_tokens("", weak.public_pem));
	CU_ASSERT_PTR_NULL(open_tokens("", elliptic.public_pem));
	CU_ASSERT_PTR_NULL(open_tokens(weak.private_pem, ours.public_pem));
	CU_ASSERT_PTR_NULL(open_tokens("-----BEGIN", ours.public_pem));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "JWT_PRIVATE_KEY: "));
	CU_ASSERT_PTR_NULL(open_tokens(old.private_pem, ours.public_pem));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "not among JWT_PUBLIC_KEYS"));
	/* half of the keys would let half of the tokens fail, quietly */
	CU_ASSERT_PTR_NULL(open_tokens("",
	    arena_printf(arena,
		"%s-----BEGIN PUBLIC KEY-----\nQUJD\n"
		"-----END PUBLIC KEY-----\n",
		ours.public_pem)));
	EVP_PKEY_free(weak.key);
	EVP_PKEY_free(elliptic.key);
}

static void
without_the_private_key_none_signs(void)
{
	struct tokens *t = open_tokens("", ours.public_pem);
	struct claims c = table_claims();

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_PTR_NULL(tokens_sign(t, arena, &c));
	tokens_free(t);
	tokens_free(NULL);
}

/* RFC 7638 section 3.1 gives a key and its thumbprint. */
static void
the_kid_is_the_rfc_7638_thumbprint(void)
{
	static const char modulus[] =
	    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc"
	    "_"
	    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"
	    "65YGjQR0_"
	    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
	    "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
	    "kEgU8awapJzKnqDKgw==";
	char base64[400];
	unsigned char bytes[400];
	BIGNUM *n, *e = BN_new();
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	BIO *out = BIO_new(BIO_s_mem());
	char pem[1000] = "";
	struct tokens *t;

	strcpy(base64, modulus);
	for (char *p = base64; *p != '\0'; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	n = BN_bin2bn(
	    bytes, EVP_DecodeBlock(bytes, (unsigned char *)base64, (int)strlen(base64)) - 2, NULL);
	BN_set_word(e, 65537);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
	params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_fromdata_init(ctx);
	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	PEM_write_bio_PUBKEY(out, key);
	BIO_read(out, pem, sizeof(pem) - 1);
	t = open_tokens("", pem);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_STRING_EQUAL(kid(t), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	CU_ASSERT_PTR_NOT_NULL(strstr(tokens_jwks(t), "\"e\":\"AQAB\""));
	tokens_free(t);
	BIO_free(out);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
}

static void
many_tokens_share_the_cache(void)
{
	struct tokens *t = our_tokens();
	struct claims c = table_claims(), got;
	const char *tokens[300];

	for (int i = 0; i < 300; i++) {
		c.account_id = i + 1;
		snprintf(c.subject, sizeof(c.subject), "table:%d", i + 1);
		tokens[i] = tokens_sign(t, arena, &c);
	}
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 300; i++) {
			CU_ASSERT_EQUAL(tokens_verify(t, tokens[i], NOW, &got), TOKEN_OK);
			CU_ASSERT_EQUAL(got.account_id, i + 1);
		}
	}
	tokens_free(t);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{ "a signed token says who", a_signed_token_says_who },
		{ "a token has its time", a_token_has_its_time },
		{ "a changed token is refused", a_changed_token_is_refused },
		{ "misshapen text is refused", misshapen_text_is_refused },
		{ "only RS256 counts", only_rs256_counts },
		{ "only our keys count", only_our_keys_count },
		{ "every claim is checked", every_claim_is_checked },
		{ "an old key still verifies", an_old_key_still_verifies },
		{ "bad keys are refused", bad_keys_are_refused },
		{ "without the private key none signs", without_the_private_key_none_signs },
		{ "the kid is the RFC 7638 thumbprint", the_kid_is_the_rfc_7638_thumbprint },
		{ "many tokens share the cache", many_tokens_share_the_cache },
		CU_TEST_INFO_NULL,
	};
	int status;

	arena = arena_new(1 << 20);
	make_pair(&ours, EVP_RSA_gen(2048));
	make_pair(&old, EVP_RSA_gen(2048));
	make_pair(&foreign, EVP_RSA_gen(2048));
	status = unit_main("token", tests);
	EVP_PKEY_free(ours.key);
	EVP_PKEY_free(old.key);
	EVP_PKEY_free(foreign.key);
	arena_free(arena);
	return status;
}
