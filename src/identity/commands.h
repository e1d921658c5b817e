/*
 * What an admin types that concerns identity. Each says what it did on standard output, why not on
 * standard error, and returns the exit status. main has read the configuration.
 */
#pragma once

#include "base/base.h"

struct ctx;

int command_keys(int argc, char **argv); /* zygo keys list | rotate | reseal */
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

/* Prints what failed and returns 1. */
int command_failed(const struct ctx *c, const char *what);
