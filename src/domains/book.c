/*
 * The product's kinds of jobs and its tasks by the clock.
 *
 * To add a kind: a struct job_kind beside its handler (jobs/book.h), a line here. To add a task: a
 * row here. `zygo work` does not start with a row that is wrong; tests/integration/jobs_work.c
 * looks.
 */
#include "domains/book.h"

#include "domains/deletion/deletion.h"
#include "domains/housekeeping/housekeeping.h"
#include "domains/notifications/notifications.h"
#include "domains/webhooks/webhooks.h"
#include "identity/letters.h"
#include "identity/signup.h"
#include "jobs/book.h"

static const struct job_kind *const kinds[] = {
	&housekeeping_kind,
	&housekeeping_events_kind,
	&letter_job,
	&tenant_delete_job,
	&tenant_archive_job,
	&user_erase_job,
	&account_erase_job,
	&notification_digest_kind,
	&notification_hourly_kind,
	&notification_live_kind,
	&notification_mail_kind,
	&signup_job,
	&webhook_disable_job,
	&webhook_replay_job,
	&webhook_stop_job,
	NULL,
};

static const struct job_task tasks[] = {
	{ "housekeeping", "17 * * * *", NULL, MISSED_ONCE, &housekeeping_kind },
	{ "events", "47 * * * *", NULL, MISSED_ONCE, &housekeeping_events_kind },
	{ "notifications", "0 * * * *", NULL, MISSED_ONCE, &notification_hourly_kind },
	{ 0 },
};

const struct job_book zygo_book = { job_queues, kinds, tasks };
