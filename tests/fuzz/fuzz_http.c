/* Query strings, cookies, header values, addresses. The first line is a name or an address, the
 * rest what it is looked for in. */
#include "config.h"

#include "fuzz.h"
#include "http.h"

static void
try_text(struct arena *a, const char *bytes, size_t size)
{
	bool valid = http_utf8_valid(bytes, size);

	for (int is_query = 0; is_query <= 1; is_query++) {
		const char *decoded = http_percent_decode(a, bytes, size, is_query);

		if (decoded == NULL)
			continue;
		FUZZ_CHECK(strlen(decoded) <= size);
		FUZZ_CHECK(http_utf8_valid(decoded, strlen(decoded)));
		FUZZ_CHECK(http_utf8_length(decoded) <= strlen(decoded));
	}
	if (valid && size > 0)
		FUZZ_CHECK(memchr(bytes, '\0', size) == NULL);
}

static void
try_lists(struct arena *a, const char *name, const char *text)
{
	const char *value = NULL;

	switch (http_query_get(a, text, name, &value)) {
	case 1:
		FUZZ_CHECK(http_utf8_valid(value, strlen(value)));
		break;
	case 0:
		FUZZ_CHECK(value == NULL);
		break;
	}
	value = http_cookie_get(a, text, name);
	if (value != NULL)
		FUZZ_CHECK(strstr(text, value) != NULL);
	value = http_bearer(text);
	if (value != NULL)
		FUZZ_CHECK(*value != '\0');
	http_language(text);
	http_accepts(text, "application/json");
	http_type_is(text, "application/json");
	if (http_list_has(text, name))
		FUZZ_CHECK(strstr(text, name) != NULL);
}

static void
try_addresses(const char *address, const char *list)
{
	if (http_address_in(list, address))
		FUZZ_CHECK(http_is_address(address));
	if (http_is_address(address)) {
		FUZZ_CHECK(http_networks_valid(address));
		FUZZ_CHECK(http_address_in(address, address));
		FUZZ_CHECK(http_address_in("::/0", address));
	}
	http_networks_valid(list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(4096);
	size_t rest, n = fuzz_first_line(data, size, &rest);
	char *name = fuzz_copy(data, n, 1), *text = fuzz_copy(data + rest, size - rest, 1);
	char *bytes = fuzz_copy(data + rest, size - rest, 0);

	try_text(a, bytes, size - rest);
	try_lists(a, name, text);
	try_addresses(name, text);
	FUZZ_CHECK(http_number(name, 0, 1000) >= -1 && http_number(name, 0, 1000) <= 1000);
	if (http_is_uuid(name))
		FUZZ_CHECK(strlen(name) == 36);
	free(name);
	free(text);
	free(bytes);
	arena_free(a);
	return 0;
}
