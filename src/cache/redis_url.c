/*
 * REDIS_URL: where Redis is, and who we are there.
 */
#include "cache/redis_impl.h"

#include "base/arena.h"

#define PORT_DEFAULT 6379
#define DB_MAX       1023 /* more than any redis.conf has; redis refuses what it has not */

/* Cuts "[user]:password@" off *rest, if it has that. */
static const char *parse_credentials(struct arena *a, struct str *rest, struct redis_target *ret)
{
	struct str user, password, decoded;
	size_t at;

	if (!str_find(*rest, '@', &at))
		return NULL;

	password = (struct str){ rest->ptr, at };
	*rest = (struct str){ rest->ptr + at + 1, rest->len - at - 1 };
	user = str_cut(&password, ':');
	if (!password.ptr)
		return "before the @ stands user:password or :password";

	if (!str_percent_decode(a, password, false, &decoded))
		return "the password is not percent-encoded";
	ret->password = str_dup(a, decoded);
	if (user.len == 0)
		return NULL;

	if (!str_percent_decode(a, user, false, &decoded))
		return "the user is not percent-encoded";
	ret->user = str_dup(a, decoded);
	return NULL;
}

static const char *parse_db(struct str text, struct redis_target *ret)
{
	if (text.len > 0 && !str_to_i64(text, 0, DB_MAX, &ret->db))
		return "the database is a number from 0 to 1023";
	return NULL;
}

/* "/path", "/path?db=1" */
static const char *parse_path(struct arena *a, struct str rest, struct redis_target *ret)
{
	struct str path = str_cut(&rest, '?');

	if (!str_starts(path, "/"))
		return "a Unix socket has an absolute path, as in unix:///run/redis/redis-server.sock";
	ret->path = str_dup(a, path);
	if (!rest.ptr)
		return NULL;

	if (!str_starts(rest, "db="))
		return "after the path may stand ?db=n and nothing else";
	return parse_db((struct str){ rest.ptr + 3, rest.len - 3 }, ret);
}

/* Cuts a host off *rest up to its port; an IPv6 address stands in brackets. */
static const char *parse_host(struct arena *a, struct str *rest, struct redis_target *ret)
{
	struct str host;

	if (str_starts(*rest, "[")) {
		*rest = (struct str){ rest->ptr + 1, rest->len - 1 };
		host = str_cut(rest, ']');
		if (!rest->ptr || (rest->len > 0 && !str_starts(*rest, ":")))
			return "an IPv6 address ends with ]";
		if (rest->len > 0)
			*rest = (struct str){ rest->ptr + 1, rest->len - 1 };
		else
			*rest = (struct str){ 0 };
	} else {
		host = str_cut(rest, ':');
	}

	if (host.len == 0)
		return "it names no host";
	ret->host = str_dup(a, host);
	return NULL;
}

/* "host", "host:port", "host:port/db" */
static const char *parse_address(struct arena *a, struct str rest, struct redis_target *ret)
{
	struct str address = str_cut(&rest, '/');
	int64_t port = PORT_DEFAULT;
	const char *why;

	why = parse_host(a, &address, ret);
	if (why)
		return why;
	if (address.ptr && !str_to_i64(address, 1, 65535, &port))
		return "the port is a number from 1 to 65535";

	ret->port = (int)port;
	return parse_db(rest, ret);
}

static bool skip(struct str *s, const char *prefix)
{
	size_t len = str_of(prefix).len;

	if (!str_starts(*s, prefix))
		return false;
	*s = (struct str){ s->ptr + len, s->len - len };
	return true;
}

const char *redis_url_parse(struct arena *a, struct str url, struct redis_target *ret)
{
	struct redis_target target = { 0 };
	struct str rest = url;
	bool is_unix = skip(&rest, "unix://");
	const char *why;

	if (str_starts(url, "rediss://"))
		return "TLS to Redis is not supported: use a Unix socket, a private network, or stunnel";
	if (!is_unix && !skip(&rest, "redis://"))
		return "it begins with redis:// or unix://";

	why = parse_credentials(a, &rest, &target);
	if (!why)
		why = is_unix ? parse_path(a, rest, &target) : parse_address(a, rest, &target);
	if (why)
		return why;

	*ret = target;
	return NULL;
}
