/*
 * Scheduled tasks: a job is added for each time that a task's cron expression comes.
 *
 * Every keeper looks; who holds the lock of the transaction schedules, and what it adds and what it
 * remembers are one transaction, so a time is neither missed nor taken twice, whoever stops when.
 */
#pragma once

#include "base/base.h"

struct batch;
struct ctx;
struct job_book;

/* A task that is new begins with its next time. */
void schedule_put(struct batch *b, struct ctx *c, const struct job_book *book);

/* Adds what is due. Nothing is when another host does so at this moment. */
int schedule_run(struct ctx *c, const struct job_book *book) MUST_CHECK;
