/* Forms. The first line is the Content-Type, the rest the body. */
#include "config.h"

#include "fuzz.h"
#include "multipart.h"

static void
check_part(const struct multipart_part *p, const char *body, size_t size)
{
	FUZZ_CHECK(*p->name != '\0');
	FUZZ_CHECK(p->bytes >= body && p->size <= size);
	FUZZ_CHECK(p->bytes + p->size <= body + size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(4096);
	size_t rest, n = fuzz_first_line(data, size, &rest);
	char *type = fuzz_copy(data, n, 1), *body = fuzz_copy(data + rest, size - rest, 0);
	struct multipart form;

	if (multipart_read(a, type, body, size - rest, &form) == NULL) {
		for (int i = 0; i < form.count; i++)
			check_part(&form.parts[i], body, size - rest);
	}
	FUZZ_CHECK(form.count >= 0 && form.count <= MULTIPART_PARTS);
	free(type);
	free(body);
	arena_free(a);
	return 0;
}
