/* Paths as they come: what is another path to another reader is no route. */
#include "http/incoming.h"

#include "base/arena.h"
#include "exchange.h"
#include "samples.h"

#include <criterion/criterion.h>

static void setup(void)
{
	exchange_begin(sample_mounts);
}

TestSuite(incoming, .init = setup, .fini = exchange_end);

/* clang-format off */
static const struct {
	const char *uri;
	int status;
} uris[] = {
	{ "/things", 200 }, { "/things?", 200 }, { "/things?a=b", 200 }, { "/%74hings", 200 }, { "/things#a", 404 },
	{ "/things/", 404 }, { "//things", 404 }, { "/./things", 404 }, { "/x/../things", 404 }, { "/%2e/things", 404 },
	{ "/x/%2e%2e/things", 404 }, { "/things%2fspecial", 404 }, { "/things%5cspecial", 404 }, { "/things\\special", 404 },
	{ "/things%0a", 404 }, { "/THINGS", 404 }, { "things", 404 }, { "", 404 }, { "http://a/things", 404 },
	{ "/things%00", 400 }, { "/things%", 400 }, { "/things%4", 400 }, { "/things%zz", 400 }, { "/%ff", 400 },
	{ "/%c0%af", 400 },
};
/* clang-format on */

Test(incoming, a_path_is_what_it_seems)
{
	for (size_t i = 0; i < ARRAY_LEN(uris); i++)
		cr_expect_eq(ask("GET", uris[i].uri).status, uris[i].status, "%s", uris[i].uri);
}

Test(incoming, path_and_query_have_a_greatest_length)
{
	char uri[PATH_BYTES_MAX + QUERY_BYTES_MAX + 64];

	(void)snprintf(uri, sizeof(uri), "/%0*d", PATH_BYTES_MAX, 0);
	cr_expect_eq(ask("GET", uri).status, 414);
	(void)snprintf(uri, sizeof(uri), "/things?%0*d", QUERY_BYTES_MAX, 0);
	cr_expect_eq(ask("GET", uri).status, 200);
	(void)snprintf(uri, sizeof(uri), "/things?%0*d", QUERY_BYTES_MAX + 1, 0);
	cr_expect_eq(ask("GET", uri).status, 414);
}
