/*
 * The rules of invitations. Whoever sends or revokes one may act on the user whose it is
 * (invitations_may_act_on), as for any change of a user.
 */
#include "domains/invitations/invitations.h"

#include "base/config.h"
#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "events/event.h"
#include "gen/sql_invitations.h"
#include "identity/letters.h"

static void add_mail(struct batch *b, struct ctx *c, struct invitation_id id)
{
	batch_event(b, c, "invitation.sent", id.u, NULL);
	letters_add(b, c, &(struct letter_new){ .letter = "invitation", .subject = id.u });
}

void invitations_add(struct batch *b, struct ctx *c, struct user_id u)
{
	struct invitation_id id = { uuid_v7() };

	batch_add(b, NULL, &sql_invitations_keep_pace, ARGS(arg_int(config()->invitations_max)));
	batch_add(b, NULL, &sql_invitations_create,
		  ARGS(arg_uuid(id.u), arg_uuid(u.u), arg_int(config()->invitation_expires_us)));
	add_mail(b, c, id);
}

int invitations_list(struct ctx *c, const struct invitation_filter *f, const struct paging *p,
		     const struct page **ret)
{
	return page_run(c, &sql_invitations_list, ARGS(arg_text(f->status)), p, ret);
}

int invitations_resend(struct ctx *c, struct invitation_id id, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_invitations_may_act_on, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_invitations_keep_pace, ARGS(arg_int(config()->invitations_max)));
	batch_add(b, NULL, &sql_invitations_renew,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_int(config()->invitation_expires_us)));
	add_mail(b, c, id);
	batch_add(b, ret, &sql_invitations_get, ARGS(arg_uuid(id.u)));

	return batch_run(b);
}

int invitations_revoke(struct ctx *c, struct invitation_id id)
{
	const struct rows *invitation;
	struct batch *b;
	int err;

	err = db_read(c, &invitation, &sql_invitations_get, ARGS(arg_uuid(id.u)));
	if (err)
		return err;

	b = batch_new(c, BATCH_WRITE);
	batch_add(b, NULL, &sql_invitations_may_act_on, ARGS(arg_uuid(id.u)));
	batch_add(b, NULL, &sql_invitations_revoke, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_add(b, NULL, &sql_invitations_remove_seat, ARGS(arg_uuid(id.u)));
	batch_event(b, c, "invitation.revoked", id.u, NULL);
	batch_event(b, c, "user.deleted", rows_get_uuid(invitation, "userId"), NULL);

	return batch_run(b);
}
