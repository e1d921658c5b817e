/* Parts of URLs: see url.h. */
#include "base/url.h"

struct str url_origin(const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL;

	if (!host)
		return str_of(url);

	return (struct str){ url, (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") };
}

struct str url_host(const char *url)
{
	struct str host = url_origin(url);
	const char *start = host.ptr ? strstr(host.ptr, "://") : NULL;
	const char *port;

	if (start) {
		start += 3;
		host = (struct str){ start, host.len - (size_t)(start - host.ptr) };
	}
	if (host.len && host.ptr[0] == '[') /* an IPv6 address has colons of its own */
		return host;
	port = host.len ? memchr(host.ptr, ':', host.len) : NULL;
	if (port)
		host.len = (size_t)(port - host.ptr);

	return host;
}
