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
	size_t at, colon;

	for (at = 0; at + 3 <= host.len && strncmp(host.ptr + at, "://", 3) != 0; at++)
		;
	if (at + 3 <= host.len)
		host = (struct str){ host.ptr + at + 3, host.len - at - 3 };

	if (host.len && host.ptr[0] == '[') /* an IPv6 address has colons of its own */
		host.len = str_find(host, ']', &colon) ? colon + 1 : host.len;
	else if (str_find(host, ':', &colon))
		host.len = colon;

	return host;
}
