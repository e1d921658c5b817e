/* Statements that run in parts: see parts.h. */
#include "db/parts.h"

#include "base/arena.h"
#include "base/ctx.h"

#include <string.h>

#define ROWS_A_PART 1000 /* of the dearest a second or two where the machine is busy */
#define ARGS_MAX    8

int db_in_parts(struct ctx *c, enum batch_mode mode, const struct sql *s, struct args args,
		int64_t *ret_done)
{
	struct arena *whole = c->arena, *of_part = arena_new();
	struct arg all[ARGS_MAX] = { arg_null(), arg_int(ROWS_A_PART) };
	const struct rows *row;
	int64_t done = 0;
	struct uuid last;
	int err;

	BUG_IF(args.n + 2 > ARGS_MAX);
	if (args.n)
		memcpy(all + 2, args.v, args.n * sizeof(*all));
	arena_defer(whole, (void (*)(void *))arena_free, of_part); /* a failure's words are in it */
	do {
		arena_reset(of_part);
		c->arena = of_part;
		err = db_run(c, mode, &row, s, (struct args){ all, args.n + 2 });
		c->arena = whole;
		if (err)
			return err;
		done += rows_get_int(row, "done");
		last = rows_get_uuid(row, "last");
		all[0] = arg_uuid(last);
	} while (!uuid_is_nil(last));
	if (ret_done)
		*ret_done = done;

	return OK;
}
