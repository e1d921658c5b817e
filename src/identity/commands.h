/*
 * What an admin types that concerns identity. Each says what it did on standard output and returns
 * the exit status.
 */
#pragma once

int command_keys(int argc, char **argv); /* zygo keys list | rotate */
int command_seed(int argc, char **argv); /* zygo seed: the demonstration tenant */

/* Writes the built-in roles' permissions to the database; part of `zygo migrate`. */
int sync_builtin_roles(void);
