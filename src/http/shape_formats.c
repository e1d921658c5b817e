/* The types of fields, and the forms of text that they and patterns allow. */
#include "http/shape_impl.h"

#include "base/address.h"
#include "base/cron.h"
#include "base/id.h"

#include <assert.h>
#include <regex.h>

#define LABEL_MAX 63 /* RFC 1035 section 2.3.4 */
#define LOCAL_MAX 64 /* RFC 5321 section 4.5.3.1.1 */

/* Integers that every JSON reader keeps exactly: 2^53 - 1 (RFC 8259 section 6). */
#define SAFE_MAX INT64_C(9007199254740991)

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_letter(c) || is_digit(c);
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* A label of a domain name: letters, digits, and '-' inside. */
static bool is_label(struct str s)
{
	if (!s.len || s.len > LABEL_MAX || s.ptr[0] == '-' || s.ptr[s.len - 1] == '-')
		return false;

	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.ptr[i]) && s.ptr[i] != '-')
			return false;

	return true;
}

static bool is_hostname(struct str s)
{
	if (!s.len || s.len > 253)
		return false;

	for (struct str label = str_cut(&s, '.'); label.ptr; label = str_cut(&s, '.'))
		if (!is_label(label))
			return false;

	return true;
}

/* A dot-atom of RFC 5322 section 3.2.3. Quoted local parts are not taken: nobody has one. */
static bool is_dot_atom(struct str s)
{
	if (!s.len || s.len > LOCAL_MAX)
		return false;

	for (struct str atom = str_cut(&s, '.'); atom.ptr; atom = str_cut(&s, '.')) {
		if (!atom.len)
			return false;
		for (size_t i = 0; i < atom.len; i++)
			if (!is_alnum(atom.ptr[i]) &&
			    !is_one_of(atom.ptr[i], "!#$%&'*+-/=?^_`{|}~"))
				return false;
	}

	return true;
}

/* A domain that mail can be sent to: a name of two labels or more that is no IPv4 address. */
static bool is_mail_domain(struct str s)
{
	size_t dot;

	return is_hostname(s) && str_find(s, '.', &dot) && !is_digit(s.ptr[s.len - 1]);
}

static bool is_email(struct str s)
{
	struct str local = str_cut(&s, '@');

	return local.len + 1 + s.len <= 254 && is_dot_atom(local) && is_mail_domain(s);
}

static bool is_slug(struct str s)
{
	if (!s.len || s.ptr[0] == '-' || s.ptr[s.len - 1] == '-')
		return false;

	for (size_t i = 0; i < s.len; i++) {
		if (!is_lower(s.ptr[i]) && !is_digit(s.ptr[i]) && s.ptr[i] != '-')
			return false;
		if (s.ptr[i] == '-' && s.ptr[i + 1] == '-')
			return false;
	}

	return true;
}

/* host, host:port, [IPv6]:port; no credentials, which would end in logs. */
static bool is_authority(struct str s)
{
	struct str host, port;
	int64_t number;
	size_t end;

	if (s.len && s.ptr[0] == '[' && str_find(s, ']', &end)) {
		port = (struct str){ s.ptr + end + 1, s.len - end - 1 };
		host = (struct str){ s.ptr + 1, end - 1 };
		if (!is_ip(host) || (port.len && port.ptr[0] != ':'))
			return false;
		(void)str_cut(&port, ':');
		return !port.ptr || str_to_i64(port, 1, 65535, &number);
	}

	host = str_cut(&s, ':');
	port = s;

	return is_hostname(host) && (!port.ptr || str_to_i64(port, 1, 65535, &number));
}

/* Characters of RFC 3986 with whole escapes; what a person pasted with blanks is refused. */
static bool is_uri_text(struct str s)
{
	uint8_t byte;

	for (size_t i = 0; i < s.len; i++) {
		char ch = s.ptr[i];

		if (ch == '%' &&
		    (s.len - i < 3 || !str_unhex((struct str){ s.ptr + i + 1, 2 }, &byte, 1)))
			return false;
		if (!is_alnum(ch) && !is_one_of(ch, "-._~:/?#[]@!$&'()*+,;=%"))
			return false;
	}

	return true;
}

static bool is_uri(struct str s)
{
	size_t scheme = str_starts(s, "https://") ? 8 : str_starts(s, "http://") ? 7 : 0;
	struct str authority = { s.ptr + scheme, 0 };

	if (!scheme || !is_uri_text(s))
		return false;
	while (scheme + authority.len < s.len && !is_one_of(authority.ptr[authority.len], "/?#"))
		authority.len++;

	return is_authority(authority);
}

static bool is_cron(struct str s)
{
	struct cron c;

	return cron_read(s, &c);
}

