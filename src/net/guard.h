/*
 * Whom the product may connect to when somebody else names the address: never itself, its
 * neighbours or the cloud's metadata (SSRF, OWASP's cheat sheet). Checked on the address that is
 * really connected to, so that a name which answers differently the second time gains nothing.
 */
#pragma once

#include "base/base.h"

struct sockaddr;

/*
 * Public, or among OUTBOUND_ALLOW, which an admin (or a test) sets for services of their own; in
 * clear, only the latter, since what goes to others without TLS is everybody's.
 */
bool guard_allows(const struct sockaddr *address, bool in_clear);
bool guard_allows_ip(const char *ip, bool in_clear);
