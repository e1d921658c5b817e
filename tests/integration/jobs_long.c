/* Jobs that take a while: their progress, the children that they wait for, who stops them, and what
 * the log says at the end. */
#include "base/arena.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "support/crew.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int note(struct job *j)
{
	return crew_note(j, "ran");
}

static int always_fail(struct job *j)
{
	return fail_internal(j->c, "a detail for the admin");
}

static int work_until_unwanted(struct job *j)
{
	bool is_wanted = true;
	int err = OK;

	for (int i = 0; is_wanted && !err; i++) {
		usleep(20000);
		err = job_progress(j, i < 99 ? i : 99, "counting", &is_wanted);
	}
	return err ? err : fail(j->c, ERR_RESOURCE_CONFLICT, NULL, "Cancelled");
}

static bool has_progress(void *p)
{
	const char *progress =
		crew_look(*(struct job_id *)p, "progress > 2 AND message = 'counting'");

	return progress && strcmp(progress, "true") == 0;
}

Test(jobs_long, say_how_far_they_are_and_end_when_they_are_cancelled)
{
	struct job_kind k;
	struct job_id id;

	crew_kind(&k, CREW_LONG, work_until_unwanted);
	crew_start(1);
	id = crew_add(tenant_make(), &(struct job_new){ .kind = &k });
	wait_until(has_progress, &id, "the job tells its progress");
	database_run("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1::uuid",
		     id_text(id.u), NULL);
	crew_await(id, "cancelled");
}

static struct job_kind child_kind;

static int add_children(struct job *j)
{
	const struct rows *children;
	struct batch *b;
	int err;

	if (j->is_resumed) {
		err = job_children(j, &children);
		if (err)
			return err;
		j->result = str_of(arena_printf(j->c->arena, "%zu", rows_len(children)));
		return crew_note(j, "resumed");
	}

	b = batch_new(j->c, BATCH_WRITE);
	for (int i = 0; i < 5; i++)
		jobs_add(b, j->c, &(struct job_new){ .kind = &child_kind, .parent = j->id });
	j->awaits_children = true;
	return batch_run(b);
}

Test(jobs_long, wait_for_their_children)
{
	struct job_kind k;
	struct job_id id;

	crew_kind(&k, CREW_LONG, add_children);
	crew_kind(&child_kind, CREW_QUICK, note);
	crew_start(2);
	id = crew_add(tenant_make(), &(struct job_new){ .kind = &k });
	crew_await(id, "completed");
	cr_expect_str_eq(crew_look(id, "result"), "5");
	cr_expect_str_eq(crew_look(id, "attempts"), "1");
	cr_expect_eq(crew_notes(id), 1);
	cr_expect_eq(
		database_number("SELECT count(*) FROM jobs c JOIN jobs p ON p.id = c.parent_id "
				"WHERE p.id = $1::uuid AND c.finished_at > p.started_at",
				id_text(id.u), NULL),
		0);
}

/* What its children have come to, the oldest first. */
static int read_children(struct job *j)
{
	const struct rows *children;
	int err = job_children(j, &children);

	if (err)
		return err;
	j->result = str_of(
		arena_printf(j->c->arena, "\"%s %s\"",
			     rows_str(children, 0, (size_t)rows_find(children, "state")).ptr,
			     rows_str(children, 1, (size_t)rows_find(children, "state")).ptr));
	return OK;
}

Test(jobs_long, wait_for_children_that_were_added_with_them)
{
	struct job_id id = { uuid_v7() };
	struct job_kind k, bad;

	crew_kind(&k, CREW_LONG, read_children);
	crew_kind(&child_kind, CREW_QUICK, note);
	crew_kind(&bad, CREW_QUICK, always_fail);
	crew_start(2);
	crew_add_together(tenant_make(),
			  (struct job_new[]){ { .kind = &k, .id = id, .awaits_children = true },
					      { .kind = &bad, .parent = id },
					      { .kind = &child_kind, .parent = id } },
			  3);
	crew_await(id, "completed");
	cr_expect_str_eq(crew_look(id, "result #>> '{}'"), "failed completed");
	cr_expect_str_eq(crew_look(id, "attempts"), "1");
}

