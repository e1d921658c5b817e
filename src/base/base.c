/* The impossible, checked sizes, scope clean-up: see base.h. */
#include "base/base.h"

#include <errno.h>
#include <unistd.h>

void bug(const char *file, int line, const char *what)
{
	dprintf(STDERR_FILENO, "BUG at %s:%d: %s\n", file, line, what);
	abort();
}

size_t size_add(size_t a, size_t b)
{
	size_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		BUG("a sum of sizes overflows");

	return sum;
}

size_t size_mul(size_t a, size_t b)
{
	size_t product;

	if (__builtin_mul_overflow(a, b, &product))
		BUG("a product of sizes overflows");

	return product;
}

void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}
