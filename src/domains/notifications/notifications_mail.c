/*
 * Notifications by mail: one at once, or a day's in a digest. As with letters, a mail may be sent
 * twice when a worker dies between the mail server's word and its own; both have one Message-ID.
 */
#include "domains/notifications/notifications.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "domains/notifications/kinds.h"
#include "domains/notifications/unsubscribe.h"
#include "gen/sql_notifications.h"
#include "http/shape.h"
#include "identity/mails.h"
#include "identity/template.h"
#include "jobs/book.h"
#include "jobs/job.h"
#include "net/mail.h"

#define DIGEST_ITEMS_MAX 50 /* that are shown; a mail says how many there are */
#define VALUES           10

/* After half a minute, one, two, four … as letters have it, and then each hour for about a day: no
 * link in it runs out, so it is worth having late. */
#define MAIL_RETRIES                                                                               \
	.attempts = 30, .backoff_us = 30 * US_PER_S, .limit_us = 2 * US_PER_MINUTE, .queue = "email"

static const char *text_at(const struct rows *r, size_t row, const char *name)
{
	return rows_str(r, row, (size_t)rows_find(r, name)).ptr;
}

/* What both kinds of mail may name, of their reader's row; room for VALUES. */
static size_t add_common(struct template_value *to, const struct rows *reader,
			 const char *unsubscribe)
{
	const struct template_value common[] = {
		{ "name", rows_get_text(reader, "name") },
		{ "email", rows_get_text(reader, "to") },
		{ "tenant", rows_get_text(reader, "tenant") },
		{ "product", config()->email_from_name },
		{ "appUrl", config()->app_url },
		{ "unsubscribe", unsubscribe ? unsubscribe : "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		to[i] = common[i];

	return ARRAY_LEN(common);
}

/*
 * One
 */

struct one {
	struct uuid notification;
};

static int mail_one(struct job *j)
{
	const struct one *in = j->payload;
	const struct notification_kind *k;
	struct template_value values[VALUES] = { 0 };
	struct mail m = { .id = j->id.u };
	const struct rows *found;
	size_t n;
	int err;

	err = db_read(j->c, &found, &sql_notifications_mail, ARGS(arg_uuid(in->notification)));
	if (err || rows_len(found) == 0)
		return err; /* nobody is there any more */

	k = notification_kind(rows_get_text(found, "kind"));
	if (!k)
		return OK; /* a newer binary's, which this one has taken the place of */
	if (!k->is_security && rows_get_bool(found, "is_off"))
		return OK; /* its reader was told that no more would come */

	if (!k->is_security)
		m.unsubscribe_url = unsubscribe_url(
			j->c->arena, &(struct subscription){ j->tenant,
							     { rows_get_uuid(found, "user_id") },
							     k->name });
	n = add_common(values, found, m.unsubscribe_url);
	values[n++] = (struct template_value){ "title", rows_get_text(found, "title") };
	values[n] = (struct template_value){ "body", rows_get_text(found, "body") };
	m.to = rows_get_text(found, "to");
	err = mails_render(j->c, k->is_security ? "securityNotice" : "notification", values, &m);

	return err ? err : mail_send(j->c, &m, &j->is_hopeless);
}

static const struct field one_fields[] = {
	{ "notification", T_UUID, REQUIRED, offsetof(struct one, notification), .about = "Which" },
};
static const struct shape one_shape = SHAPE("NotificationMailJob", struct one, one_fields);

const struct job_kind notification_mail_kind = { MAIL_RETRIES, .name = "notifications.mail",
						 .payload = &one_shape, .run = mail_one };

/*
 * A day's
 */

struct digest {
	struct uuid digest, user;
};

static int find_digest(struct job *j, const struct rows **ret_reader, const struct rows **ret_items)
{
	const struct digest *in = j->payload;
	struct batch *b = batch_new(j->c, BATCH_READ);

	batch_add(b, ret_reader, &sql_notifications_digest_reader, ARGS(arg_uuid(in->user)));
	batch_add(b, ret_items, &sql_notifications_digest_items,
		  ARGS(arg_uuid(in->digest), arg_int(DIGEST_ITEMS_MAX)));

	return batch_run(b);
}

/* For each item its values. */
static struct mail_items items_of(struct ctx *c, const struct rows *rows)
{
	size_t n = rows_len(rows);
	const struct template_value **all =
		arena_make_n(c->arena, const struct template_value *, n);

	for (size_t i = 0; i < n; i++) {
		struct template_value *v = arena_make_n(c->arena, struct template_value, 3);

		v[0] = (struct template_value){ "title", text_at(rows, i, "title") };
		v[1] = (struct template_value){ "body", text_at(rows, i, "body") };
		all[i] = v;
	}

	return (struct mail_items){ "notificationDigestItem", all, n };
}

static int mail_digest(struct job *j)
{
	const struct digest *in = j->payload;
	struct template_value values[VALUES] = { 0 };
	struct mail m = { .id = j->id.u };
	const struct rows *reader, *rows;
	struct mail_items items;
	size_t n;
	int err;

	err = find_digest(j, &reader, &rows);
	if (err || rows_len(reader) == 0 || rows_len(rows) == 0)
		return err;

	m.unsubscribe_url = unsubscribe_url(
		j->c->arena, &(struct subscription){ j->tenant, { in->user }, NULL });
	n = add_common(values, reader, m.unsubscribe_url);
	values[n] = (struct template_value){
		"count", arena_printf(j->c->arena, "%lld", (long long)rows_get_int(rows, "total"))
	};
	items = items_of(j->c, rows);
	m.to = rows_get_text(reader, "to");
	err = mails_render_list(j->c, "notificationDigest", values, &items, &m);

	return err ? err : mail_send(j->c, &m, &j->is_hopeless);
}

static const struct field digest_fields[] = {
	{ "digest", T_UUID, REQUIRED, offsetof(struct digest, digest), .about = "Which" },
	{ "user", T_UUID, REQUIRED, offsetof(struct digest, user), .about = "Whose" },
};
static const struct shape digest_shape =
	SHAPE("NotificationDigestJob", struct digest, digest_fields);

const struct job_kind notification_digest_kind = { MAIL_RETRIES, .name = "notifications.digest",
						   .payload = &digest_shape, .run = mail_digest };
