#include "config.h"

#include "error.h"

static const struct {
	const char *name;
	int status;
	const char *message[2];
} errors[ERR_COUNT] = { [ERR_NONE] = { "OK", 200, { "", "" } },
#define E(code, status, ko, en) [ERR_##code] = { #code, status, { ko, en } },
	ERROR_LIST(E)
#undef E
};

const char *
error_name(enum error_code code)
{
	return errors[code].name;
}

int
error_status(enum error_code code)
{
	return errors[code].status;
}

const char *
error_message(enum error_code code, enum lang lang)
{
	return errors[code].message[lang];
}
