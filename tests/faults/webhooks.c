/* Webhooks whose sender is killed: none is lost. */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/hooked.h"
#include "support/receiver.h"
#include "support/servers.h"
#include "support/world.h"

#include "base/str.h"

#include <criterion/criterion.h>
#include <signal.h>

#define EVENTS 40

TestSuite(faults_webhooks, .init = receiver_start);

static bool are_delivered(void *p)
{
	/* A lease ends when it ends, and so does the wait of those that were hung on before the
	 * address was another one; here both do at once. */
	database_run("UPDATE webhook_deliveries SET leased_until = now() WHERE endpoint_id = "
		     "$1::uuid AND state = 'active' AND sender = $2",
		     ((const char *const *)p)[0], ((const char *const *)p)[1], NULL);
	webhook_make_due(*(const char *const *)p);

	return database_number("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = "
			       "$1::uuid AND state = 'delivered'",
			       *(const char *const *)p, NULL) == EVENTS;
}

static bool is_under_way(void *p)
{
	const char **sender = (const char **)p + 1;

	*sender = database_value("SELECT sender FROM webhook_deliveries WHERE endpoint_id = "
				 "$1::uuid AND state = 'active' LIMIT 1",
				 *(const char *const *)p, NULL);

	return *sender != NULL;
}

/* "host/712.48223/714.48225": 714. */
static pid_t pid_of(const char *sender)
{
	struct str text = str_of(strrchr(sender, '/') + 1);
	int64_t pid;

	cr_assert(str_to_i64(str_cut(&text, '.'), 2, INT32_MAX, &pid));

	return (pid_t)pid;
}

Test(faults_webhooks, are_delivered_though_their_sender_is_killed)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *known[2] = { webhook_make(&ann, "/hang", PROJECTS) };

	for (size_t i = 0; i < EVENTS; i++)
		(void)webhook_happen(&ann);
	wait_until(is_under_way, known, "deliveries to be under way");
	cr_assert_eq(kill(pid_of(known[1]), SIGKILL), 0);
	answer_is(patch(&ann, strf("/webhooks/%s", known[0]),
			strf("{\"url\":\"%s\"}", receiver_url("/told"))),
		  200);
	wait_until(are_delivered, known, "all deliveries");
}
