/* The product's queues and kinds of jobs: what the specification says of them in numbers. */
#include "domains/book.h"

#include "base/clock.h"
#include "jobs/book.h"

#include <criterion/criterion.h>

static const struct job_kind defaults = { JOB_DEFAULTS };

Test(book, has_the_queues_that_are_promised)
{
	static const char *const names[] = {
		"tenant-deletion", "user-deletion", "workflow-execution",
		"notifications",   "archive",       "email",
		"webhooks"
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_expect(book_queue(&zygo_book, names[i]), "%s", names[i]);
}

Test(book, keeps_completed_jobs_for_a_day_and_failed_ones_for_a_week)
{
	for (const struct job_queue *q = zygo_book.queues; q->name; q++) {
		cr_expect_eq(q->keep_completed_us, 24 * 60 * US_PER_MINUTE, "%s", q->name);
		cr_expect_eq(q->keep_completed, 1000, "%s", q->name);
		cr_expect_eq(q->keep_failed_us, 7 * US_PER_DAY, "%s", q->name);
	}
}

Test(book, deletes_two_tenants_at_a_time_and_five_a_minute)
{
	const struct job_queue *q = book_queue(&zygo_book, "tenant-deletion");

	cr_expect_eq(q->concurrency, 2);
	cr_expect_eq(q->rate_max, 5);
	cr_expect_eq(q->rate_us, 60 * US_PER_S);
}

Test(book, tries_three_times_and_five_where_a_tenant_is_deleted_or_archived)
{
	cr_expect_eq(defaults.attempts, 3);
	cr_expect_eq(defaults.backoff_us, 5 * US_PER_S);
	for (size_t i = 0; zygo_book.kinds[i]; i++) {
		const struct job_kind *k = zygo_book.kinds[i];
		bool is_long = strcmp(k->queue, "tenant-deletion") == 0 ||
			       strcmp(k->queue, "archive") == 0;

		if (strcmp(k->queue, "email") != 0) /* more: mail servers are away for longer */
			cr_expect_eq(k->attempts, is_long ? 5 : 3, "%s", k->name);
	}
}
