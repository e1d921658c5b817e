/* Shared by the master's files: supervisor.c (the loop), children.c (a worker's life), reload.c. */
#pragma once

#include "prefork/channel.h"
#include "prefork/supervisor.h"

/* One place for a worker, which the master keeps taken. */
struct seat {
	const struct pool *pool;
	unsigned index;        /* in the pool */
	unsigned failures;     /* workers in a row that died young */
	int64_t not_before_us; /* monotonic: back-off */
};

enum stage {
	CHILD_STARTING, /* forked, not ready */
	CHILD_SERVING,
	CHILD_DUE,     /* serves until its successor is ready */
	CHILD_LEAVING, /* was told to go */
};

/* A worker as the master sees it; its number is its slot's. */
struct child {
	pid_t pid;               /* 0: free */
	struct seat *seat;       /* NULL: a reload left no such seat */
	const struct pool *pool; /* NULL: a reload left no such pool */
	enum stage stage;
	int end, far_end; /* the channel; the far one, to rescue what a dead worker did not read */
	int64_t born_us;
	int64_t deadline_us; /* when it must be gone; 0: none */
	bool hung;           /* SIGABRT was sent */
	uint64_t sent;       /* connections passed to it */
};

struct master {
	const struct pool *pools;
	size_t pools_len;
	char **argv;
	struct scoreboard *board;
	int board_fd;
	int signal_fd;
	struct seat seats[WORKERS_MAX];
	size_t seats_len;
	struct child children[SCOREBOARD_SLOTS_MAX];
	pid_t check_pid;    /* the new binary, checking the configuration; 0: none */
	bool reload_wanted; /* SIGHUP came while the last reload was still under way */
	bool stopping;
	bool announced;      /* READY=1 was said */
	int64_t watchdog_us; /* how often systemd hears that we live; 0: it does not ask */
	int64_t watched_us;
};

struct slot *child_slot(struct master *m, const struct child *c);
size_t children_alive(const struct master *m);

/* Forks workers for the seats that have none and may have one now. */
void seats_fill(struct master *m);
bool seat_is_served(const struct master *m, const struct seat *s);

/* All that the worker said since last time. */
void child_hear(struct master *m, struct child *c);

/* Tells it to go, and how; it is killed when it takes longer than the drain time-out. */
void child_tell(struct child *c, enum word word);

/* waitpid() returned it: rescues its connections, keeps its counters, frees its place. */
void child_bury(struct master *m, struct child *c, int status);

/* Kills what hangs, or does not go. */
void child_look(struct master *m, struct child *c, int64_t now_us);

/* Takes over the scoreboard and the workers of an earlier master, or makes a new scoreboard. */
void reload_adopt(struct master *m);
/* SIGHUP: starts the check, once every seat has had its turn since the last reload. */
void reload_ask(struct master *m);
void reload_look(struct master *m);
/* The check is done: execs the new binary, or says why not. */
void reload_checked(struct master *m, int status);
