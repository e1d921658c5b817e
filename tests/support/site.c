/*
 * Everything is done by tests/support/second-site.
 */
#include "support/site.h"

#include "base/str.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <unistd.h>

#define SETTINGS_MAX 8

static const char *program(void)
{
	return strf("%s/tests/support/second-site", world()->root);
}

/* Tests of one suite run side by side. */
static const char *folder(const char *name)
{
	return strf("%s-%d", name, (int)getpid());
}

static const char *start(const char *action, const char *name, const char *const *settings)
{
	const char *argv[5 + SETTINGS_MAX] = { program(), world()->dir, action, folder(name) };
	size_t n = 4;

	for (; *settings; settings++) {
		cr_assert(n < 4 + SETTINGS_MAX);
		argv[n++] = *settings;
	}
	return strf("%.*s", STR_FMT(str_trim(world_run(argv, NULL))));
}

const char *site_start(const char *name, const char *const *settings)
{
	return start("start", name, settings);
}

const char *site_start_realtime(const char *name, const char *const *settings)
{
	return start("start-realtime", name, settings);
}

void site_stop(const char *name)
{
	const char *argv[] = { program(), world()->dir, "stop", folder(name), NULL };

	(void)world_run(argv, NULL);
}