/* clang-format off */
const struct type shape_types[] = {
	[T_STRING] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .max = 4096, .example = "text" },
	[T_EMAIL] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .max = 254, .is_valid = is_email,
		.message = "Invalid email", .format = "email", .example = "john@example.com" },
	[T_PASSWORD] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .min = 8, .max = 128,
		.format = "password", .example = "correct horse battery staple" },
	[T_UUID] = { VALUE_TEXT, .json = "string", .size = sizeof(struct uuid), .message = "Invalid uuid", .format = "uuid",
		.example = "01890a5d-ac96-774b-bcce-b302099a8057" },
	[T_URI] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .max = 2048, .is_valid = is_uri,
		.message = "Invalid url", .format = "uri", .example = "https://example.com/" },
	[T_SLUG] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .min = 1, .max = 63, .is_valid = is_slug,
		.message = "Invalid slug", .regex = "^[a-z0-9]+(-[a-z0-9]+)*$", .example = "blue-team" },
	[T_DATETIME] = { VALUE_TEXT, .json = "string", .size = sizeof(int64_t), .message = "Invalid datetime",
		.format = "date-time", .example = "2026-01-31T12:00:00.000Z" },
	[T_IP] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .max = 45, .is_valid = is_ip,
		.message = "Invalid ip", .example = "192.0.2.1" },
	[T_CIDR] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .max = 49, .is_valid = is_cidr,
		.message = "Invalid cidr", .example = "192.0.2.0/24" },
	[T_CRON] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .max = 200, .is_valid = is_cron,
		.message = "Invalid cron expression", .example = "0 3 * * *" },
	[T_HOSTNAME] = { VALUE_TEXT, .json = "string", .size = sizeof(char *), .max = 253, .is_valid = is_hostname,
		.message = "Invalid hostname", .format = "hostname", .example = "www.example.com" },
	[T_INT] = { VALUE_INT, .json = "number", .size = sizeof(int64_t), .min = -SAFE_MAX, .max = SAFE_MAX, .example = "1" },
	[T_NUMBER] = { VALUE_NUMBER, .json = "number", .size = sizeof(double), .min = -SAFE_MAX, .max = SAFE_MAX, .example = "0.5" },
	[T_BOOL] = { VALUE_BOOL, .json = "boolean", .size = sizeof(bool), .example = "true" },
	[T_ENUM] = { VALUE_TEXT, .json = "string", .size = sizeof(char *) },
	[T_ARRAY] = { VALUE_ARRAY, .json = "array", .size = sizeof(struct list), .max = 100 },
	[T_OBJECT] = { VALUE_OBJECT, .json = "object", .size = sizeof(void *) },
	[T_JSON] = { VALUE_JSON, .json = "object", .size = sizeof(struct str), .max = 65536, .example = "{}" },
};
static_assert(ARRAY_LEN(shape_types) == T_JSON + 1, "one row for each type");

#define NAME_PART "[a-z][A-Za-z0-9_]*"

const struct shape_pattern shape_patterns[] = {
	{ "phone", "^[+]?[0-9(][0-9 ()./-]*[0-9]$", "Invalid phone number: digits, with blanks and ( ) . / - among them",
	  "+49 30 901820" },
	{ "token", "^[A-Za-z0-9_-]*$", "Only letters, digits, _ and - are allowed", "q3Zr-8_x" },
	{ "permission", "^[a-z][A-Za-z]*$", "Invalid permission", "canViewUsers" },
	{ "eventType", "^([*]|" NAME_PART "([.]" NAME_PART ")*([.][*])?)$", "Invalid event type", "project.created" },
	{ "localPath", "^/[!-~]*$", "Invalid path: it begins with / and has visible ASCII alone", "/projects" },
	{ "line", "^ *[^\001-\040\177][^\001-\037\177]*$", "Expected one line, and not a blank one", "Blue team" },
	{ "printable", "^[^\001-\037\177]*$", "Control characters are not allowed", "Blue team" },
	{ 0 },
};
/* clang-format on */

const struct shape_pattern *shape_pattern_find(const char *name)
{
	for (const struct shape_pattern *p = shape_patterns; p->name; p++)
		if (!strcmp(p->name, name))
			return p;

	return NULL;
}

bool shape_pattern_matches(const struct shape_pattern *p, const char *s)
{
	static struct {
		regex_t regex;
		bool is_ready;
	} compiled[ARRAY_LEN(shape_patterns)];
	size_t i = (size_t)(p - shape_patterns);

	if (!compiled[i].is_ready) {
		if (regcomp(&compiled[i].regex, p->regex, REG_EXTENDED | REG_NOSUB))
			BUG("a pattern is no regular expression");
		compiled[i].is_ready = true;
	}

	return regexec(&compiled[i].regex, s, 0, NULL, 0) == 0;
}
