/* Passwords of others' leaks, from range files in a folder. */
#include "crypto/breached.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

/* SHA-1 of "password": 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8 */
static const char range[] = "0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n"
			    "1E4C9B93F3F0682250B6CF8331B7EE68FD8:3730471\r\n"
			    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:0\r\n";

static char folder[64], path[96];

static void begin(void)
{
	FILE *f;

	(void)snprintf(folder, sizeof(folder), "/tmp/zygo-breached-%d", (int)getpid());
	(void)snprintf(path, sizeof(path), "%s/5BAA6.txt", folder);
	cr_assert_eq(mkdir(folder, 0700), 0);
	f = fopen(path, "w");
	cr_assert(f && fputs(range, f) >= 0 && fclose(f) == 0);
}

static void end(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

TestSuite(breached, .init = begin, .fini = end);

Test(breached, passwords_are_known_by_their_hash)
{
	cr_assert(password_is_breached(folder, STR("password")));
	cr_assert(!password_is_breached(folder, STR("Password")));
}

Test(breached, ranges_that_are_not_there_hold_nothing)
{
	cr_assert(!password_is_breached(folder, STR("correct horse battery staple")));
	cr_assert(!password_is_breached("/nonexistent", STR("password")));
}

Test(breached, lines_that_pad_are_none)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fputs("1E4C9B93F3F0682250B6CF8331B7EE68FD8:0\r\n", f) >= 0 &&
		  fclose(f) == 0);
	cr_assert(!password_is_breached(folder, STR("password")));
}
