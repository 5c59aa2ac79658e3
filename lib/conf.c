#include "config.h"

#include "conf.h"

#include "conf_value.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)64 << 10)

enum kind { TEXT, SECRET, PEM, INTEGER, LEVEL };

static const struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *text;
	int64_t number;
	int64_t least;
	int64_t most;
	unsigned need;
} keys[] = {
#define AT(member) offsetof(struct conf, member)
#define S(KEY, member, dflt, need) { #KEY, TEXT, AT(member), dflt, 0, 0, 0, need },
#define X(KEY, member, dflt, need) { #KEY, SECRET, AT(member), dflt, 0, 0, 0, need },
#define P(KEY, member, dflt, need) { #KEY, PEM, AT(member), dflt, 0, 0, 0, need },
#define I(KEY, member, dflt, least, most) { #KEY, INTEGER, AT(member), NULL, dflt, least, most, 0 },
#define L(KEY, member, dflt) { #KEY, LEVEL, AT(member), NULL, dflt, 0, 0, 0 },
	CONF_KEYS(S, X, P, I, L)
#undef S
#undef X
#undef P
#undef I
#undef L
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* Where a value was found. */
struct source {
	const char *value;
	char where[300];
	bool is_file; /* value is the path of a file that holds it */
};

struct conf_text {
	struct conf_text *next;
	char text[];
};

struct loader {
	struct conf *conf;
	const char *path;
	FILE *err;
	bool strict;
	int errors;
	bool world_readable;
	struct source found[KEY_COUNT];
};

static const char *
keep(struct conf *c, const char *s, size_t n)
{
	struct conf_text *t = malloc(sizeof(*t) + n + 1);

	if (t == NULL)
		abort();
	memcpy(t->text, s, n);
	t->text[n] = '\0';
	t->next = c->texts;
	c->texts = t;
	return t->text;
}

static void
problem(struct loader *l, const char *where, const char *key, const char *what)
{
	fprintf(l->err, "%s: %s%s%s\n", where, key, *key != '\0' ? ": " : "", what);
	l->errors++;
}

static bool
is_secret(const struct key *k)
{
	return k->kind == SECRET || k->kind == PEM;
}

/* Public keys may stand in a file of their own, but need not be hidden. */
static bool
must_hide(const struct key *k)
{
	return is_secret(k) && k->need != CONF_VERIFY;
}

/* The key of this name, or of NAME_FILE for a secret. */
static const struct key *
find_key(const char *name, bool *is_file)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < KEY_COUNT; i++) {
		size_t len = strlen(keys[i].name);

		*is_file = false;
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
		*is_file = true;
		if (is_secret(&keys[i]) && n == len + 5 && strncmp(name, keys[i].name, len) == 0 &&
		    strcmp(name + len, "_FILE") == 0)
			return &keys[i];
	}
	return NULL;
}

static bool
plain_char(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_@%+=:,./-", c) != NULL);
}

int
conf_parse_line(char *line, const char **key, const char **value, const char **why)
{
	char *p = line, *end;

	if (*p == '#' || *p == '\0')
		return 0;
	if (!isalpha((unsigned char)*p) && *p != '_') {
		*why = "a line is KEY=value, KEY='value' or starts with #";
		return -1;
	}
	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	if (*p != '=') {
		*why = "there must be = right behind the key";
		return -1;
	}
	*key = line;
	*p++ = '\0';
	*value = p;
	if (*p == '\'') {
		*value = ++p;
		end = p + strcspn(p, "'\\");
		if (end[0] != '\'' || end[1] != '\0') {
			*why = "a quoted value holds neither ' nor \\ and ends its line";
			return -1;
		}
		*end = '\0';
		return 1;
	}
	while (plain_char(*p))
		p++;
	if (*p != '\0') {
		*why =
		    "an unquoted value holds only A-Z a-z 0-9 _ @ % + = : , . / -; put it in '...'";
		return -1;
	}
	return 1;
}

static void
take_line(struct loader *l, char *line, int number)
{
	const char *key, *value, *why;
	char where[300];
	const struct key *k;
	bool is_file;
	int kind;

	snprintf(where, sizeof(where), "%.280s:%d", l->path, number);
	kind = conf_parse_line(line, &key, &value, &why);
	if (kind == -1)
		problem(l, where, "", why);
	if (kind != 1)
		return;
	k = find_key(key, &is_file);
	if (k == NULL) {
		fprintf(
		    l->err, "%s: %s: unknown key%s\n", where, key, l->strict ? "" : " (ignored)");
		l->errors += l->strict;
		return;
	}
	if (l->found[k - keys].value != NULL) {
		problem(l, where, key, "is set twice (a key and its _FILE form count as one)");
		return;
	}
	if (must_hide(k) && *value != '\0' && !is_file && l->world_readable)
		problem(l, where, key, "a secret in a file that everybody can read; chmod o-r it");
	l->found[k - keys].value = keep(l->conf, value, strlen(value));
	l->found[k - keys].is_file = is_file;
	snprintf(l->found[k - keys].where, sizeof(where), "%s", where);
}

static void
read_env_file(struct loader *l)
{
	FILE *f = fopen(l->path, "re");
	char *line = NULL;
	size_t size = 0;
	struct stat st;
	ssize_t n;
	int number = 0;

	if (f == NULL) {
		/* without a file the environment alone may say it all */
		if (errno != ENOENT || getenv("TABLE_ORDER_ENV") != NULL)
			problem(l, l->path, "", strerror(errno));
		return;
	}
	l->world_readable = fstat(fileno(f), &st) == 0 && (st.st_mode & S_IROTH) != 0;
	while ((n = getline(&line, &size, f)) != -1) {
		number++;
		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		if (strlen(line) != (size_t)n) {
			line[0] = '=';
			line[1] = '\0';
		}
		take_line(l, line, number);
	}
	if (ferror(f))
		problem(l, l->path, "", strerror(errno));
	free(line);
	fclose(f);
}

