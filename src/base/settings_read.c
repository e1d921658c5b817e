/*
 * One value of a setting: checked against its row, and put into its field. Each reader returns
 * NULL, or what is wrong, to be said after the name: "is not a whole number".
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/settings_impl.h"

#include <arpa/inet.h>
#include <assert.h>

static const char *read_text(const struct setting *s, struct str text, struct arena *a, void *field)
{
	int64_t len = (int64_t)text.len;

	if (!str_is_utf8(text))
		return "is not UTF-8 text";
	if (s->max && len < s->min)
		return "is too short";
	if (s->max && len > s->max)
		return "is too long";
	*(const char **)field = str_dup(a, text);

	return NULL;
}

/* Whether the word is one of the comma-separated choices, and which. */
static bool find_choice(const char *choices, struct str word, int64_t *ret)
{
	struct str rest = str_of(choices);
	int64_t i = 0;

	for (struct str choice = str_cut(&rest, ','); choice.ptr; choice = str_cut(&rest, ',')) {
		if (str_eq(choice, word)) {
			*ret = i;
			return true;
		}
		i++;
	}

	return false;
}

/* Visible ASCII: what a URL and an address are made of (RFC 3986, RFC 5321). */
static bool is_visible(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;

	return text.len > 0;
}

/* A URL with one of the schemes; *ret_rest is what follows "://", which is not empty. */
static bool cut_scheme(struct str url, const char *schemes, struct str *ret_rest)
{
	int64_t which;
	size_t colon;

	if (!is_visible(url) || !str_find(url, ':', &colon) ||
	    !find_choice(schemes, (struct str){ url.ptr, colon }, &which))
		return false;

	*ret_rest = (struct str){ url.ptr + colon, url.len - colon };
	if (!str_starts(*ret_rest, "://") || ret_rest->len == 3)
		return false;
	*ret_rest = (struct str){ ret_rest->ptr + 3, ret_rest->len - 3 };

	return true;
}

/* The host and port that a URL's rest begins with, without user and password. */
static bool has_host(struct str rest)
{
	size_t end = 0;

	while (end < rest.len && !strchr("/?#", rest.ptr[end]))
		end++;
	rest.len = end;

	return rest.len > 0 && rest.ptr[0] != ':' && !memchr(rest.ptr, '@', rest.len);
}

static const char *read_url(const struct setting *s, struct str text, struct arena *a, void *field)
{
	struct str rest;

	if (!cut_scheme(text, s->choices ? s->choices : "http,https", &rest))
		return "is no URL with such a scheme";
	if (!s->choices) {
		if (!has_host(rest))
			return "names no host";
		if (str_ends(text, "/"))
			text.len--; /* paths are appended with theirs */
	}
	*(const char **)field = str_dup(a, text);

	return NULL;
}

static const char *read_origins(const struct setting *s UNUSED, struct str text, struct arena *a,
				void *field)
{
	struct str rest = text, host;

	for (struct str part = str_cut(&rest, ','); part.ptr; part = str_cut(&rest, ','))
		if (!cut_scheme(part, "http,https", &host) || !has_host(host) ||
		    memchr(host.ptr, '/', host.len))
			return "is not a list of origins";
	*(const char **)field = str_dup(a, text);

	return NULL;
}

/* An IPv4 or IPv6 address, or a network: address/bits. */
static bool is_address(struct str text)
{
	struct str bits = text, address = str_cut(&bits, '/');
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	bool is_v6 = memchr(text.ptr, ':', text.len) != NULL;
	int64_t n;

	if (address.len >= sizeof(copy))
		return false;
	memcpy(copy, address.ptr, address.len);
	copy[address.len] = '\0';

	return inet_pton(is_v6 ? AF_INET6 : AF_INET, copy, bytes) == 1 &&
	       (!bits.ptr || str_to_i64(bits, 0, is_v6 ? 128 : 32, &n));
}

static const char *read_addresses(const struct setting *s UNUSED, struct str text, struct arena *a,
				  void *field)
{
	struct str rest = text;

	for (struct str part = str_cut(&rest, ','); part.ptr; part = str_cut(&rest, ','))
		if (!is_address(part))
			return "is not a list of addresses";
	*(const char **)field = str_dup(a, text);

	return NULL;
}

static const char *read_email(const struct setting *s UNUSED, struct str text, struct arena *a,
			      void *field)
{
	struct str domain = text, local = str_cut(&domain, '@');

	if (!is_visible(text) || !local.len || !domain.len || memchr(domain.ptr, '@', domain.len))
		return "is not an email address";
	*(const char **)field = str_dup(a, text);

	return NULL;
}

static const char *read_enum(const struct setting *s, struct str text, struct arena *a UNUSED,
			     void *field)
{
	return find_choice(s->choices, text, field) ? NULL : "is none of these";
}

static const char *read_int(const struct setting *s, struct str text, struct arena *a UNUSED,
			    void *field)
{
	int64_t any;

	if (str_to_i64(text, s->min, s->max, field))
		return NULL;

	return str_to_i64(text, INT64_MIN, INT64_MAX, &any) ? "is out of range"
							    : "is not a whole number";
}

static const char *read_bool(const struct setting *s UNUSED, struct str text,
			     struct arena *a UNUSED, void *field)
{
	int64_t which;

	if (!find_choice("false,true,0,1,off,on", text, &which))
		return "is not true or false";
	*(bool *)field = which % 2;

	return NULL;
}

static const char *read_duration(const struct setting *s, struct str text, struct arena *a UNUSED,
				 void *field)
{
	int64_t us;

	if (!clock_parse_duration(text, &us))
		return "is not a duration";
	if (us < s->min || us > s->max)
		return "is out of range";
	*(int64_t *)field = us;

	return NULL;
}

static const char *read_hex(const struct setting *s, struct str text, struct arena *a UNUSED,
			    void *field)
{
	if (text.len != 2 * (size_t)s->min)
		return "has another length";

	return str_unhex(text, field, (size_t)s->min) ? NULL : "is not hexadecimal";
}

const char *setting_read(const struct setting *s, struct str text, struct arena *a, void *field)
{
	static const char *(*const readers[])(const struct setting *s, struct str text,
					      struct arena *a, void *field) = {
		[SETTING_TEXT] = read_text,         [SETTING_URL] = read_url,
		[SETTING_ORIGINS] = read_origins,   [SETTING_ADDRESSES] = read_addresses,
		[SETTING_EMAIL] = read_email,       [SETTING_ENUM] = read_enum,
		[SETTING_INT] = read_int,           [SETTING_BOOL] = read_bool,
		[SETTING_DURATION] = read_duration, [SETTING_HEX] = read_hex,
	};
	static_assert(ARRAY_LEN(readers) == SETTING_HEX + 1, "a reader for each type");

	return readers[s->type](s, text, a, field);
}
