/* Cookies: cut from the header, whatever it holds. */
#include "http/request.h"

#include <criterion/criterion.h>

static const char *header;

static const char *param(const void *peer, const char *name)
{
	(void)peer;
	return strcmp(name, "HTTP_COOKIE") ? NULL : header;
}

/* clang-format off */
static const struct {
	const char *header, *value; /* NULL: there is none */
} cookies[] = {
	{ "s=1", "1" }, { "a=b; s=1", "1" }, { "a=b;s=1;c=d", "1" }, { " s=1 ", "1" }, { "s=", "" }, { "s=a=b", "a=b" },
	{ "s=1; s=2", "1" }, { "S=1", NULL }, { "ss=1", NULL }, { "s", NULL }, { "", NULL }, { ";;;", NULL },
	{ "=1", NULL }, { NULL, NULL },
};
/* clang-format on */

Test(request, a_cookie_is_found_by_its_whole_name)
{
	static const struct transport transport = { .param = param };
	struct request r = { .transport = &transport };

	for (size_t i = 0; i < ARRAY_LEN(cookies); i++) {
		struct str value;

		header = cookies[i].header;
		value = request_cookie(&r, "s");
		cr_expect_eq(value.ptr != NULL, cookies[i].value != NULL, "%zu", i);
		if (value.ptr && cookies[i].value)
			cr_expect(str_is(value, cookies[i].value), "%zu", i);
	}
}
