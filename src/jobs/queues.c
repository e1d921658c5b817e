/*
 * The product's queues. To add one: a row. Its run-time half, the row in job_queues, is made when
 * `zygo work` starts.
 */
#include "jobs/book.h"

/* How many short jobs a worker takes at a time, once it has seen how short they are (haul.c). */
#define MANY 400

/* clang-format off */
const struct job_queue job_queues[] = {
	{ "tenant-deletion", .concurrency = 2, .batch = 1, .rate_max = 5, .rate_us = US_PER_MINUTE, JOB_RETENTION },
	{ "user-deletion", .concurrency = 1, .batch = 1, JOB_RETENTION },
	{ "workflow-execution", .batch = 1, JOB_RETENTION },
	{ "notifications", .batch = MANY, JOB_RETENTION, .only_tells = true },
	{ "archive", .concurrency = 2, .batch = 1, JOB_RETENTION },
	{ "email", .batch = 8, JOB_RETENTION, .only_tells = true },
	{ "webhooks", .batch = MANY, JOB_RETENTION, .only_tells = true },
	{ "housekeeping", .concurrency = 1, .batch = 1, JOB_RETENTION },
	{ 0 },
};
/* clang-format on */
