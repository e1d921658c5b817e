/* Webhooks in tests: see hooked.h. */
#include "support/hooked.h"

#include "support/database.h"
#include "support/factories.h"
#include "support/receiver.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>

const char *webhook_make(const struct caller *c, const char *path, const char *more)
{
	struct answer a = answer_is(
		post(c, "/webhooks", strf("{\"url\":\"%s\"%s}", receiver_url(path), more)), 201);

	return answer_text(a, "id");
}

struct answer webhook_happen(const struct caller *c)
{
	return answer_is(
		post(c, "/projects", strf("{\"slug\":\"%s\",\"name\":\"Blue\"}", new_word())), 201);
}

struct wanted {
	const char *webhook, *state;
	int64_t n;
};

static bool is_so(void *p)
{
	const struct wanted *w = p;

	return database_number("SELECT count(*) FROM webhook_deliveries "
			       "WHERE endpoint_id = $1::uuid AND state = $2",
			       w->webhook, w->state, NULL) == w->n;
}

void webhook_await(const char *webhook, const char *state, int64_t n)
{
	struct wanted w = { webhook, state, n };

	wait_until(is_so, &w, strf("%lld deliveries to be %s", (long long)n, state));
}

static bool is_so_when_tried(void *p)
{
	webhook_make_due(((const struct wanted *)p)->webhook);

	return is_so(p);
}

void webhook_await_trying(const char *webhook, const char *state, int64_t n)
{
	struct wanted w = { webhook, state, n };

	wait_until(is_so_when_tried, &w, strf("%lld deliveries to be %s", (long long)n, state));
}

static bool is_over(void *job)
{
	return database_number("SELECT count(*) FROM jobs WHERE id = $1::uuid AND state = "
			       "'completed'",
			       (const char *)job, NULL) == 1;
}

int64_t webhook_replayed(const struct caller *c, struct answer started)
{
	const char *job = answer_text(started, "jobId");

	wait_until(is_over, (void *)(uintptr_t)job, "the replay to be over");

	return answer_int(answer_is(get(c, strf("/jobs/%s", job)), 200), "result.deliveries");
}

void webhook_make_due(const char *webhook)
{
	database_run("UPDATE webhook_deliveries SET due_at = now() "
		     "WHERE endpoint_id = $1::uuid AND state = 'delayed'",
		     webhook, NULL);
}

struct answer webhook_delivery(const struct caller *c, const char *webhook)
{
	struct answer list = answer_is(get(c, strf("/webhooks/%s/deliveries", webhook)), 200);

	cr_assert_eq(answer_len(list, "data"), 1);

	return answer_is(get(c, strf("/webhooks/deliveries/%s", answer_text(list, "data.0.id"))),
			 200);
}
