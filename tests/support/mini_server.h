/*
 * A server of the tests' own: a master with one pool whose workers answer by libfcgi, started as
 * another run of this test program, so that it can exec itself on SIGHUP as the product does.
 *
 * A request says in DO what it wants:
 *   (nothing)    "<pid> <reloads when the worker started> <body bytes>"
 *   big          a body of 100,000 bytes
 *   sleep        the same as nothing, after 50 ms
 *   hang         never answers
 *   crash        the worker aborts
 */
#pragma once

#include "support/fcgi_client.h"

#include <sys/types.h>

struct mini_server {
	char dir[64];         /* its folder: the socket, and files that change what it does */
	char notify_path[96]; /* where it says that it is ready, as to systemd */
	char path[96];        /* the socket */
	pid_t pid;
};

struct mini_settings {
	unsigned workers;
	unsigned requests_max;     /* per worker; 0: no limit */
	unsigned request_limit_ms; /* 0: none */
};

/* Starts it and waits until all its workers are ready. */
void mini_start(struct mini_server *s, struct mini_settings set);

/* SIGTERM, and waits; its exit status, -1 when it died otherwise. Removes the folder. */
int mini_stop(struct mini_server *s);
int mini_wait(struct mini_server *s);

/* Makes a file in its folder: "refuse" fails the check of a reload, "die" kills new workers at
 * birth. */
void mini_set(const struct mini_server *s, const char *file, bool there);

/* What a worker said. */
struct mini_answer {
	bool came;
	int64_t pid, reloads, body_bytes;
};
struct mini_answer mini_understand(const struct fcgi_answer *a);
struct mini_answer mini_ask(struct fcgi_client *c, const char *what);

/* On a connection of its own. */
struct mini_answer mini_ask_once(const struct mini_server *s, const char *what);
