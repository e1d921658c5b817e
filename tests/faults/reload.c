/*
 * SIGHUP: new workers take over from old ones, and no request fails for it.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/load.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

#define CONNECTIONS 16
#define RELOADS     3

/* None of the old workers is there any more, and as many new ones are. */
struct change {
	pid_t old[32];
	size_t len;
};

static bool is_changed(void *p)
{
	const struct change *c = p;
	pid_t now[32];
	size_t len;

	server_workers(now, ARRAY_LEN(now), &len);
	if (len != c->len)
		return false;
	for (size_t i = 0; i < len; i++) {
		for (size_t k = 0; k < len; k++) {
			if (now[i] == c->old[k])
				return false;
		}
	}
	return true;
}

static void reload(void)
{
	struct change c;

	server_workers(c.old, ARRAY_LEN(c.old), &c.len);
	server_do("reload", "serve");
	wait_until(is_changed, &c, "all workers were replaced");
}

Test(faults_reload, no_request_fails_while_workers_are_replaced)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct caller dash = on_tier(ann, TIER_ADMIN);
	struct load *reads = load_start(&ann, "/users", CONNECTIONS / 2);
	struct load *more = load_start(&dash, "/projects", CONNECTIONS / 2);
	struct load_result r;

	for (int i = 0; i < RELOADS; i++) {
		load_wait(reads, 20);
		reload();
	}
	load_wait(reads, 20);
	load_wait(more, 20);

	r = load_stop(reads);
	cr_assert(r.by_status[200] == r.answers && !r.broken, "%lu of %lu, %lu broken: %s",
		  r.by_status[200], r.answers, r.broken, r.first_failure);
	r = load_stop(more);
	cr_assert(r.by_status[200] == r.answers && !r.broken, "%lu of %lu, %lu broken: %s",
		  r.by_status[200], r.answers, r.broken, r.first_failure);
}

Test(faults_reload, writes_are_neither_lost_nor_done_twice)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct load *writes = load_start_writes(&ann, "/projects",
						"{\"slug\":\"p%llu\",\"name\":\"x\"}", CONNECTIONS);
	struct load_result r;

	load_wait(writes, 5);
	reload();
	load_wait(writes, 5);
	r = load_stop(writes);
	cr_assert(r.by_status[201] == r.answers && !r.broken, "%lu of %lu, %lu broken: %s",
		  r.by_status[201], r.answers, r.broken, r.first_failure);
	cr_assert_eq((uint64_t)answer_int(get(&ann, "/projects"), "pagination.total"), r.answers);
}

/* How often the log says that a configuration does not pass. */
static const char *refusals(void)
{
	const char *argv[] = { "grep", "-c", "new configuration does not pass",
			       strf("%s/log/serve.log", world()->dir), NULL };

	return strf("%.*s", STR_FMT(world_run(argv, &(int){ 0 })));
}

static bool is_refused(void *before)
{
	return strcmp(refusals(), before) != 0;
}

Test(faults_reload, a_configuration_with_mistakes_changes_nothing)
{
	const char *before = server_workers_text(), *refused = refusals();
	const char *file = world()->env_file;
	const char *spoil = strf("cp %s %s.good && echo RATE_READ=many >>%s", file, file, file);
	const char *mend = strf("cat %s.good >%s", file, file);
	struct caller ann = caller(ROLE_ADMIN);

	(void)world_run((const char *[]){ "sh", "-c", spoil, NULL }, NULL);
	server_do("reload", "serve");
	for (int i = 0; i < 50; i++)
		answer_is(get(&ann, "/users"), 200);
	wait_until(is_refused, (void *)(uintptr_t)refused, "the log says why nothing changes");
	(void)world_run((const char *[]){ "sh", "-c", mend, NULL }, NULL);
	cr_assert_str_eq(server_workers_text(), before);
	reload();
	answer_is(get(&ann, "/users"), 200);
}
