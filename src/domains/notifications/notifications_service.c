/*
 * What a person does with their notifications. Each change is one batch, with the job that tells
 * the person's other pages.
 */
#include "domains/notifications/notifications.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "domains/notifications/kinds.h"
#include "gen/sql_notifications.h"
#include "jobs/book.h"

#include <string.h>

int notifications_list(struct ctx *c, const struct notification_filter *f, const struct paging *p,
		       const struct page **ret)
{
	return page_run(c, &sql_notifications_list, ARGS(arg_bool(f->unread), arg_text(f->kind)), p,
			ret);
}

int notifications_unread(struct ctx *c, const struct rows **ret)
{
	return db_read(c, ret, &sql_notifications_unread, NO_ARGS);
}

static int change(struct ctx *c, const struct sql *s, struct args args, const struct rows **ret)
{
	const struct job_kind *live = &notification_live_kind;
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, ret, s, args);
	batch_add(b, NULL, &sql_notifications_tell,
		  ARGS(arg_text(live->queue), arg_text(live->name), arg_int(live->attempts)));

	return batch_run(b);
}

int notifications_mark(struct ctx *c, struct notification_id id, bool read, const struct rows **ret)
{
	return change(c, &sql_notifications_mark, ARGS(arg_uuid(id.u), arg_bool(read)), ret);
}

int notifications_mark_all(struct ctx *c, const struct notification_range *in,
			   const struct rows **ret)
{
	return change(c, &sql_notifications_mark_all, ARGS(arg_time(in->up_to_us)), ret);
}

int notifications_archive(struct ctx *c, struct notification_id id)
{
	return change(c, &sql_notifications_archive, ARGS(arg_uuid(id.u)), NULL);
}

/*
 * Preferences
 */

static void add_preferences(struct batch *b, struct ctx *c, const struct rows **ret)
{
	batch_add(b, ret, &sql_notifications_preferences,
		  ARGS(arg_str(notification_kinds_json(c->arena))));
}

int notifications_preferences(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_READ);

	add_preferences(b, c, ret);

	return batch_run(b);
}

/* What is wrong with one of them: a kind that there is not, or one that is not to be chosen. */
static int judge(struct ctx *c, const struct notification_preference *p, size_t i)
{
	const struct notification_kind *k = notification_kind(p->kind);

	if (!k)
		return fail_issue(
			c, arena_printf(c->arena, "preferences.%zu.kind", i), "invalid_enum_value",
			"There is no such kind: GET /notifications/preferences lists them");
	if (k->is_security)
		return fail(c, ERR_RULE_VIOLATED, arena_printf(c->arena, "preferences.%zu.kind", i),
			    "Notices of security are always shown and mailed");

	return OK;
}

int notifications_prefer(struct ctx *c, const struct notification_preferences *in,
			 const struct rows **ret)
{
	const struct notification_preference *const *wanted = in->preferences.items;
	struct batch *b = batch_new(c, BATCH_WRITE);

	for (size_t i = 0; i < in->preferences.len; i++) {
		const struct notification_preference *p = wanted[i];
		int err = judge(c, p, i);

		if (err)
			return err;
		batch_add(b, NULL, &sql_notifications_prefer,
			  ARGS(arg_text(p->kind), p->has_in_app ? arg_bool(p->in_app) : arg_null(),
			       arg_text(p->email)));
	}
	add_preferences(b, c, ret);

	return batch_run(b);
}
