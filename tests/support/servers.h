/*
 * The servers themselves: taken away, brought back, looked at. Tests that take one away are in
 * tests/faults, whose suites run alone.
 */
#pragma once

#include "base/base.h"

#include <sys/types.h>

/* scripts/server: action is start, stop, restart, kill or reload; name is postgres, redis, nginx,
 * serve or pgbouncer. Returns when it is done: a started server answers. */
void server_do(const char *action, const char *name);

/* The master of `zygo serve`. */
pid_t server_master(void);

/* Its workers, of both pools, oldest first; *ret_len how many, at most max. */
void server_workers(pid_t *ret, size_t max, size_t *ret_len);

/* The same as text, to compare: "712 713 714 715". */
const char *server_workers_text(void);

/* `zygo work` of the test's own, beside the servers': its master, when it has workers, before which
 * nobody would hear an order to stop; it ends with the test at the latest. Stopping gives its exit
 * status, -1: a signal ended it. */
pid_t work_start(void);
int work_stop(pid_t master);

/* Looks every 20 ms until it is so; fails the test when it is not after three minutes:
 * what goes well costs nothing, and a machine may stand still for a while. */
void wait_until(bool (*is_so)(void *p), void *p, const char *what);
