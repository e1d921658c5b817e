/*
 * The text of a mail: headers, and two alternatives of one content (RFC 2046 section 5.1.4).
 * Nothing that comes from outside can add a header or a part: addresses are checked, all else is
 * encoded.
 */
#include "net/mail.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define ADDRESS_BYTES_MAX 254 /* RFC 5321 section 4.5.3.1.3, without the brackets */
#define LINE_BYTES_MAX    998 /* RFC 5322 section 2.1.1 */
#define HEADER_BYTES_MAX  500 /* of a header's own text */
#define WORD_BYTES_MAX                                                                             \
	63 /* of an encoded word of 75 (RFC 2047 section 2), without "=?UTF-8?Q?" and "?=" */
#define QUOTED_BYTES_MAX                                                                           \
	75 /* of a quoted-printable line, without its soft break (RFC 2045 section 6.7) */

static bool is_visible(char c)
{
	return c > ' ' && c <= '~';
}

bool mail_is_address(const char *s)
{
	size_t len = strlen(s), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (!is_visible(s[i]) || strchr("<>()[]\\,;:\"", s[i]))
			return false;
		at += s[i] == '@';
	}

	return at == 1 && len <= ADDRESS_BYTES_MAX && s[0] != '@' && s[len - 1] != '@';
}

/*
 * Headers
 */

static void add_hex(struct buf *out, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char byte = (unsigned char)c;

	buf_char(out, '=');
	buf_char(out, digits[byte >> 4]);
	buf_char(out, digits[byte & 15]);
}

/* What an encoded word may hold as it is, in any header (RFC 2047 section 5). */
static bool is_plain_in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Bytes of the UTF-8 character that begins with c. */
static size_t char_len(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/* How far one encoded word reaches: whole characters that fit. */
static size_t word_len(struct str s)
{
	size_t bytes = 0, i = 0;

	while (i < s.len) {
		size_t n = char_len(s.ptr[i]);
		size_t encoded = n == 1 && is_plain_in_word(s.ptr[i]) ? 1 : 3 * n;

		if (bytes + encoded > WORD_BYTES_MAX)
			break;
		bytes += encoded;
		i += n;
	}

	return i < s.len ? i : s.len;
}

static void add_encoded_words(struct buf *out, struct str s)
{
	while (s.len > 0) {
		size_t n = word_len(s);

		buf_str(out, "=?UTF-8?Q?");
		for (size_t i = 0; i < n; i++) {
			if (is_plain_in_word(s.ptr[i]))
				buf_char(out, s.ptr[i]);
			else
				add_hex(out, s.ptr[i]);
		}
		buf_str(out, "?=");
		s = (struct str){ s.ptr + n, s.len - n };
		if (s.len > 0)
			buf_str(out, "\r\n ");
	}
}

/* Words, digits and blanks need no encoding, whatever header they stand in. */
static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_plain_in_word(s.ptr[i]) && !strchr(" .,'!?-/", s.ptr[i]))
			return false;

	return true;
}

/* Text of people's: as it is where that is harmless, else encoded. A name in front of an address
 * must not have a comma, so it is encoded then too. */
static void add_text(struct buf *out, const char *text, bool is_name)
{
	struct str s = str_of(text);

	if (s.len > HEADER_BYTES_MAX)
		s.len = HEADER_BYTES_MAX;
	s.len = str_utf8_prefix(s);
	if (is_plain(s) && !(is_name && strpbrk(text, ",.'!?/")) && s.len <= QUOTED_BYTES_MAX - 9)
		buf_add(out, s.ptr, s.len);
	else
		add_encoded_words(out, s);
}

/* Nothing that ends the brackets which it stands in, or its line. */
static bool is_url(const char *s)
{
	for (; *s; s++)
		if (!is_visible(*s) || *s == '<' || *s == '>')
			return false;

	return true;
}

