/* zygo seed: somebody to log in as, whatever is configured. */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/person.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define EMAIL    "demo@zygo.test"
#define PASSWORD "correct-horse-battery" /* as scripts/test has it for the lines of docs/api.md */

static const char *seed(void)
{
	const char *argv[] = { world()->binary, "seed", NULL };
	struct str said;

	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	(void)setenv("EMAIL_VERIFICATION", "required", 1);
	(void)setenv("ZYGO_SEED_PASSWORD", PASSWORD, 1);
	said = world_run(argv, NULL);
	return strf("%.*s", STR_FMT(said));
}

Test(seed, can_be_logged_in_to_where_emails_are_verified_first)
{
	const char *said = seed();

	cr_expect(strstr(said, EMAIL), "%s", said);
	cr_expect_eq(database_number("SELECT count(*) FROM accounts WHERE email = $1 "
				     "AND email_verified_at IS NOT NULL",
				     EMAIL, NULL),
		     1);
	answer_is(try_log_in(EMAIL, PASSWORD, NULL), 200);
	cr_expect(strstr(seed(), "stays as it is"));
}
