/*
 * Names that others' name servers answer as they like: with several addresses, or never. The
 * getaddrinfo() of this program stands before the C library's, for libcurl too.
 */
#include "net/courier.h"
#include "net/guard.h"

#include "base/clock.h"
#include "base/config.h"

#include <assert.h>
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <string.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* The C library's own. */
static lookup *real_lookup(void)
{
	void *found = dlsym(RTLD_NEXT, "getaddrinfo");
	lookup *real;

	static_assert(sizeof(real) == sizeof(found), "POSIX has it so");
	memcpy(&real, &found, sizeof(real));
	return real;
}

static sem_t never; /* nobody posts it while a test looks */
static sem_t asked;

/* "mixed.test" has a public and a private address, of either kind. */
static int lookup_all(const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	static const char *const addresses[] = { "1.1.1.1", "2606:4700::1", "10.0.0.1" };

	*ret = NULL;
	for (size_t i = ARRAY_LEN(addresses); i > 0; i--) {
		struct addrinfo wanted = *hints, *one;

		wanted.ai_family = AF_UNSPEC;
		if (real_lookup()(addresses[i - 1], service, &wanted, &one) != 0)
			return EAI_FAIL;
		one->ai_next = *ret;
		*ret = one;
	}
	return 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret)
{
	if (name && strcmp(name, "mixed.test") == 0)
		return lookup_all(service, hints, ret);
	if (name && strcmp(name, "never.test") == 0) {
		(void)sem_post(&asked);
		(void)sem_wait(&never);
		return EAI_AGAIN;
	}
	return real_lookup()(name, service, hints, ret);
}

static void begin(void)
{
	config_set(&(struct config){ 0 });
	cr_assert(sem_init(&never, 0, 0) == 0 && sem_init(&asked, 0, 0) == 0);
}

TestSuite(names, .init = begin, .timeout = 60);

Test(names, with_one_private_address_are_refused)
{
	cr_assert_str_eq(guard_refuses("https://mixed.test/"),
			 "The host must have a public address");
}

/* Who asks for a webhook waits for a second, and not for the name server. */
Test(names, that_are_not_answered_do_not_hold_who_asks)
{
	cr_assert_null(guard_refuses("https://never.test/"));
	cr_assert_eq(sem_wait(&asked), 0, "it was looked up");
	cr_assert(guard_refuses("http://never.test/"), "in clear it would have to be allowed");
}

/* One tenant's name server would stop everybody's webhooks. */
Test(names, that_are_not_answered_do_not_hold_a_courier)
{
	static const char *const none[] = { NULL };
	struct courier *c = courier_new(1);
	const struct receipt *r;

	courier_send(c, &(struct parcel){ .url = "https://never.test/",
					  .headers = none,
					  .connect_us = 100 * US_PER_MS,
					  .timeout_us = 100 * US_PER_MS });
	while (!(r = courier_take(c)))
		courier_wait(c, NULL, 0, 10);
	cr_assert_str_eq(r->error, "There was no whole answer in time");
	cr_assert_null(courier_take(c));
	courier_free(c);
}
