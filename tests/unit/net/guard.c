/* Whom the product may call: the public internet, what an admin names, and nobody else. */
#include "net/guard.h"

#include "base/config.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/un.h>

static void allow(const char *outbound_allow)
{
	config_set(&(struct config){ .outbound_allow = outbound_allow });
}

static void begin(void)
{
	allow(NULL);
}

TestSuite(guard, .init = begin);

Test(guard, public_addresses_are_allowed)
{
	static const char *const ips[] = {
		"1.1.1.1",     "8.8.8.8",     "9.255.255.255", "11.0.0.1",
		"100.63.0.1",  "100.128.0.1", "172.15.0.1",    "172.32.0.1",
		"192.167.0.1", "223.1.1.1",   "2606:4700::1",  "2a00:1450:4001:81b::200e"
	};

	for (size_t i = 0; i < ARRAY_LEN(ips); i++)
		cr_expect(guard_allows_ip(ips[i], false), "%s", ips[i]);
}

Test(guard, what_is_private_local_or_reserved_is_refused)
{
	static const char *const ips[] = {
		"0.0.0.0",      "10.0.0.1",        "100.64.0.1",
		"127.0.0.1",    "127.255.255.255", "169.254.169.254",
		"172.16.0.1",   "172.31.255.255",  "192.0.0.1",
		"192.0.2.1",    "192.168.1.1",     "198.18.0.1",
		"198.51.100.7", "203.0.113.9",     "224.0.0.1",
		"240.0.0.1",    "255.255.255.255", "::",
		"::1",          "fc00::1",         "fd12:3456::1",
		"fe80::1",      "fec0::1",         "ff02::1",
		"2001:db8::1",  "100::1",          "3fff::1",
		"5f00::1",      "4000::1",         "::2:0:0:1",
	};

	for (size_t i = 0; i < ARRAY_LEN(ips); i++)
		cr_expect_not(guard_allows_ip(ips[i], false), "%s", ips[i]);
}

/* Each carries an IPv4 address to somewhere else than it seems. */
Test(guard, ipv4_within_ipv6_is_refused)
{
	static const char *const ips[] = {
		"::ffff:127.0.0.1",   "::ffff:10.0.0.1", "::ffff:7f00:1",      "::127.0.0.1",
		"64:ff9b::127.0.0.1", "64:ff9b::a00:1",  "64:ff9b:1::a00:1",   "2002:7f00:1::",
		"2002:a00:1::1",      "2001:0:1::1",     "::ffff:0:127.0.0.1", "64:ff9b:2::a00:1",
	};

	for (size_t i = 0; i < ARRAY_LEN(ips); i++)
		cr_expect_not(guard_allows_ip(ips[i], false), "%s", ips[i]);
	cr_expect(guard_allows_ip("::ffff:1.1.1.1", false), "a public one, mapped, is itself");
}

Test(guard, text_that_is_no_address_is_refused)
{
	static const char *const ips[] = { "",           "localhost", "127.1",
					   "0x7f000001", "1.1.1.1 ",  "fe80::1%lo" };

	for (size_t i = 0; i < ARRAY_LEN(ips); i++)
		cr_expect_not(guard_allows_ip(ips[i], false), "\"%s\"", ips[i]);
}

Test(guard, an_admin_allows_services_of_their_own)
{
	allow("10.1.2.3,fd00:1::/64");

	cr_assert(guard_allows_ip("10.1.2.3", false));
	cr_assert(guard_allows_ip("::ffff:10.1.2.3", false));
	cr_assert(guard_allows_ip("fd00:1::7", false));
	cr_assert_not(guard_allows_ip("10.1.2.4", false));
	cr_assert_not(guard_allows_ip("127.0.0.1", false));
}

Test(guard, only_those_are_called_without_tls)
{
	allow("10.1.2.3");

	cr_assert(guard_allows_ip("10.1.2.3", true));
	cr_assert_not(guard_allows_ip("1.1.1.1", true));
}

Test(guard, socket_addresses_are_judged_as_their_text_is)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/zygo/fast.sock" };

	four.sin_addr.s_addr = htonl(0x01010101);
	cr_assert(guard_allows((const struct sockaddr *)&four, false));
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_not(guard_allows((const struct sockaddr *)&four, false));
	cr_assert(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr) == 1);
	cr_assert_not(guard_allows((const struct sockaddr *)&mapped, false));
	cr_assert_not(guard_allows((const struct sockaddr *)&local, false));
}
