/* What a process remembers of credentials. */
#include "identity/known.h"

#include "crypto/token.h"

#include <criterion/criterion.h>

Test(known, a_credential_is_known_after_it_was_seen)
{
	struct token_hash cookie = { { 1, 2, 3 } }, other = { { 1, 2, 4 } };
	struct known whose = { uuid_v7(), { uuid_v7() }, 7 }, got;

	cr_expect_not(known_find(&cookie, &got));
	known_note(&cookie, &whose);
	cr_assert(known_find(&cookie, &got));
	cr_expect(uuid_eq(got.id, whose.id));
	cr_expect(uuid_eq(got.account.u, whose.account.u));
	cr_expect_eq(got.rate_limit, 7);

	/* The same place, another one: not taken for it. */
	cr_expect_not(known_find(&other, &got));
	known_note(&other, &whose);
	cr_expect_not(known_find(&cookie, &got));
}

Test(known, a_credential_of_zeros_is_not_known_before_it_was_seen)
{
	struct token_hash zeros = { { 0 } };
	struct known got;

	cr_expect_not(known_find(&zeros, &got));
}
