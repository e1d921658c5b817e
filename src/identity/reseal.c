/* See reseal.h. */
#include "identity/reseal.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "crypto/seal.h"
#include "db/batch.h"
#include "gen/sql_sealed.h"
#include "identity/commands.h"

#define KEY_TEXT_SIZE 64 /* of a row: an id, or a signing key's name */
#define NIL           "00000000-0000-0000-0000-000000000000"

/* Whoever keeps something sealed adds a row, and its statements to sql/queries/sealed.sql. Tests:
 * closure/sealed.c compares this with the columns of the database. */
const struct sealed_place sealed_places[] = {
	{ "signing_keys", "private_sealed", &sql_sealed_signing_keys, &sql_sealed_signing_keys_put,
	  .first = "" },
	{ "totp_factors", "secret_sealed", &sql_sealed_totp, &sql_sealed_totp_put, .first = NIL },
	{ "jobs", "payload", &sql_sealed_jobs, &sql_sealed_jobs_put, .first = NIL },
	{ "webhook_endpoints", "secret_sealed", &sql_sealed_webhook_secrets,
	  &sql_sealed_webhook_secrets_put, .first = NIL },
	{ "webhook_endpoints", "old_secret_sealed", &sql_sealed_webhook_old_secrets,
	  &sql_sealed_webhook_old_secrets_put, .first = NIL },
	{ "webhook_endpoints", "headers_sealed", &sql_sealed_webhook_headers,
	  &sql_sealed_webhook_headers_put, .first = NIL },
	{ "oauth_states", "sealed", .lives_us = 10 * US_PER_MINUTE },
	{ "idempotency_keys", "reply", .lives_us = US_PER_DAY },
	{ "account_idempotency_keys", "reply", .lives_us = US_PER_DAY },
	{ 0 },
};

struct tally {
	size_t anew, already, closed; /* closed: neither key opens it */
};

static enum batch_mode mode_of(const struct sql *s)
{
	return strcmp(s->role, "identity") == 0 ? BATCH_IDENTITY : BATCH_SYSTEM;
}

/* One row: if it is under the other key, a statement that puts it anew; unless it has changed
 * since, and then it was sealed under this one. */
static void add_row(struct batch *b, struct ctx *c, const struct sealed_place *p,
		    const struct rows *rows, size_t row, struct tally *tally)
{
	struct str key = rows_str(rows, row, (size_t)rows_find(rows, "key"));
	struct str aad = rows_str(rows, row, (size_t)rows_find(rows, "aad"));
	struct str was = rows_str(rows, row, (size_t)rows_find(rows, "sealed"));
	struct str anew;

	if (!reseal(c->arena, was, aad, &anew)) {
		tally->closed++;
		return;
	}
	if (!anew.ptr) {
		tally->already++;
		return;
	}
	tally->anew++;
	batch_add(b, NULL, p->put,
		  ARGS(arg_str(key), arg_bytes(was.ptr, was.len), arg_bytes(anew.ptr, anew.len)));
}

/* A page behind the key *after, which becomes the page's last; its length 0 at the end. */
static int do_page(struct ctx *c, const struct sealed_place *p, char after[KEY_TEXT_SIZE],
		   struct tally *tally, size_t *ret_len)
{
	struct batch *b = batch_new(c, mode_of(p->page));
	const struct rows *rows;
	size_t n;
	int err;

	batch_add(b, &rows, p->page, ARGS(arg_text(after)));
	err = batch_run(b);
	if (err)
		return err;

	b = batch_new(c, mode_of(p->put));
	n = rows_len(rows);
	for (size_t row = 0; row < n; row++)
		add_row(b, c, p, rows, row, tally);
	err = n ? batch_run(b) : OK;
	if (n)
		(void)snprintf(after, KEY_TEXT_SIZE, "%s",
			       rows_str(rows, n - 1, (size_t)rows_find(rows, "key")).ptr);
	*ret_len = n;

	return err;
}

static int do_place(struct ctx *c, const struct sealed_place *p, struct tally *ret)
{
	char after[KEY_TEXT_SIZE];
	size_t len;
	int err;

	*ret = (struct tally){ 0 };
	(void)snprintf(after, sizeof(after), "%s", p->first);
	do {
		arena_reset(c->arena);
		ctx_reset(c, c->arena);
		c->actor.kind = ACTOR_SYSTEM;
		err = do_page(c, p, after, ret, &len);
	} while (!err && len);

	return err;
}

int reseal_all(struct ctx *c)
{
	int64_t lives_us = 0;
	size_t closed = 0;
	char until[RFC3339_SIZE];

	for (const struct sealed_place *p = sealed_places; p->table; p++) {
		struct tally t;

		if (p->lives_us > lives_us)
			lives_us = p->lives_us;
		if (!p->page)
			continue;
		if (do_place(c, p, &t))
			return command_failed(c, "not everything was sealed anew: run it again");
		printf("%s.%s: %zu sealed anew, %zu already, %zu open with neither key\n", p->table,
		       p->column, t.anew, t.already, t.closed);
		closed += t.closed;
	}
	clock_rfc3339(clock_now_us() + lives_us, until);
	printf("ENCRYPTION_KEY_PREVIOUS is needed until %s, when what is kept for a time is over.\n",
	       until);

	return closed ? 1 : 0;
}