/* How many lines of the log say this of a job. */
static size_t said_in(FILE *log, const char *what, struct job_id id)
{
	char line[KIB(16)];
	size_t n = 0;

	rewind(log);
	while (fgets(line, sizeof(line), log))
		n += strstr(line, what) && strstr(line, strf("\"id\":\"%s\"", id_text(id.u)));
	return n;
}

Test(jobs_long, say_in_the_log_how_they_ended)
{
	struct tenant_id t = tenant_make();
	struct job_kind parent, bad, quick;
	struct job_id done, failed, brisk;
	FILE *log = tmpfile();

	cr_assert(log && dup2(fileno(log), STDERR_FILENO) >= 0);
	crew_kind(&parent, CREW_LONG, add_children);
	crew_kind(&child_kind, CREW_QUICK, note);
	crew_kind(&bad, CREW_QUICK, always_fail);
	crew_kind(&quick, CREW_QUICK, note);
	bad.attempts = 1;
	crew_start(1);
	done = crew_add(t, &(struct job_new){ .kind = &parent });
	failed = crew_add(t, &(struct job_new){ .kind = &bad });
	brisk = crew_add(t, &(struct job_new){ .kind = &quick });
	crew_await(done, "completed");
	crew_await(failed, "failed");
	crew_await(brisk, "completed");
	cr_expect_eq(said_in(log, "A job is completed", done), 1); /* not when it began to wait */
	cr_expect_eq(said_in(log, "A job failed", failed), 1);
	cr_expect_eq(said_in(log, "A job", brisk), 0);
	(void)fclose(log);
}

static int slowly(struct job *j)
{
	usleep(50000);
	return crew_note(j, "ran");
}

/* What runs is finished, what was only taken goes back, and nothing is counted against it. */
Test(jobs_long, are_handed_back_when_their_worker_stops)
{
	struct tenant_id t = tenant_make();
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, slowly);
	crew_start(2);
	crew_add_many(t, &(struct job_new){ .kind = &k }, 60);
	crew_await_notes(t, 1);
	cr_expect_eq(crew_stop(), 0);
	cr_expect_eq(database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid AND "
				     "state = 'active'",
				     id_text(t.u), NULL),
		     0);
	cr_expect_eq(database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid AND "
				     "state = 'waiting' AND attempts > 0",
				     id_text(t.u), NULL),
		     0);
	crew_start(2);
	crew_await_count("completed", 60);
	cr_expect_eq(database_number("SELECT count(*) FROM " CREW_TABLE " WHERE tenant = $1::uuid",
				     id_text(t.u), NULL),
		     60);
}

static bool has_begun(void *p)
{
	return crew_notes(*(struct job_id *)p) == 1;
}

/* It was taken in one haul with the job that runs, so nobody but its worker could end it. */
Test(jobs_long, that_are_cancelled_after_they_were_taken_do_not_begin)
{
	struct tenant_id t = tenant_make();
	struct job_id first, second;
	struct job_kind k;

	crew_kind(&k, CREW_QUICK, crew_wait_for_word);
	crew_start(1);
	database_run("UPDATE job_queues SET paused_at = now() WHERE name = $1", k.queue, NULL);
	first = crew_add(t, &(struct job_new){ .kind = &k });
	second = crew_add(t, &(struct job_new){ .kind = &k });
	database_run("UPDATE job_queues SET paused_at = NULL WHERE name = $1", k.queue, NULL);
	wait_until(has_begun, &first, "the first job runs");
	cr_assert_str_eq(crew_look(second, "state"), "active");
	database_run("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1::uuid",
		     id_text(second.u), NULL);
	crew_ask_to_stop();
	crew_tell();
	cr_expect_eq(crew_stop(), 0);
	cr_expect_str_eq(crew_look(first, "state"), "completed");
	cr_expect_str_eq(crew_look(second, "state"), "cancelled");
	cr_expect_eq(crew_notes(second), 0);
}
