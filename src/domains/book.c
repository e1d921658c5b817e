/*
 * The product's kinds of jobs and its tasks by the clock.
 *
 * To add a kind: a struct job_kind beside its handler (jobs/book.h), a line here. To add a task: a
 * row here. `zygo work` does not start with a row that is wrong; tests/integration/jobs_work.c
 * looks.
 */
#include "domains/book.h"

#include "domains/housekeeping/housekeeping.h"
#include "identity/letters.h"
#include "identity/signup.h"
#include "jobs/book.h"

static const struct job_kind *const kinds[] = {
	&housekeeping_kind,
	&letter_job,
	&signup_job,
	NULL,
};

static const struct job_task tasks[] = {
	{ "housekeeping", "17 * * * *", NULL, MISSED_ONCE, &housekeeping_kind },
	{ 0 },
};

const struct job_book zygo_book = { job_queues, kinds, tasks };
