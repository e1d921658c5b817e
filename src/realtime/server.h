/*
 * `zygo realtime`: the processes that hold WebSockets, behind nginx. README.md has the idea.
 */
#pragma once

#include "base/base.h"

struct worker;

/*
 * A process's whole life, for a pool (prefork/supervisor.h): takes connections from the pool's
 * socket until it is told to leave, then closes them, so that clients connect anew. db_init(),
 * redis_init() and tally_init() are done. Its result is the exit status.
 */
int realtime_run(struct worker *w);
