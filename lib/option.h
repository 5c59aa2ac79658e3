/*
 * option: --help and --version, which every program answers without
 * configuration.
 */
#ifndef OPTION_H
#define OPTION_H

/* Answers a program's option; usage names its options, about says in a line or two what it does.
 * Returns the exit status: 0, or 2 for an option that it has not. */
int option_answer(const char *option, const char *program, const char *usage, const char *about);

#endif
