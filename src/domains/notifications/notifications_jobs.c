/*
 * What else is done in the background: saying live what has come, and what the hour brings: digests
 * that are due, API keys that run out.
 */
#include "domains/notifications/notifications.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "db/batch.h"
#include "events/room.h"
#include "gen/sql_notifications.h"
#include "http/reply.h"
#include "http/shape.h"
#include "jobs/book.h"
#include "jobs/job.h"

#define AT_A_TIME      500
#define DATA_BYTES_MAX KIB(8)

/*
 * Live: to the room of each user, what has come and how many are unread now. It is said after the
 * commit, and to whoever is there.
 */

struct live {
	struct uuid event; /* what came of it; or */
	struct uuid user;  /* whose number of unread ones changed */
};

static void say(struct job *j, struct uuid user, const char *event, const struct buf *data)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(user, id);
	room_publish(j->c, j->tenant, arena_printf(j->c->arena, "user:%s", id), event,
		     buf_view(data));
}

static struct uuid uuid_at(const struct rows *r, size_t row, const char *name)
{
	return rows_uuid(r, row, (size_t)rows_find(r, name));
}

/* {"notification": {…}, "unread": 3}: the notification as its route shows it. */
static void say_new(struct job *j, const struct rows *rows, size_t row)
{
	struct jsonwrite w;
	struct buf data;

	buf_init(&data, j->c->arena, DATA_BYTES_MAX);
	jsonwrite_init(&w, &data);
	jsonwrite_object(&w);
	jsonwrite_key(&w, "notification");
	reply_write_row(&w, &notification_shape, rows, row);
	jsonwrite_member_i64(&w, "unread", rows_int(rows, row, (size_t)rows_find(rows, "unread")));
	jsonwrite_object_end(&w);
	BUG_IF(data.overflow);

	say(j, uuid_at(rows, row, "user_id"), "notification.created", &data);
}

static int say_event(struct job *j, struct uuid event)
{
	struct uuid last = { { 0 } };
	const struct rows *rows;
	int err;

	do {
		err = db_read(j->c, &rows, &sql_notifications_live,
			      ARGS(arg_uuid(event), arg_uuid(last), arg_int(AT_A_TIME)));
		if (err)
			return err;
		for (size_t i = 0; i < rows_len(rows); i++) {
			say_new(j, rows, i);
			last = uuid_at(rows, i, "user_id");
		}
	} while (rows_len(rows) == AT_A_TIME);

	return OK;
}

static int say_unread(struct job *j, struct uuid user)
{
	const struct rows *found;
	struct jsonwrite w;
	struct buf data;
	int err;

	err = db_read(j->c, &found, &sql_notifications_unread_of, ARGS(arg_uuid(user)));
	if (err)
		return err;

	buf_init(&data, j->c->arena, DATA_BYTES_MAX);
	jsonwrite_init(&w, &data);
	jsonwrite_object(&w);
	jsonwrite_member_i64(&w, "unread", rows_get_int(found, "unread"));
	jsonwrite_object_end(&w);
	say(j, user, "notification.unread", &data);

	return OK;
}

static int run_live(struct job *j)
{
	const struct live *in = j->payload;

	return uuid_is_nil(in->user) ? say_event(j, in->event) : say_unread(j, in->user);
}

static const struct field live_fields[] = {
	{ "event", T_UUID, OPTIONAL, offsetof(struct live, event), .about = "What came of it" },
	{ "user", T_UUID, OPTIONAL, offsetof(struct live, user),
	  .about = "Whose are fewer, or more" },
};
static const struct shape live_shape = SHAPE("NotificationLiveJob", struct live, live_fields);

const struct job_kind notification_live_kind = { JOB_DEFAULTS, .name = "notifications.live",
						 .queue = "notifications", .payload = &live_shape,
						 .run = run_live };

/*
 * By the hour
 */

/* Until a statement finds fewer rows than it may take. */
static int run_out(struct ctx *c, const struct sql *s, struct args args)
{
	const struct rows *rows;
	int err;

	do {
		struct batch *b = batch_new(c, BATCH_SYSTEM);

		batch_add(b, &rows, s, args);
		err = batch_run(b);
	} while (!err && rows_len(rows) == AT_A_TIME);

	return err;
}

static int run_hourly(struct job *j)
{
	const struct job_kind *k = &notification_digest_kind;
	int err;

	err = run_out(j->c, &sql_notifications_expiring_keys, ARGS(arg_int(AT_A_TIME)));
	if (err)
		return err;

	return run_out(j->c, &sql_notifications_digests,
		       ARGS(arg_int(config()->digest_hour), arg_int(AT_A_TIME), arg_text(k->queue),
			    arg_text(k->name), arg_int(k->attempts)));
}

const struct job_kind notification_hourly_kind = { JOB_DEFAULTS, .name = "notifications.hourly",
						   .queue = "notifications", .run = run_hourly };
