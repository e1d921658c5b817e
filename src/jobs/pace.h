/*
 * What the workers of a host know of each other's jobs: how long those of a queue take, and who
 * runs them. A queue is the number of its row in the book.
 */
#pragma once

#include "base/base.h"

struct pace;

/* In memory that the children share that are forked from now on. Lives as long as the process. */
struct pace *pace_new(void);

/* What a job took lately, in microseconds; 0: nobody knows yet. */
void pace_learn(struct pace *p, size_t queue, int64_t job_us);
int64_t pace_job_us(const struct pace *p, size_t queue);

/* The worker of that index takes and runs jobs of a queue from now on; none any more. */
void pace_run(struct pace *p, unsigned worker, size_t queue);
void pace_rest(struct pace *p, unsigned worker);

/* How many workers do. */
unsigned pace_running(const struct pace *p, size_t queue);
