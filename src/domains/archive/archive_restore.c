/*
 * A tenant's way back out of a bundle: see archive.h. The bundle is read by restore_walk.c, twice;
 * here is the transaction in which that is done the second time, and what is said of it.
 */
#include "domains/archive/archive.h"
#include "domains/archive/restore_impl.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/slug.h"
#include "crypto/digest.h"
#include "db/act.h"
#include "db/parts.h"
#include "domains/archive/place.h"
#include "domains/deletion/erase.h"
#include "events/event.h"
#include "gen/sql_archive.h"
#include "gen/sql_platform.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * The transaction
 */

static int begin_writing(struct restoring *r)
{
	struct batch *b;
	int err;

	act_for_tenant(r->c, r->tenant);
	err = db_begin(r->c, BATCH_SYSTEM);
	if (err)
		return err;
	b = batch_new(r->c, BATCH_SYSTEM);
	batch_add(b, NULL, &sql_archive_moving, NO_ARGS);
	batch_add(b, NULL, &sql_archive_defer, NO_ARGS);
	batch_add(b, NULL, &sql_archive_is_free,
		  ARGS(arg_uuid(r->tenant.u), arg_text(restore_slug(r))));

	return batch_run(b);
}

/* One of the statements that go through a table of the tenant. */
static int in_parts(struct restoring *r, const struct sql *s)
{
	return db_in_parts(r->c, BATCH_SYSTEM, s, ARGS(arg_uuid(r->tenant.u)), NULL);
}

/* The ids in a column, as an array; there may be none in a row. */
static struct arg ids_in(struct ctx *c, const struct rows *rows, size_t column)
{
	struct str *ids = arena_make_n(c->arena, struct str, rows_len(rows));
	size_t n = 0;

	for (size_t i = 0; i < rows_len(rows); i++) {
		char *text;

		if (rows_is_null(rows, i, column))
			continue;
		text = arena_alloc(c->arena, UUID_TEXT_SIZE);
		uuid_format(rows_uuid(rows, i, column), text);
		ids[n++] = (struct str){ text, UUID_TEXT_SIZE - 1 };
	}

	return arg_text_array(ids, n);
}

/* Who was erased is not back: all seats are erased in one go, then the accounts that they had. */
static int erase_again(struct restoring *r)
{
	const struct rows *seats;
	struct str counts;
	struct batch *b;
	int err;

	err = in_parts(r, &sql_archive_end_erasures);
	if (err)
		return err;
	b = batch_new(r->c, BATCH_SYSTEM);
	batch_add(b, &seats, &sql_archive_erased, ARGS(arg_uuid(r->tenant.u)));
	err = batch_run(b);
	r->erased_seats = err ? 0 : (int64_t)rows_len(seats);
	if (err || r->erased_seats == 0)
		return err;
	err = erase_seats(r->c, r->tenant, ids_in(r->c, seats, 0), &counts);

	return err ? err
		   : restore_run(r, BATCH_IDENTITY, NULL, &sql_archive_drop_erased,
				 ARGS(ids_in(r->c, seats, 1)));
}

/* What was a credential stays revoked, what waited is not sent, and seats may what their roles say
 * by now. */
static int calm(struct restoring *r)
{
	const struct rows *row;
	int err;

	err = restore_run(r, BATCH_IDENTITY, &row, &sql_archive_revoke,
			  ARGS(arg_uuid(r->tenant.u)));
	if (err)
		return err;
	r->keys = rows_get_int(row, "keys");
	err = in_parts(r, &sql_archive_quiet_deliveries);
	if (!err)
		err = in_parts(r, &sql_archive_quiet_notifications);

	return err ? err : in_parts(r, &sql_archive_refresh_seats);
}

static int count_people(struct restoring *r)
{
	const struct rows *row;
	int err;

	err = restore_run(r, BATCH_IDENTITY, &row, &sql_archive_people,
			  ARGS(arg_uuid(r->tenant.u)));
	if (err)
		return err;
	r->linked = rows_get_int(row, "linked");
	r->restored = rows_get_int(row, "restored");
	r->taken = rows_get_int(row, "taken");

	return OK;
}

