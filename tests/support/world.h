/*
 * The servers that scripts/test has started, as one test sees them.
 *
 * Criterion runs each test in a process of its own, so what is here is made when it is first asked
 * for and lives until the test ends: nobody frees it. Without the servers (ZYGO_TEST_URL is not
 * set) the first look at the world fails the test and says so.
 */
#pragma once

#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"

struct world {
	const char *url;       /* of nginx: "https://127.0.0.1:18443" */
	const char *ca;        /* PEM file: who signed its certificate */
	const char *super_url; /* PostgreSQL as superuser */
	const char *owner_url; /* … as the role that owns the schema */
	const char *app_url;   /* … as zygo_app */
	const char *pool_url;  /* … as zygo_app, through PgBouncer's transaction pooling */
	const char *dir;       /* the servers' folder: pids/, log/, zygo.env; scripts/lib.sh */
	const char *server;    /* the program scripts/server */
	const char *root;      /* the repository */
	const char *binary;    /* zygo itself */
	const char *env_file;  /* its configuration, which config() shows too */
};

/* The tables of routes are read, config() is set, tokens are made with the server's own secrets. */
const struct world *world(void);

/* Where callers, ids and texts of a test live: until its end. */
struct arena *world_arena(void);

/* Text in the world's arena. */
const char *strf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A file of the repository, whole, below `root`; fails the test when it is not there. */
struct str world_file(const char *path);

/* Runs a program and waits; its standard output, and its exit status in *ret_status (NULL: it must
 * be 0). argv ends with NULL. */
struct str world_run(const char *const *argv, int *ret_status);
