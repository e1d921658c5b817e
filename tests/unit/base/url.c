/*
 * Origins and hosts of the URLs of settings.
 */
#include "base/url.h"

#include <criterion/criterion.h>

static const struct {
	const char *url, *origin, *host;
} urls[] = {
	{ "https://app.example.com", "https://app.example.com", "app.example.com" },
	{ "https://app.example.com:8443", "https://app.example.com:8443", "app.example.com" },
	{ "https://example.com/app?x=1#y", "https://example.com", "example.com" },
	{ "http://localhost:5173/", "http://localhost:5173", "localhost" },
	{ "https://[::1]:8443/a", "https://[::1]:8443", "[::1]" },
	{ "", "", "" },
};

Test(url, an_origin_is_scheme_host_and_port)
{
	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		cr_expect(str_is(url_origin(urls[i].url), urls[i].origin), "%s", urls[i].url);
	cr_assert_eq(url_origin(NULL).len, 0);
}

Test(url, a_host_has_no_port)
{
	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		cr_expect(str_is(url_host(urls[i].url), urls[i].host), "%s", urls[i].url);
	cr_assert_eq(url_host(NULL).len, 0);
}
