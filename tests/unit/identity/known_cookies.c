/* What a process remembers of cookies. */
#include "identity/known_cookies.h"

#include "crypto/token.h"

#include <criterion/criterion.h>

Test(known_cookies, a_cookie_is_known_after_it_was_seen)
{
	struct token_hash cookie = { { 1, 2, 3 } }, other = { { 1, 2, 4 } };
	struct session_id session = { uuid_v7() }, got_session;
	struct account_id account = { uuid_v7() }, got_account;

	cr_expect_not(known_cookie_find(&cookie, &got_session, &got_account));
	known_cookie_note(&cookie, session, account);
	cr_assert(known_cookie_find(&cookie, &got_session, &got_account));
	cr_expect(uuid_eq(got_session.u, session.u));
	cr_expect(uuid_eq(got_account.u, account.u));

	/* The same place, another cookie: not taken for it. */
	cr_expect_not(known_cookie_find(&other, &got_session, &got_account));
	known_cookie_note(&other, session, account);
	cr_expect_not(known_cookie_find(&cookie, &got_session, &got_account));
}

Test(known_cookies, a_cookie_of_zeros_is_not_known_before_it_was_seen)
{
	struct token_hash zeros = { { 0 } };
	struct session_id session;
	struct account_id account;

	cr_expect_not(known_cookie_find(&zeros, &session, &account));
}
