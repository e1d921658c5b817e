/*
 * The spine: the process of `zygo work` that numbers committed events and runs their readers. Any
 * number of hosts may have one: they take turns.
 */
#pragma once

struct event_reader;
struct worker;

/* Its whole life; the exit status. table ends with a NULL name. */
int spine_run(struct worker *w, const struct event_reader *table);
