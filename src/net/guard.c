/* Which addresses are somebody else's: see guard.h. */
#include "net/guard.h"

#include "base/address.h"
#include "base/config.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#define SYSTEM_PORTS 1024 /* RFC 6335 section 6: below are those of other services */

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

/*
 * URLs
 */

/* As libcurl takes it apart, which will call it. */
struct parts {
	CURLU *url;
	char *scheme, *host, *port, *zone;
};

static void parts_done(struct parts *p)
{
	curl_free(p->scheme);
	curl_free(p->host);
	curl_free(p->port);
	curl_free(p->zone);
	curl_url_cleanup(p->url);
}

static bool parts_read(struct parts *p, const char *url)
{
	p->url = curl_url();
	BUG_IF(!p->url);

	(void)curl_url_set(p->url, CURLUPART_URL, url, CURLU_DISALLOW_USER);
	(void)curl_url_get(p->url, CURLUPART_ZONEID, &p->zone, 0);

	return curl_url_get(p->url, CURLUPART_SCHEME, &p->scheme, 0) == CURLUE_OK &&
	       curl_url_get(p->url, CURLUPART_HOST, &p->host, 0) == CURLUE_OK &&
	       curl_url_get(p->url, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
}

static bool is_port_allowed(const char *port)
{
	int64_t n;

	return str_to_i64(str_of(port), 1, UINT16_MAX, &n) &&
	       (n == 80 || n == 443 || n >= SYSTEM_PORTS);
}

/* Every address that it has now. [::1] comes with its brackets. */
static bool is_host_allowed(char *host, bool in_clear)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	size_t len = strlen(host);
	bool is_allowed = true;

	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		host++;
	}
	if (getaddrinfo(host, NULL, &hints, &all) != 0)
		return !in_clear;
	for (const struct addrinfo *a = all; a; a = a->ai_next)
		is_allowed = is_allowed && guard_allows(a->ai_addr, in_clear);
	freeaddrinfo(all);

	return is_allowed;
}

const char *guard_refuses(const char *url)
{
	_cleanup_(parts_done) struct parts p = { 0 };
	bool in_clear;

	if (!parts_read(&p, url) || p.zone)
		return "It must be a URL of http or https with a host, and without user and password";

	in_clear = strcmp(p.scheme, "https") != 0;
	if (in_clear && strcmp(p.scheme, "http") != 0)
		return "It must be a URL of https";
	if (!is_port_allowed(p.port))
		return "The port must be 443, 80 or one above 1023";
	if (!is_host_allowed(p.host, in_clear))
		return in_clear ? "It must be a URL of https"
				: "The host must have a public address";

	return NULL;
}
