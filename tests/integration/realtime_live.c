/*
 * WebSockets: what becomes of jobs, told while somebody watches; and what Redis loses.
 */
#include "base/clock.h"
#include "base/ctx.h"
#include "cache/publish.h"
#include "cache/redis.h"
#include "events/room.h"
#include "jobs/book.h"
#include "jobs/job.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/crew.h"
#include "support/database.h"
#include "support/websocket.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

/* A job that begins when those are there who are to hear of it, and when the crew is at rest. */
static struct job_id add_for_later(const struct caller *c, const struct job_kind *k)
{
	struct job_id id =
		crew_add(c->tenant, &(struct job_new){ .kind = k, .delay_us = US_PER_DAY });

	crew_start(1);

	return id;
}

static void let_begin(struct job_id id)
{
	database_run("UPDATE jobs SET run_at = now() WHERE id = $1::uuid", id_text(id.u), NULL);
}

/* Progress is said to whoever is there, and may be lost: so it is said until it was heard. */
static int work_a_little(struct job *j)
{
	bool is_wanted;
	int err = OK;

	while (!err && !crew_was_told()) {
		err = job_progress(j, 40, "half way", &is_wanted);
		(void)poll(NULL, 0, 50);
	}

	return err;
}

Test(realtime_live, a_job_tells_how_far_it_is_and_that_it_is_completed)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann), *all = websocket_of(&ann);
	struct job_kind k;
	struct job_id id;
	const char *message;

	crew_kind(&k, CREW_LONG, work_a_little);
	id = add_for_later(&ann, &k);
	websocket_joins(w, room_of(&ann, strf("job:%s", id_text(id.u))));
	websocket_joins(all, room_of(&ann, "jobs"));
	let_begin(id);
	message = heard_is(w, "event", "job.progress");
	cr_assert(strstr(message, "\"progress\":40,\"message\":\"half way\""), "%s", message);
	cr_assert_str_eq(said(heard_is(all, "event", "job.progress"), "room"),
			 room_of(&ann, "jobs"));
	crew_tell();
	message = hears_in_the_end(w, "event", "job.completed");
	cr_assert(strstr(message, strf("\"id\":\"%s\"", id_text(id.u))), "%s", message);
	(void)hears_in_the_end(all, "event", "job.completed");
	crew_await(id, "completed");
}

static int do_nothing(struct job *j UNUSED)
{
	return OK;
}

static int finish_together(struct job *j)
{
	return crew_note_and_done(j, "ran");
}

Test(realtime_live, each_job_of_a_haul_is_told_once)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *all = websocket_of(&ann);
	struct job_kind done, settled, secret;

	crew_kind(&done, CREW_QUICK, do_nothing);
	crew_kind(&settled, CREW_QUICK, finish_together);
	crew_kind(&secret, CREW_QUICK, do_nothing);
	secret.is_private = true;
	crew_add_many(ann.tenant, &(struct job_new){ .kind = &done }, 5);
	crew_add_many(ann.tenant, &(struct job_new){ .kind = &settled }, 5);
	crew_add_many(ann.tenant, &(struct job_new){ .kind = &secret }, 5);
	websocket_joins(all, room_of(&ann, "jobs"));
	crew_start(1);
	crew_await_end();
	for (int i = 0; i < 10; i++)
		heard_is(all, "event", "job.completed");
	hears_nothing(all);
}

static struct job_kind whole;

static int do_a_part(struct job *j)
{
	job_tell_parent(j, &whole, 60, "the first half");

	return OK;
}

Test(realtime_live, a_part_of_a_job_tells_how_far_the_whole_is)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann);
	struct job_kind part;
	struct job_id id;
	const char *message;

	crew_kind(&whole, CREW_QUICK, do_nothing);
	crew_kind(&part, CREW_QUICK, do_a_part);
	id = crew_add(ann.tenant, &(struct job_new){ .kind = &whole, .delay_us = US_PER_DAY });
	(void)crew_add(ann.tenant, &(struct job_new){ .kind = &part, .parent = id });
	websocket_joins(w, room_of(&ann, strf("job:%s", id_text(id.u))));
	crew_start(1);
	message = heard_is(w, "event", "job.progress");
	cr_assert(strstr(message, "\"progress\":60,\"message\":\"the first half\""), "%s", message);
}

static int go_on_for_long(struct job *j)
{
	char text[JOB_MESSAGE_MAX + 2];
	bool is_wanted;
	int err;

	/* What needs most bytes as JSON, and a character that begins within the bound and ends
	 * beyond it. */
	memset(text, '\1', JOB_MESSAGE_MAX - 1);
	memcpy(text + JOB_MESSAGE_MAX - 1, "\xc3\xa9", 3);
	err = job_progress(j, 1, text, &is_wanted);
	while (!err && is_wanted) {
		(void)poll(NULL, 0, 50);
		err = job_progress(j, 2, "on and on", &is_wanted);
	}

	return err ? err : fail(j->c, ERR_RESOURCE_CONFLICT, NULL, "Not wanted");
}

Test(realtime_live, a_job_that_is_cancelled_says_so_when_it_has_stopped)
{
	struct caller ann = caller(ROLE_OWNER);
	struct websocket *w = websocket_of(&ann);
	struct job_kind k;
	struct job_id id;
	const char *message;

	crew_kind(&k, CREW_LONG, go_on_for_long);
	k.is_cancellable = true;
	id = add_for_later(&ann, &k);
	websocket_joins(w, room_of(&ann, strf("job:%s", id_text(id.u))));
	let_begin(id);
	message = heard_is(w, "event", "job.progress");
	cr_assert(strstr(message, "\\u0001\"}"), "the message is cut elsewhere: %s", message);
	answer_is(post(&ann, strf("/jobs/%s/cancel", id_text(id.u)), NULL), 200);
	message = hears_in_the_end(w, "event", "job.cancelled");
	cr_assert_str_neq(said(message, "id"), "", "an event of the log");
	crew_await(id, "cancelled");
}

static void make_project(const struct caller *c, const char *slug)
{
	answer_is(post(c, "/projects", strf("{\"slug\":\"%s\",\"name\":\"x\"}", slug)), 201);
}

/* A message of its own to a room, past the log. */
static void shout(const struct caller *c, const char *room)
{
	struct ctx ctx;

	ctx_reset(&ctx, world_arena());
	room_publish(&ctx, c->tenant, room, "shout", STR("{}"));
}

/* What Redis did not take is missing before what it did: nothing is believed then, and the log is
 * read. */
Test(realtime_live, a_gap_in_what_redis_brings_is_noticed)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *room = room_of(&ann, "projects");
	struct websocket *w = websocket_of(&ann);
	struct ctx ctx;
	struct message ahead = {
		str_of(strf("events:{%s}", id_text(ann.tenant.u))),
		STR("{\"position\":900000000000002,\"after\":900000000000001,\"id\":"
		    "\"01900000-0000-7000-8000-000000000000\",\"type\":\"project.created\","
		    "\"subjectId\":null,\"data\":{},\"at\":\"2026-01-31T12:00:00.000Z\"}"),
	};

	websocket_joins(w, room);
	make_project(&ann, "p0");
	heard_is(w, "event", "project.created");

	cr_assert_null(redis_init());
	ctx_reset(&ctx, world_arena());
	cr_assert(publish(&ctx, &ahead, 1));
	shout(&ann, room);
	heard_is(w, "event", "shout");
	for (int i = 1; i <= 3; i++) {
		make_project(&ann, strf("p%d", i));
		cr_assert(strstr(heard_is(w, "event", "project.created"),
				 strf("\"slug\":\"p%d\"", i)));
	}
}
