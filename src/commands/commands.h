/*
 * What an admin types after `zygo`, as rows of main.c's table. argc and argv begin at the command's
 * name and end as main's do, so that argv[-1] is the program. Each returns the exit status: 0, 1
 * when it failed, 2 when it was called wrongly; main then prints the usage.
 *
 * `keys` and `seed` are identity's (identity/commands.h).
 */
#pragma once

#include "identity/commands.h"

int command_serve(int argc, char **argv);    /* serve.c */
int command_work(int argc, char **argv);     /* work.c */
int command_realtime(int argc, char **argv); /* realtime.c */
int command_mail(int argc, char **argv);     /* mail.c */
int command_doctor(int argc, char **argv);   /* doctor.c */
int command_migrate(int argc, char **argv);  /* migrate.c */
int command_print(int argc, char **argv);    /* print.c */
int command_openapi(int argc, char **argv);  /* print.c */

extern const struct verb jobs_verbs[];  /* jobs.c */
extern const struct verb admin_verbs[]; /* admin.c */

#define PRINT_PAGES                                                                                \
	"PAGE: routes, errors, permissions, access, events, nginx, settings, env-example"

/* Where settings are read from before the environment: ZYGO_ENV_FILE, or /etc/zygo/zygo.env. */
const char *settings_file(void);

/*
 * Reads the settings and starts the log, role in each line; false after printing every mistake.
 */
bool configure(const char *role) MUST_CHECK;
