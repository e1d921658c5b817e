/* Which addresses are somebody else's: see guard.h. */
#include "net/guard.h"

#include "base/address.h"
#include "base/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/*
 * What is not the public internet: the special-purpose registries of IANA (RFC 6890 and its
 * successors), multicast, and the forms of IPv6 that carry an IPv4 address of any of them (mapped
 * ones are compared as IPv4 by base/address).
 */
static const char not_public[] =
	"0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,"
	"192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,"
	"224.0.0.0/4,240.0.0.0/4,"
	"::/96,64:ff9b::/96,64:ff9b:1::/48,100::/64,2001::/23,2001:db8::/32,2002::/16,"
	"3fff::/20,5f00::/16,fc00::/7,fe80::/10,fec0::/10,ff00::/8";

bool guard_allows_ip(const char *ip, bool in_clear)
{
	const char *allowed = config()->outbound_allow;

	if (allowed && address_is_in(ip, allowed))
		return true;

	return !in_clear && address_is_in(ip, "0.0.0.0/0,::/0") && !address_is_in(ip, not_public);
}

bool guard_allows(const struct sockaddr *address, bool in_clear)
{
	char text[INET6_ADDRSTRLEN];
	const void *bytes;

	if (address->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	else if (address->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	else
		return false;

	return inet_ntop(address->sa_family, bytes, text, sizeof(text)) &&
	       guard_allows_ip(text, in_clear);
}
