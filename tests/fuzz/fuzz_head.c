/* The head of a request to the relay, in two pieces: the first byte tells where it is cut. */
#include "config.h"

#include "../../sse-relay/head.h"
#include "fuzz.h"

static void
check_within(const char *text, const char *bytes, size_t size)
{
	if (text != NULL)
		FUZZ_CHECK(text >= bytes && text + strlen(text) < bytes + size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size > 0 ? size - 1 : 0, cut = size > 0 && data[0] < n ? data[0] : n;
	char *bytes = fuzz_copy(data + (size > 0), n, 0), *first = fuzz_copy(bytes, cut, 0);
	struct head h;
	int early = head_parse(first, cut, &h), length = head_parse(bytes, n, &h);

	FUZZ_CHECK(length >= -1 && length <= (int)n);
	if (early > 0)
		FUZZ_CHECK(early == length);
	if (early == 0)
		FUZZ_CHECK(memcmp(first, data + (size > 0), cut) == 0);
	if (length > 0) {
		const char *const texts[] = { h.method, h.path, h.query, h.accept_language,
			h.authorization, h.cookie, h.last_event_id, h.origin, h.request_id };

		FUZZ_CHECK(h.method != NULL && h.path != NULL && h.path[0] == '/');
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			check_within(texts[i], bytes, (size_t)length);
	}
	free(first);
	free(bytes);
	return 0;
}
