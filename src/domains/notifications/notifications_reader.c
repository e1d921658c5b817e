/*
 * From events to notifications: a reader of the spine. One statement finds whom each event concerns
 * and writes what they are told, beside the jobs that mail it and say it live.
 */
#include "domains/notifications/notifications.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "domains/notifications/kinds.h"
#include "gen/sql_notifications.h"
#include "jobs/book.h"
#include "net/mail.h"

void notifications_read(struct batch *b, struct ctx *c)
{
	const struct job_kind *mail = &notification_mail_kind, *live = &notification_live_kind;

	batch_add(b, NULL, &sql_notifications_of_events,
		  ARGS(arg_str(notification_kinds_json(c->arena)), arg_bool(mail_is_sent()),
		       arg_text(mail->queue), arg_text(mail->name), arg_int(mail->attempts),
		       arg_text(live->queue), arg_text(live->name), arg_int(live->attempts)));
	batch_add(b, NULL, &sql_notifications_forget, NO_ARGS);
}
