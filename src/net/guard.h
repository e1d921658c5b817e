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

/*
 * Why nobody may have this URL called, as a sentence for whoever asked; NULL: they may. http or
 * https, without user and password, to a port of the web's or one above the system's (1024), and
 * no address of its host, as it resolves now, may be refused. A host that does not resolve within a
 * second passes: it is looked at again when it is connected to. Blocking for that second.
 */
const char *guard_refuses(const char *url);
