/*
 * Many POSTs at once, by the courier alone; what a webhook's receiver may do to one of them stands
 * in webhooks_sending.c.
 */
#include "net/courier.h"

#include "base/clock.h"
#include "base/config.h"
#include "support/receiver.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <dirent.h>

#define MANY 40

static void begin(void)
{
	struct config other;

	receiver_start();
	other = *config();
	other.outbound_allow = "127.0.0.1";
	config_set(&other);
}

TestSuite(net_courier, .init = begin);

static void post_for(struct courier *c, const char *url, void *owner, int64_t timeout_us)
{
	static const char *const headers[] = { "X-Test: courier", NULL };

	courier_send(c, &(struct parcel){ .owner = owner,
					  .url = url,
					  .headers = headers,
					  .body = STR("{}"),
					  .connect_us = timeout_us,
					  .timeout_us = timeout_us });
}

static void post_to(struct courier *c, const char *url, void *owner)
{
	post_for(c, url, owner, US_PER_MINUTE);
}

static const struct receipt *await(struct courier *c)
{
	const struct receipt *r;

	while (!(r = courier_take(c)))
		courier_wait(c, NULL, 0, 1000);

	return r;
}

static size_t open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	cr_assert_not_null(d);
	while (readdir(d))
		n++;
	closedir(d);

	return n;
}

Test(net_courier, brings_back_each_of_many_once)
{
	struct courier *c = courier_new(MANY);
	unsigned came[MANY] = { 0 };

	for (size_t i = 0; i < MANY; i++)
		post_to(c, receiver_url("/told"), &came[i]);
	cr_assert_eq(courier_room(c), 0);
	for (size_t i = 0; i < MANY; i++) {
		const struct receipt *r = await(c);

		cr_assert_eq(r->status, 200, "%s", r->error);
		++*(unsigned *)r->owner;
	}
	for (size_t i = 0; i < MANY; i++)
		cr_assert_eq(came[i], 1);
	cr_assert_null(courier_take(c));
	cr_assert_eq(courier_under_way(c), 0);
	cr_assert_eq(receiver_count(), MANY);
	courier_free(c);
}

/* Its process has a descriptor for each that may be under way, and hosts are more than those. */
Test(net_courier, keeps_no_more_connections_than_may_be_under_way)
{
	struct courier *c = courier_new(1);
	const char *first = receiver_url("/told");
	const char *other = strf("http://localhost%s", strrchr(first, ':'));
	size_t files;

	post_to(c, first, NULL);
	cr_assert_eq(await(c)->status, 200);
	files = open_files();
	for (size_t i = 0; i < 4; i++) {
		cr_assert_null(courier_take(c));
		post_to(c, i % 2 ? first : other, NULL);
		cr_assert_eq(await(c)->status, 200);
		cr_assert_leq(open_files(), files);
	}
	cr_assert_null(courier_take(c));
	courier_free(c);
}

/* A parcel whose time is over ends by libcurl's timer, behind which there may be no other. */
Test(net_courier, rests_when_nothing_is_under_way)
{
	struct courier *c = courier_new(1);
	int64_t began_us;

	post_for(c, receiver_url("/hang"), NULL, 50 * US_PER_MS);
	cr_assert_not_null(await(c)->error);
	cr_assert_null(courier_take(c));
	began_us = clock_monotonic_us();
	for (int i = 0; i < 10; i++)
		courier_wait(c, NULL, 0, 100);
	/* One of them may have been woken by what is left of the connection. */
	cr_assert_geq(clock_monotonic_us() - began_us, 500 * US_PER_MS);
	courier_free(c);
}
