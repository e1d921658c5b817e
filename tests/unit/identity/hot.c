/* Hot copies as text: what is written is read again, and nothing else is believed. */
#include "identity/hot.h"

#include "base/arena.h"
#include "base/clock.h"
#include "crypto/token.h"

#include <criterion/criterion.h>

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(hot, .init = begin, .fini = end);

static struct hot a_copy(int64_t ends_at_us)
{
	return (struct hot){
		.session = { uuid_v7() },
		.account = { uuid_v7() },
		.ends_at_us = ends_at_us,
		.me = STR("{\"user\":{\"name\":\"a\\nb\"}}"),
	};
}

Test(hot, a_copy_is_read_as_it_was_written)
{
	struct hot h = a_copy(clock_now_us() + US_PER_S * 30), got;

	cr_assert(hot_read(hot_write(arena, &h), &got));
	cr_expect(uuid_eq(got.session.u, h.session.u));
	cr_expect(uuid_eq(got.account.u, h.account.u));
	cr_expect_eq(got.ends_at_us, h.ends_at_us);
	cr_expect(str_eq(got.me, h.me));
}

Test(hot, a_session_that_is_over_has_no_copy)
{
	struct hot h = a_copy(clock_now_us() - 1), got;

	cr_expect_not(hot_read(hot_write(arena, &h), &got));
}

Test(hot, what_is_no_copy_is_not_believed)
{
	static const char *const others[] = {
		"", /* what a dropped key holds */
		"\n",
		"{}",
		"a b 1\n{}",
		"0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f\n{}",
		"0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f 0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f\n{}",
		"0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f 0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f x\n{}",
		"0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f 0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f "
		"9223372036854775807",
		"0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f 0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f "
		"9223372036854775807\n",
	};
	struct hot got;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		cr_expect_not(hot_read(str_of(others[i]), &got), "\"%s\"", others[i]);
	cr_expect_not(hot_read((struct str){ NULL, 0 }, &got));
}

Test(hot, the_keys_of_cookie_and_token_differ)
{
	struct session_id id = { uuid_v7() };
	struct token_hash cookie = { { 0 } };

	memcpy(cookie.bytes, id.u.bytes, sizeof(id.u.bytes));
	cr_expect_str_neq(hot_key_of_session(arena, id), hot_key_of_cookie(arena, &cookie));
}
