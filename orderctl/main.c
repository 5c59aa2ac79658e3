/* orderctl: the operator's command. */
#include "config.h"

#include "orderctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int help(int argc, char **argv);

static const struct command commands[] = {
	{ "check-config", "[--file FILE]", "check the configuration, keys included",
	    "Every problem is one line: where it stands, the key, what is wrong. Unknown keys are\n"
	    "errors here. Exit status 1 when there is any.\n",
	    ctl_check_config },
	{ "doctor", "[--json] [--metrics FILE]", "look whether all is well",
	    "Looks at the configuration, keys, directories, database, Redis, RabbitMQ, programs, "
	    "the "
	    "web\n"
	    "server and a stream through it, and at encryption at rest. Each check is one line: "
	    "what was\n"
	    "seen, and below it what to do where it is not well. Changes nothing. Run it as root, "
	    "or as\n"
	    "the programs' user, who sees less. --metrics writes FILE for Prometheus and prints "
	    "only "
	    "what\n"
	    "failed. Exit status 1 when a check failed; a warning is no failure.\n",
	    ctl_doctor },
	{ "keygen", "[--bits N] [--rotate] [DIR]", "make a key pair that signs and verifies tokens",
	    "Prints the lines JWT_PRIVATE_KEY and JWT_PUBLIC_KEYS for the configuration file; with "
	    "DIR\n"
	    "writes DIR/private.pem and DIR/public.pem instead, for JWT_PRIVATE_KEY_FILE and\n"
	    "JWT_PUBLIC_KEYS_FILE. N is 2048 to 4096, by default 3072. --rotate keeps the public "
	    "keys of\n"
	    "the present configuration behind the new one, so that tokens signed before still "
	    "hold.\n",
	    ctl_keygen },
	{ "migrate", "[--dir DIR]", "bring the database's schema up to date",
	    "Deploys what is missing with sqitch, as the role of DATABASE_OWNER_URL; each change "
	    "is\n"
	    "verified, and taken back when that fails. Running it twice, or twice at once, is "
	    "harmless.\n"
	    "DIR holds another sqitch project than the installed one.\n",
	    ctl_migrate },
	{ "create-super-admin", "USERNAME", "make the account that creates stores and admins",
	    "The password is the first line of standard input, 1 to 72 bytes; a terminal is asked "
	    "twice,\n"
	    "without echo.\n",
	    ctl_create_super_admin },
	{ "seed-demo", "[--force] [--data FILE]", "add two demo stores and print their logins",
	    "For trying things out: the passwords are known to everybody. Prints a JSON array of "
	    "the\n"
	    "stores with their logins. Running it again changes nothing and prints the same. "
	    "Refuses\n"
	    "to add them beside other stores unless --force is given. FILE holds other stores than "
	    "the\n"
	    "installed ones.\n",
	    ctl_seed_demo },
	{ "maintenance", "[--dry-run]", "do what is to be done every night",
	    "Makes the months of history ahead, drops those past HISTORY_RETENTION_MONTHS with "
	    "their\n"
	    "sessions, analyzes the history, deletes published events past EVENT_RETENTION_HOURS,\n"
	    "idempotency keys, revocations and failed logins that are past their time, and "
	    "removes\n"
	    "pictures that no menu names. One line a step. A step that fails does not stop the "
	    "others;\n"
	    "exit status 1 then. While another maintenance is at work this one does nothing, exit\n"
	    "status 0. --dry-run tells what would be done, and does nothing.\n",
	    ctl_maintenance },
	{ "setup", "[--yes] [OPTION ...]",
	    "make database, keys, configuration and the web server's part",
	    "From an installed package to a system that serves: the database with its roles, an "
	    "account\n"
	    "at RabbitMQ, keys, the configuration file, the schema, the first super admin, the "
	    "web\n"
	    "server's configuration; then everything is started. Asks on a terminal what it is not "
	    "told\n"
	    "by options, which `orderctl setup --help` lists. Running it again changes only what "
	    "is\n"
	    "missing.\n",
	    ctl_setup },
	{ "after-restore", "", "make open pages load again when events were lost",
	    "For a database that was restored to an earlier time, or lost commits in a failover. "
	    "Raises\n"
	    "each store's event number by a million, so that no number of a lost event is given "
	    "again\n"
	    "and a page that has seen it would take the new for the old. Before the programs "
	    "start, or\n"
	    "while they run; twice is harmless.\n",
	    ctl_after_restore },
	{ "outbox", "[--json]", "show which events wait to be published",
	    "For each store the number of events that the message broker has not confirmed and the "
	    "age\n"
	    "of the oldest. Exit status 0 whether there are any or not.\n",
	    ctl_outbox },
	{ "help", "[COMMAND]", "say more about a command", "", help },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void
print_usage(FILE *out)
{
	fputs("usage: orderctl [--file FILE] COMMAND [ARGUMENT ...]\n\n", out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-20s%s\n", commands[i].name, commands[i].about);
	fprintf(out, "\nFILE is the configuration, by default %s.\n", conf_path());
	fputs("`orderctl help COMMAND` says more; so does orderctl(8).\n", out);
}

static int
help(int argc, char **argv)
{
	const struct command *c;

	if (argc > 2)
		return ctl_usage("help", "one command at most");
	if (argc < 2) {
		print_usage(stdout);
		return CTL_OK;
	}
	c = find(argv[1]);
	if (c == NULL)
		return ctl_usage("help", "there is no command '%s'", argv[1]);
	printf("usage: orderctl %s %s\n\n%s: %s.\n%s%s", c->name, c->arguments, c->name, c->about,
	    *c->detail != '\0' ? "\n" : "", c->detail);
	return CTL_OK;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "file", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { 0 } };
	const struct command *c;
	int option;

	log_open(NULL, "orderctl", LOG_ERROR);
	while ((option = getopt_long(argc, argv, "+f:", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			setenv("TABLE_ORDER_ENV", optarg, 1);
			break;
		case 'h':
			print_usage(stdout);
			return CTL_OK;
		case 'v':
			puts("orderctl (" PACKAGE_NAME ") " PACKAGE_VERSION);
			return CTL_OK;
		default:
			print_usage(stderr);
			return CTL_USAGE;
		}
	}
	c = optind < argc ? find(argv[optind]) : NULL;
	if (c == NULL) {
		if (optind < argc)
			fprintf(stderr, "orderctl: there is no command '%s'\n", argv[optind]);
		print_usage(stderr);
		return CTL_USAGE;
	}
	argc -= optind;
	argv += optind;
	optind = 0; /* a command reads its own options from the start, and speaks for itself */
	opterr = 0;
	return c->run(argc, argv);
}