static void
read_environment(struct loader *l)
{
	char name[80];

	for (size_t i = 0; i < KEY_COUNT; i++) {
		const char *v = getenv(keys[i].name);
		bool is_file = false;

		if (v == NULL && is_secret(&keys[i])) {
			snprintf(name, sizeof(name), "%s_FILE", keys[i].name);
			v = getenv(name);
			is_file = true;
		}
		if (v == NULL)
			continue;
		l->found[i].value = v;
		l->found[i].is_file = is_file;
		snprintf(l->found[i].where, sizeof(l->found[i].where), "environment");
	}
}

/* The contents of a secret's own file without its last newline, or NULL and a problem. */
static const char *
read_secret_file(struct loader *l, const struct key *k, const struct source *s)
{
	char what[400], bytes[FILE_LIMIT];
	struct stat st;
	ssize_t n = -1;
	int fd = open(s->value, O_RDONLY | O_CLOEXEC);

	if (fd != -1 && must_hide(k) && fstat(fd, &st) == 0 && (st.st_mode & S_IROTH) != 0) {
		close(fd);
		snprintf(
		    what, sizeof(what), "%.300s: everybody can read it; chmod o-r it", s->value);
		problem(l, s->where, k->name, what);
		return NULL;
	}
	if (fd != -1)
		n = read(fd, bytes, sizeof(bytes));
	if (n == -1 || (size_t)n == sizeof(bytes)) {
		snprintf(what, sizeof(what), "%.300s: %s", s->value,
		    n == -1 ? strerror(errno) : "too long");
		problem(l, s->where, k->name, what);
		n = -1;
	}
	if (fd != -1)
		close(fd);
	if (n == -1)
		return NULL;
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	return keep(l->conf, bytes, (size_t)n);
}

/* One-line base64 -> the PEM in it; PEM itself is taken as it is. NULL when it is neither. */
static const char *
decode_pem(struct conf *c, const char *value)
{
	size_t n = strlen(value), pad = 0;
	unsigned char *bytes;
	const char *pem = NULL;
	int len;

	if (strncmp(value, "-----BEGIN ", 11) == 0)
		return value;
	while (pad < n && pad < 2 && value[n - 1 - pad] == '=')
		pad++;
	bytes = malloc(n + 1);
	if (bytes == NULL)
		abort();
	len = n > 0 && n < FILE_LIMIT ? EVP_DecodeBlock(bytes, (const unsigned char *)value, (int)n)
				      : -1;
	if (len >= 11 + (int)pad && memcmp(bytes, "-----BEGIN ", 11) == 0)
		pem = keep(c, (char *)bytes, (size_t)len - pad);
	free(bytes);
	return pem;
}

static void
set_text(struct loader *l, const struct key *k, const struct source *s)
{
	const char *v = s->value, *wrong;

	if (v != NULL && s->is_file)
		v = *v != '\0' ? read_secret_file(l, k, s) : "";
	if (v != NULL && *v != '\0' && k->kind == PEM) {
		v = decode_pem(l->conf, v);
		if (v == NULL)
			problem(l, s->where, k->name, "is not PEM, nor one line of base64 of it");
	}
	wrong = v != NULL && k->kind != PEM ? conf_value_wrong(k->name, v) : NULL;
	if (wrong != NULL)
		problem(l, s->where, k->name, wrong);
	if (v == NULL)
		v = k->text;
	*(const char **)((char *)l->conf + k->offset) = keep(l->conf, v, strlen(v));
}

static void
set_number(struct loader *l, const struct key *k, const struct source *s)
{
	int64_t n = k->number;
	char what[100], *end;

	if (s->value != NULL) {
		errno = 0;
		n = strtoll(s->value, &end, 10);
		if (errno != 0 || end == s->value || *end != '\0' || n < k->least || n > k->most) {
			snprintf(what, sizeof(what), "must be a whole number from %lld to %lld",
			    (long long)k->least, (long long)k->most);
			problem(l, s->where, k->name, what);
		}
	}
	*(int64_t *)((char *)l->conf + k->offset) = n;
}

static void
set_level(struct loader *l, const struct key *k, const struct source *s)
{
	int level = s->value != NULL ? log_level_parse(s->value) : (int)k->number;

	if (level == -1)
		problem(l, s->where, k->name, "must be DEBUG, INFO, WARNING or ERROR");
	*(enum log_level *)((char *)l->conf + k->offset) = (enum log_level)level;
}

const char *
conf_path(void)
{
	const char *path = getenv("TABLE_ORDER_ENV");

	return path != NULL ? path : SYSCONFDIR "/table-order/table-order.env";
}

int
conf_load(struct conf *c, const char *path, unsigned need, bool strict, FILE *err)
{
	struct loader l = { .conf = c, .path = path, .err = err, .strict = strict };

	memset(c, 0, sizeof(*c));
	read_env_file(&l);
	read_environment(&l);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct key *k = &keys[i];
		const struct source *s = &l.found[i];

		if ((k->need & need) != 0 && (s->value == NULL || *s->value == '\0'))
			problem(&l, path, k->name, "must be set");
		if (k->kind == INTEGER)
			set_number(&l, k, s);
		else if (k->kind == LEVEL)
			set_level(&l, k, s);
		else
			set_text(&l, k, s);
	}
	return l.errors;
}

void
conf_fini(struct conf *c)
{
	while (c->texts != NULL) {
		struct conf_text *t = c->texts;

		c->texts = t->next;
		free(t);
	}
}
