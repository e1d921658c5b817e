/* What a request says about itself: headers, cookies, parameters of its path. */
#include "http/request.h"

#include "base/arena.h"

#define PARAM_NAME_MAX 64

const char *request_header(const struct request *r, const char *name)
{
	char param[PARAM_NAME_MAX];
	bool is_plain = !strcmp(name, "CONTENT_TYPE") || !strcmp(name, "CONTENT_LENGTH");
	int n = snprintf(param, sizeof(param), "%s%s", is_plain ? "" : "HTTP_", name);

	BUG_IF(n < 0 || (size_t)n >= sizeof(param));

	return r->transport->param(r->peer, param);
}

struct str request_cookie(const struct request *r, const char *name)
{
	struct str rest = str_of(request_header(r, "COOKIE"));

	for (struct str pair = str_cut(&rest, ';'); pair.ptr; pair = str_cut(&rest, ';')) {
		struct str key;

		pair = str_trim(pair);
		key = str_cut(&pair, '=');
		if (pair.ptr && str_is(key, name))
			return pair;
	}

	return (struct str){ NULL, 0 };
}

static struct str find_param(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->match.params_len; i++)
		if (str_is(r->match.params[i].name, name))
			return r->match.params[i].value;

	BUG("the path has no such parameter");
}

const char *request_param(const struct request *r, const char *name)
{
	return str_dup(r->ctx->arena, find_param(r, name));
}

struct uuid request_id_param(const struct request *r, const char *name)
{
	struct uuid id;

	if (!uuid_parse(find_param(r, name), &id))
		BUG("an id was not checked");

	return id;
}
