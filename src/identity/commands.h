/*
 * What an admin types that concerns identity. Each says what it did on standard output, why not on
 * standard error, and returns the exit status. main has read the configuration.
 */
#pragma once

#include "base/base.h"

struct ctx;
struct rows;

int command_seed(int argc, char **argv); /* zygo seed: the demonstration tenant */

/* Writes the built-in roles' permissions to the database; part of `zygo migrate`. The exit status.
 */
int sync_builtin_roles(void);

/*
 * What every command that uses the database begins and ends with: secrets are keyed, the database
 * is ready to be asked, the ctx acts as the platform itself. It lives until command_end().
 */
struct ctx *command_begin(const char *name);
void command_end(struct ctx *c);

/* What is lost without JWT_SECRET_PREVIOUS: a row of api_keys and accounts (with recovery codes).
 */
int keyed_before(struct ctx *c, const struct rows **ret) MUST_CHECK;

/* A command's own commands, such as `rotate` of `zygo keys`; a row without name ends them. */
struct verb {
	const char *name;
	const char *arguments;                            /* as the usage says them; "": none */
	const char *about;                                /* what it does, for the usage */
	int (*run)(struct ctx *c, int argc, char **argv); /* the arguments alone; 2: wrong ones */
};

extern const struct verb keys_verbs[];

/*
 * Runs the one that argv[1] names; argv[0] is the command. The exit status: 2 when there is no such
 * verb or its arguments are wrong.
 */
int command_verb(const struct verb *verbs, int argc, char **argv);

/* Prints what failed and returns 1. */
int command_failed(const struct ctx *c, const char *what);
