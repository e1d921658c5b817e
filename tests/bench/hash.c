/* How much CPU one comparison of a password takes here and now: microseconds, for scripts/bench. */
#include "base/base.h"
#include "base/str.h"
#include "crypto/password.h"

#include <time.h>

#define TIMES 100

static double cpu_us(void)
{
	struct timespec t;

	BUG_IF(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0);

	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(void)
{
	const struct str password = str_of("correct-horse-battery");
	char hash[PASSWORD_HASH_SIZE];
	double from_us;

	password_hash(password, hash);
	from_us = cpu_us();
	for (int i = 0; i < TIMES; i++)
		BUG_IF(!password_verify(password, hash));
	printf("%.0f\n", (cpu_us() - from_us) / TIMES);

	return 0;
}
