/* Routes: found by method and path, refused when their row is wrong. */
#include "http/route.h"

#include "base/arena.h"
#include "exchange.h"
#include "http/route_check.h"
#include "http/shape.h"
#include "samples.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

static void setup(void)
{
	exchange_begin(sample_mounts);
}

TestSuite(route, .init = setup, .fini = exchange_end);

#define ID "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f"

/* clang-format off */
static const struct {
	enum method method;
	const char *path, *pattern; /* NULL: no row */
	unsigned allowed;
} paths[] = {
	{ GET, "/things", "/things", GET | HEAD | POST | OPTIONS },
	{ HEAD, "/things", "/things", GET | HEAD | POST | OPTIONS },
	{ POST, "/things", "/things", GET | HEAD | POST | OPTIONS },
	{ DELETE, "/things", NULL, GET | HEAD | POST | OPTIONS },
	{ OPTIONS, "/things", NULL, GET | HEAD | POST | OPTIONS },
	{ GET, "/things/special", "/things/special", GET | HEAD | OPTIONS },
	{ GET, "/things/" ID, "/things/:id", GET | HEAD | PATCH | DELETE | OPTIONS },
	{ DELETE, "/things/" ID, "/things/:thingId", GET | HEAD | PATCH | DELETE | OPTIONS },
	{ GET, "/things/" ID "/keys/a", "/things/:id/keys/:key", GET | HEAD | OPTIONS },
	{ GET, "/things/special/keys/a", NULL, 0 },
	{ GET, "/things/", NULL, 0 }, { GET, "/", NULL, 0 }, { GET, "", NULL, 0 }, { GET, "things", NULL, 0 },
	{ GET, "//things", NULL, 0 }, { GET, "/things//keys/a", NULL, 0 }, { GET, "/thing", NULL, 0 },
	{ GET, "/things/" ID "/keys", NULL, 0 }, { GET, "/things/" ID "/keys/a/b", NULL, 0 },
	{ POST, "/api/v1/change", "/api/v1/change", POST | OPTIONS },
	{ GET, "/api/admin/change", "/api/admin/change", GET | HEAD | POST | OPTIONS },
};
/* clang-format on */

Test(route, is_found_by_method_and_path)
{
	struct route_match m;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		route_find(paths[i].method, paths[i].path, &m);
		cr_expect_eq(m.allowed, paths[i].allowed, "%s: %x", paths[i].path, m.allowed);
		cr_expect_eq(m.route != NULL, paths[i].pattern != NULL, "%s", paths[i].path);
		if (m.route && paths[i].pattern)
			cr_expect_str_eq(m.pattern, paths[i].pattern);
	}
}

Test(route, params_are_named_as_the_found_row_names_them)
{
	struct route_match m;

	route_find(DELETE, "/things/" ID, &m);
	cr_assert_eq(m.params_len, 1);
	cr_expect(str_is(m.params[0].name, "thingId"));
	cr_expect(str_is(m.params[0].value, ID));

	route_find(GET, "/things/" ID "/keys/k", &m);
	cr_assert_eq(m.params_len, 2);
	cr_expect(str_is(m.params[1].name, "key"));
	cr_expect(str_is(m.params[1].value, "k"));
}

static int handler(struct request *r)
{
	(void)r;
	return OK;
}

static const struct field no_type[] = { { "a", T_UNSTATED, OPTIONAL, .offset = 0 } };
static const struct shape untyped = { .name = "U", .size = 8, .fields = no_type, .fields_len = 1 };

#define REST .summary = "s", .handle = handler

/* Each lacks one thing. */
/* clang-format off */
static const struct route wrong[] = {
	{ GET, "/a", .perm = PERM_PUBLIC, .rate = RATE_READ, REST },
	{ GET, "/a", 1 << 9, PERM_PUBLIC, RATE_READ, REST },
	{ GET, "/a", TIER_API, .rate = RATE_READ, REST },
	{ GET, "/a", TIER_API, PERM_COUNT, RATE_READ, REST },
	{ GET, "/a", TIER_API, PERM_PUBLIC, REST },
	{ GET, "a", TIER_API, PERM_PUBLIC, RATE_READ, REST },
	{ GET, "/a/", TIER_API, PERM_PUBLIC, RATE_READ, REST },
	{ GET, "/a/:b/:c/:d/:e/:f", TIER_API, PERM_PUBLIC, RATE_READ, REST },
	{ GET | POST, "/a", TIER_API, PERM_PUBLIC, RATE_READ, REST },
	{ HEAD, "/a", TIER_API, PERM_PUBLIC, RATE_READ, REST },
	{ GET, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .handle = handler },
	{ GET, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .summary = "s" },
	{ GET, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .none = handler, REST },
	{ GET, "/a", TIER_SYSTEM, PERM_ACCOUNT, RATE_READ, REST },
	{ GET, "/a", TIER_SUPER, PERM_VIEW_USERS, RATE_READ, REST },
	{ GET, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .body = &untyped, REST },
	{ POST, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .body = &untyped, REST },
	{ PUT, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .flags = ROUTE_IDEMPOTENT, REST },
	{ GET, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .flags = ROUTE_HOT, REST },
	{ GET, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .deprecated = "soon", REST },
};
/* clang-format on */

/* What is wrong is printed; here nobody reads it. */
static void hush(void)
{
	int null = open("/dev/null", O_WRONLY);

	(void)dup2(null, STDERR_FILENO);
	(void)close(null);
}

Test(route, a_row_that_says_too_little_does_not_start, .init = hush)
{
	static const struct mount mount = { "wrong", wrong, NULL, NULL };
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect(!route_check(a, &mount, &wrong[i]), "row %zu", i);
	arena_free(a);
}

Test(route, two_rows_for_one_path_do_not_start, .init = hush)
{
	static const struct route twice[] = {
		{ GET, "/a/:id", TIER_API, PERM_PUBLIC, RATE_READ, REST },
		{ GET, "/a/:otherId", TIER_API, PERM_PUBLIC, RATE_READ, REST },
		{ 0 },
	};
	static const struct mount mount = { "twice", twice, NULL, NULL };
	static const struct mount *const mounts[] = { &mount, NULL };

	cr_expect(!routes_init(mounts));
}

Test(route, two_shapes_of_one_name_do_not_start, .init = hush)
{
	static const struct field text[] = { { "a", T_STRING, OPTIONAL, .offset = 0 } };
	static const struct shape one = REPLY_SHAPE("Same", text),
				  other = REPLY_SHAPE("Same", text);
	static const struct route rows[] = {
		{ GET, "/a", TIER_API, PERM_PUBLIC, RATE_READ, .reply = &one, REST },
		{ GET, "/b", TIER_API, PERM_PUBLIC, RATE_READ, .reply = &other, REST },
		{ 0 },
	};
	static const struct mount mount = { "same", rows, NULL, NULL };
	static const struct mount *const mounts[] = { &mount, NULL };

	cr_expect(!routes_init(mounts));
}
