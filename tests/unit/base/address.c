/* Addresses: in a list, on this host, counted together. */
#include "base/address.h"

#include "base/arena.h"

#include <criterion/criterion.h>

/* clang-format off */
static const struct {
	const char *ip, *list;
	bool is_in;
} lists[] = {
	{ "10.1.2.3", "10.0.0.0/8", true }, { "11.1.2.3", "10.0.0.0/8", false }, { "10.1.2.3", "10.1.2.3", true },
	{ "::1", "127.0.0.1, ::1", true }, { "2001:db8::7", "2001:db8::/32", true }, { "2001:db9::7", "2001:db8::/32", false },
	{ "::ffff:10.1.2.3", "10.0.0.0/8", true }, { "10.1.2.3", "0.0.0.0/0", true }, { "::1", "0.0.0.0/0", false },
	{ "10.1.2.3", "rubbish, 10.0.0.0/8", true }, { "10.1.2.3", "10.1.2.3/8", false }, { "10.1.2.3", NULL, false },
	{ "10.1.2.3", "", false }, { NULL, "0.0.0.0/0", false }, { "rubbish", "0.0.0.0/0", false },
};
/* clang-format on */

Test(address, is_in_a_list)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		cr_expect_eq(address_is_in(lists[i].ip, lists[i].list), lists[i].is_in, "%zu", i);
}

Test(address, of_one_customer_is_counted_together)
{
	struct arena *a = arena_new();

	cr_expect_str_eq(address_subject(a, "192.0.2.1"), "ip:192.0.2.1");
	cr_expect_str_eq(address_subject(a, "::ffff:192.0.2.1"), "ip:192.0.2.1");
	cr_expect_str_eq(address_subject(a, "2001:db8:1:2:3:4:5:6"), "ip:2001:db8:1:2::");
	cr_expect_str_eq(address_subject(a, "2001:db8:1:2:ffff::"), "ip:2001:db8:1:2::");
	cr_expect_str_eq(address_subject(a, NULL), "ip:unknown");
	cr_expect_str_eq(address_subject(a, "rubbish"), "ip:unknown");
	arena_free(a);
}

/* clang-format off */
static const struct {
	const char *peer, *forwarded, *trusted, *client;
} clients[] = {
	{ "192.0.2.1", NULL, NULL, "192.0.2.1" },
	{ "192.0.2.1", "198.51.100.7", NULL, "192.0.2.1" },
	{ "192.0.2.1", "198.51.100.7", "10.0.0.0/8", "192.0.2.1" },
	{ "10.0.0.1", "198.51.100.7", "10.0.0.0/8", "198.51.100.7" },
	{ "10.0.0.1", "203.0.113.5, 198.51.100.7 , 10.0.0.2", "10.0.0.0/8", "198.51.100.7" },
	{ "10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.0/8", "10.0.0.3" },
	{ "10.0.0.1", "198.51.100.7, rubbish", "10.0.0.0/8", "10.0.0.1" },
	{ "10.0.0.1", "198.51.100.7,", "10.0.0.0/8", "10.0.0.1" },
	{ "10.0.0.1", "", "10.0.0.0/8", "10.0.0.1" },
	{ NULL, "198.51.100.7", "10.0.0.0/8", NULL },
};
/* clang-format on */

Test(address, of_the_client_behind_proxies_that_are_trusted)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		const char *client = address_of_client(a, clients[i].peer, clients[i].forwarded,
						       clients[i].trusted);

		if (clients[i].client)
			cr_expect_str_eq(client, clients[i].client, "%zu", i);
		else
			cr_expect_null(client, "%zu", i);
	}
	arena_free(a);
}
