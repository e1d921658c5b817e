/* IP addresses as text: are they one, are they in a list, whose limit do they share. */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

bool is_ip(struct str s);   /* IPv4 or IPv6, without a zone */
bool is_cidr(struct str s); /* an address, '/' and a length, with no bit set past it */

/* Is ip one of the comma-separated addresses and networks? False when either is not well-formed. */
bool address_is_in(const char *ip, const char *list);

/*
 * Whom a limit by address counts: the IPv4 address, or the /64 of an IPv6 address, since that is
 * what one customer has. "ip:192.0.2.1"
 */
const char *address_subject(struct arena *a, const char *ip);

/*
 * Who asks: peer, unless that is one of the trusted proxies; then the last address of its
 * X-Forwarded-For that is none of them. forwarded and trusted may be NULL. What is no address ends
 * the search, since anybody may have written it.
 */
const char *address_of_client(struct arena *a, const char *peer, const char *forwarded,
			      const char *trusted);
