/*
 * Every route was answered with success by some test. Run when all others are over: it reads the
 * record that support/conformance.c keeps.
 */
#include "support/conformance.h"
#include "support/probe.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The record's lines between newlines, so that a whole line can be looked for. */
static const char *read_record(void)
{
	const char *argv[] = { "sort", "-u", conformance_record(), NULL };

	return strf("\n%.*s", STR_FMT(world_run(argv, NULL)));
}

Test(coverage, no_route_is_without_a_test_that_it_answers)
{
	const char *record = read_record();
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);)
		cr_expect(strstr(record, strf("\n%s\n", probe_name(&row))),
			  "no test has %s answer with success", probe_name(&row));
}
