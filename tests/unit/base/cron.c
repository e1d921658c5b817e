/* Cron expressions: what is one. What they mean is seen by when they come, in
 * tests/unit/jobs/cron.c. */
#include "base/cron.h"

#include <criterion/criterion.h>

Test(cron, what_is_no_expression_is_refused)
{
	static const char *const texts[] = {
		"",
		"* * * *",
		"* * * * * *",
		"60 * * * *",
		"* 24 * * *",
		"* * 0 * *",
		"* * 32 * *",
		"* * * 13 *",
		"* * * * 8",
		"*/0 * * * *",
		"5-1 * * * *",
		"a * * * *",
		"* * * mai *",
		"1,,2 * * * *",
		"*-5 * * * *",
		"*  * * * *",
		"@daily",
		"-1 * * * *",
	};
	struct cron c;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect_not(cron_read(str_of(texts[i]), &c), "\"%s\"", texts[i]);
}
