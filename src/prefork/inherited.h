/*
 * What a master leaves to the one that it becomes by exec: descriptors by name, and the workers
 * that go on serving. They travel in the environment (ZYGO_FDS, ZYGO_WORKERS), which a new version
 * must still understand: names and order below are an interface.
 */
#pragma once

#include "base/base.h"

#include <sys/types.h>

struct buf;

#define INHERITED_FDS     "ZYGO_FDS"     /* "scoreboard=5 fast=6 slow=7" */
#define INHERITED_WORKERS "ZYGO_WORKERS" /* "<pid>:<slot>:<pool>:<index>:<end>:<far end> …" */

struct inherited_worker {
	pid_t pid;
	unsigned slot;
	char pool[16];
	unsigned index;
	int end, far_end;
};

/* The descriptor of that name, -1 when none was left. */
int inherited_fd(const char *name);

/* The i-th worker that was left; false when there are no more. */
bool inherited_worker(size_t i, struct inherited_worker *ret);

/* Appends one entry to the text of the variable. */
void inherited_put_fd(struct buf *text, const char *name, int fd);
void inherited_put_worker(struct buf *text, const struct inherited_worker *w);

/* Both variables are done with: children and later execs do not see them. */
void inherited_forget(void);

/* Whether the descriptor is closed on exec. */
void fd_set_cloexec(int fd, bool on);
