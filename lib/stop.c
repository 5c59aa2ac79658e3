#include "config.h"

#include "stop.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static unsigned grace;

static void
ask(int signal_number)
{
	(void)signal_number;
	asked = 1;
	alarm(grace);
}

static void
end(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

void
stop_on_signals(unsigned grace_seconds)
{
	struct sigaction a = { .sa_handler = ask, .sa_flags = SA_RESTART };

	grace = grace_seconds;
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGINT, &a, NULL);
	a.sa_handler = end;
	sigaction(SIGALRM, &a, NULL);
	a.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
}

bool
stop_asked(void)
{
	return asked != 0;
}
