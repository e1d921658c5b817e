/* Filling in templates: see template.h. */
#include "identity/template.h"

#include "base/buf.h"

#define SHOWN_BYTES_MAX 40 /* of what is wrong */

static const char *find(const struct template_value *values, struct str name)
{
	for (; values->name; values++)
		if (str_is(name, values->name))
			return values->value ? values->value : "";

	return NULL;
}

static const char *html_escape(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

static void add_value(struct buf *out, const char *value, bool as_html)
{
	struct str s = str_of(value);

	if (s.len > TEMPLATE_VALUE_CHARS_MAX)
		s.len = TEMPLATE_VALUE_CHARS_MAX;
	s.len = str_utf8_prefix(s);
	for (size_t i = 0; i < s.len; i++) {
		const char *escape = as_html ? html_escape(s.ptr[i]) : NULL;

		if (escape)
			buf_str(out, escape);
		else
			buf_char(out, (unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f ? ' '
											: s.ptr[i]);
	}
}

/* The bytes before the next "{{" or "}}"; all when there is none. */
static size_t before(struct str s, char brace)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.ptr[i] == brace && s.ptr[i + 1] == brace)
			return i;

	return s.len;
}

static struct str from(struct str s, size_t at)
{
	return (struct str){ s.ptr + at, s.len - at };
}

bool template_write(struct buf *out, struct str text, const struct template_value *values,
		    bool as_html, struct str *ret_wrong)
{
	while (text.len > 0) {
		size_t open = before(text, '{'), close;
		const char *value;

		buf_add(out, text.ptr, open);
		text = from(text, open);
		if (text.len == 0)
			break;

		*ret_wrong = text;
		if (ret_wrong->len > SHOWN_BYTES_MAX)
			ret_wrong->len = SHOWN_BYTES_MAX;
		close = before(text, '}');
		if (close == text.len)
			return false;
		value = find(values, str_trim((struct str){ text.ptr + 2, close - 2 }));
		if (!value)
			return false;
		add_value(out, value, as_html);
		text = from(text, close + 2);
	}

	return true;
}
