/* Which addresses are somebody else's: see guard.h. */
#include "net/guard.h"

#include "base/address.h"
#include "base/config.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>

#define SYSTEM_PORTS 1024  /* RFC 6335 section 6: below are those of other services */
#define LOOK_MS      1000L /* for a name to be resolved while somebody waits */

/* What may be public: all of IPv4, and of IPv6 what is given out (RFC 4291 section 2.4). So what
 * carries an IPv4 address under another prefix (RFC 6052, RFC 2765) is not. */
static const char given_out[] = "0.0.0.0/0,2000::/3";

/*
 * What of that is not the public internet: the special-purpose registries of IANA (RFC 6890 and its
 * successors), multicast, and 2001::/23 and 2002::/16, which carry an IPv4 address. Mapped ones are
 * compared as IPv4 by base/address.
 */
static const char not_public[] =
	"0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,"
	"192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,"
	"224.0.0.0/4,240.0.0.0/4,2001::/23,2001:db8::/32,2002::/16,3fff::/20";

bool guard_allows_ip(const char *ip, bool in_clear)
{
	const char *allowed = config()->outbound_allow;

	if (allowed && address_is_in(ip, allowed))
		return true;

	return !in_clear && address_is_in(ip, given_out) && !address_is_in(ip, not_public);
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

/* What libcurl finds when it looks a host up. */
struct look {
	bool in_clear, is_allowed;
};

/* Called for each address in turn, since none is connected to. */
static curl_socket_t look_at(void *p, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct look *l = p;

	(void)purpose;
	l->is_allowed = l->is_allowed && guard_allows(&address->addr, l->in_clear);

	return CURL_SOCKET_BAD;
}

/*
 * Every address that the host has now, as the transfer itself will find them: by libcurl, which
 * gives up when a name server of somebody's lets everybody wait.
 */
static bool is_host_allowed(const char *url, bool in_clear)
{
	struct look l = { in_clear, true };
	CURL *curl = curl_easy_init();
	bool is_found;

	BUG_IF(!curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, LOOK_MS);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, look_at);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &l);
	is_found = curl_easy_perform(curl) == CURLE_COULDNT_CONNECT;
	curl_easy_cleanup(curl);

	return l.is_allowed && (is_found || !in_clear);
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
	if (!is_host_allowed(url, in_clear))
		return in_clear ? "It must be a URL of https"
				: "The host must have a public address";

	return NULL;
}