/* And everybody sees that it is back. */
static int end_writing(struct restoring *r)
{
	struct batch *b;
	int err;

	err = calm(r);
	if (!err)
		err = erase_again(r);
	if (!err)
		err = count_people(r);
	if (err)
		return err;

	b = batch_new(r->c, BATCH_SYSTEM);
	batch_add(b, NULL, &sql_archive_moved, NO_ARGS);
	batch_add(b, NULL, &sql_platform_act_in, ARGS(arg_uuid(r->tenant.u)));
	batch_event(b, r->c, "tenant.restored", r->tenant.u, NULL);
	err = batch_run(b);

	return err ? err : db_commit(r->c);
}

static void tell_people(const struct restoring *r)
{
	printf("People: %" PRId64 " have their accounts still; %" PRId64
	       " came back and reset their password before they log in.\n",
	       r->linked, r->restored);
	if (r->taken)
		printf("%" PRId64 " have an email that is another account's by now: nobody sits in "
		       "their seats; remove these and invite them again.\n",
		       r->taken);
	if (r->erased_seats)
		printf("%" PRId64
		       " seats are of people who were erased since: they are nobody's.\n",
		       r->erased_seats);
}

static void tell_old_events(const struct restoring *r)
{
	char from[RFC3339_SIZE];

	clock_rfc3339(r->kept_from_ms * US_PER_MS, from);
	if (r->old_events)
		printf("%" PRId64
		       " events of before %.10s stay in the archive: EVENTS_KEEP_DAYS=%" PRId64
		       " keeps none of that time. Raise it before a restore to have them.\n",
		       r->old_events, from, config()->events_keep_days);
}

static void tell(const struct restoring *r)
{
	printf("Restored: %" PRId64 " rows of %" PRId64 " tables. The tenant is %s.\n",
	       r->all_rows - r->old_events, r->tables,
	       r->is_suspended ? "suspended, as it was" : "active");
	tell_old_events(r);
	tell_people(r);
	if (r->lost_host)
		printf("Its host name %s is another tenant's by now: give it one of its own.\n",
		       r->lost_host);
	printf("Not restored: sessions, second factors, linked log-ins, jobs, what webhooks and "
	       "digests had yet to send. %" PRId64 " API keys stay revoked.\n",
	       r->keys);
	printf("Secrets are sealed under the ENCRYPTION_KEY of when the archive was made: if it was "
	       "replaced since, run zygo keys reseal before ENCRYPTION_KEY_PREVIOUS goes.\n");
}

static int restore(struct restoring *r)
{
	int err;

	printf("%s: %s (%s), archived %s at schema %s\n", r->how->location, r->name, r->slug,
	       r->created_at, r->schema);
	if (r->how->only_look) {
		tell_old_events(r);
		return OK;
	}

	r->writes = true;
	err = begin_writing(r);
	if (!err)
		err = restore_walk(r);
	if (!err)
		err = end_writing(r);
	db_end(r->c);
	if (!err)
		tell(r);

	return err;
}

/* The beginning of the oldest month that roll_event_partitions() keeps (sql/migrations/0010). */
static int64_t events_kept_from_ms(void)
{
	struct date month = date_of_days(clock_now_us() / US_PER_DAY - config()->events_keep_days);

	month.day = 1;

	return days_of_date(month) * (US_PER_DAY / US_PER_MS);
}

int archive_restore(struct ctx *c, const struct archive_restore *how)
{
	_cleanup_(closep) int fd = -1;
	struct restoring r = {
		.c = c, .how = how, .of_step = arena_new(), .kept_from_ms = events_kept_from_ms()
	};
	int err;

	arena_defer(c->arena, (void (*)(void *))arena_free,
		    r.of_step); /* a failure's words are in it */
	if (how->slug && !slug_is(str_of(how->slug)))
		return fail(c, ERR_RULE_VIOLATED, NULL,
			    "A slug is 1 to 63 of a-z, 0-9 and '-' between them");
	err = place_open(c, how->location, &fd);
	if (err)
		return err;

	r.fd = fd;
	r.digest = digest_new(c->arena);
	buf_init_heap(&r.pending, RESTORE_ROWS_BYTES_MAX);
	buf_init(&r.manifest, c->arena, RESTORE_MANIFEST_MAX);
	err = restore_walk(&r);
	if (!err)
		err = restore(&r);
	buf_done(&r.pending);

	return err;
}