/* "Fri, 31 Jan 2026 12:00:00 +0000": HTTP's form with the zone that RFC 5322 wants. */
static void add_date(struct buf *out, int64_t now_us)
{
	char date[HTTP_DATE_SIZE];

	clock_http_date(now_us, date);
	buf_printf(out, "Date: %.26s+0000\r\n", date);
}

static void add_headers(struct buf *out, const struct mail *m, const char *from,
			const char *from_name, int64_t now_us)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(m->id, id);
	add_date(out, now_us);
	buf_str(out, "From: ");
	add_text(out, from_name, true);
	buf_printf(out, " <%s>\r\n", from);
	buf_printf(out, "To: <%s>\r\n", m->to);
	buf_str(out, "Subject: ");
	add_text(out, m->subject, false);
	buf_printf(out, "\r\nMessage-ID: <%s@%s>\r\n", id, strchr(from, '@') + 1);
	buf_str(out, "Auto-Submitted: auto-generated\r\n"); /* RFC 3834: nobody's holiday answers */
	buf_str(out, "MIME-Version: 1.0\r\n");
	if (m->unsubscribe_url) {
		buf_printf(out, "List-Unsubscribe: <%s>\r\n", m->unsubscribe_url);
		buf_str(out, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
	}
}

/*
 * Parts
 */

/* Lines that any server passes on as they are. */
static bool is_seven_bit(struct str s)
{
	size_t line = 0;

	for (size_t i = 0; i < s.len; i++) {
		line = s.ptr[i] == '\n' ? 0 : line + 1;
		if (line > LINE_BYTES_MAX || (!is_visible(s.ptr[i]) && !strchr(" \t\n", s.ptr[i])))
			return false;
	}

	return true;
}

static void add_seven_bit(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n')
			buf_char(out, '\r');
		buf_char(out, s.ptr[i]);
	}
}

/* A blank at a line's end would be lost on the way. */
static bool is_quoted_as_is(struct str s, size_t i)
{
	bool ends_line = i + 1 == s.len || s.ptr[i + 1] == '\n';

	return (is_visible(s.ptr[i]) && s.ptr[i] != '=') || (s.ptr[i] == ' ' && !ends_line);
}

static void add_quoted_printable(struct buf *out, struct str s)
{
	size_t line = 0;

	for (size_t i = 0; i < s.len; i++) {
		bool as_is = is_quoted_as_is(s, i);

		if (s.ptr[i] == '\n') {
			buf_str(out, "\r\n");
			line = 0;
			continue;
		}
		if (line + (as_is ? 1 : 3) > QUOTED_BYTES_MAX) {
			buf_str(out, "=\r\n");
			line = 0;
		}
		if (as_is)
			buf_char(out, s.ptr[i]);
		else
			add_hex(out, s.ptr[i]);
		line += as_is ? 1 : 3;
	}
}

static void add_part(struct buf *out, const char *boundary, const char *type, const char *content)
{
	struct str s = str_of(content);
	bool is_short = is_seven_bit(s);

	buf_printf(out, "--%s\r\nContent-Type: %s; charset=utf-8\r\n", boundary, type);
	buf_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n",
		   is_short ? "7bit" : "quoted-printable");
	if (is_short)
		add_seven_bit(out, s);
	else
		add_quoted_printable(out, s);
	buf_str(out, "\r\n");
}

void mail_write(struct buf *out, const struct mail *m, const char *from, const char *from_name,
		int64_t now_us)
{
	char boundary[UUID_TEXT_SIZE]; /* random, so that no content can have it */

	BUG_IF(!mail_is_address(m->to) || !mail_is_address(from));
	BUG_IF(m->unsubscribe_url && !is_url(m->unsubscribe_url));
	uuid_format(uuid_v7(), boundary);

	add_headers(out, m, from, from_name, now_us);
	buf_printf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
	add_part(out, boundary, "text/plain", m->text);
	add_part(out, boundary, "text/html", m->html);
	buf_printf(out, "--%s--\r\n", boundary);
}
