/* Hot copies of sessions, as text: one line of what proves them, then the reply. */
#include "identity/hot.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "cache/hotcopy.h"
#include "crypto/token.h"
#include "db/rows.h"

#include <inttypes.h>

/* Copies that are dropped in one round trip. */
#define DROPPED_AT_ONCE 64

/* The braces keep what is asked for together on one node of a cluster. */
const char *hot_key_of_session(struct arena *a, struct session_id id)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id.u, text);
	return arena_printf(a, "s:{%s}", text);
}

const char *hot_key_of_cookie(struct arena *a, const struct token_hash *cookie)
{
	return arena_printf(a, "s:{%s}", str_hex(a, cookie->bytes, sizeof(cookie->bytes)));
}

struct str hot_write(struct arena *a, const struct hot *h)
{
	char session[UUID_TEXT_SIZE], account[UUID_TEXT_SIZE];

	uuid_format(h->session.u, session);
	uuid_format(h->account.u, account);

	return str_of(arena_printf(a, "%s %s %" PRId64 "\n%.*s", session, account, h->ends_at_us,
				   STR_FMT(h->me)));
}

bool hot_read(struct str copy, struct hot *ret)
{
	struct str rest = copy;
	struct str line = str_cut(&rest, '\n');
	struct str session = str_cut(&line, ' ');
	struct str account = str_cut(&line, ' ');

	if (!uuid_parse(session, &ret->session.u) || !uuid_parse(account, &ret->account.u) ||
	    !str_to_i64(line, 0, INT64_MAX, &ret->ends_at_us))
		return false;
	ret->me = rest;

	return rest.len > 0 && ret->ends_at_us > clock_now_us();
}

void hot_drop(struct ctx *c, const struct rows *sessions)
{
	int id = rows_find(sessions, "id"), hash = rows_find(sessions, "token_hash");
	const char *keys[2 * DROPPED_AT_ONCE + 1];
	size_t n = 0;

	BUG_IF(id < 0 || hash < 0);
	for (size_t row = 0; row < rows_len(sessions); row++) {
		struct session_id session = { rows_uuid(sessions, row, (size_t)id) };

		keys[n++] = hot_key_of_session(c->arena, session);
		if (!rows_is_null(sessions, row, (size_t)hash)) {
			struct str bytes = rows_str(sessions, row, (size_t)hash);
			struct token_hash cookie;

			BUG_IF(bytes.len != sizeof(cookie.bytes));
			memcpy(cookie.bytes, bytes.ptr, bytes.len);
			keys[n++] = hot_key_of_cookie(c->arena, &cookie);
		}
		if (n + 2 > ARRAY_LEN(keys) - 1 || row + 1 == rows_len(sessions)) {
			keys[n] = NULL;
			(void)hotcopy_drop(c, keys); /* without Redis they end by themselves */
			n = 0;
		}
	}
}
