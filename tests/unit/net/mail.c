/*
 * The text of mails: RFC 5322's form, whatever people are called, and no header that was not meant.
 */
#include "net/mail.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(mail, .init = begin, .fini = end);

static const char *written(const struct mail *m, const char *from_name)
{
	struct buf out;

	buf_init(&out, arena, MAIL_BYTES_MAX);
	mail_write(&out, m, "noreply@example.com", from_name, INT64_C(1769860800000000));
	cr_assert(!out.overflow);
	return out.data;
}

static const char *subject_of(const char *subject)
{
	const struct mail m = {
		.to = "ann@example.com", .subject = subject, .text = "x", .html = "y"
	};
	const char *raw = written(&m, "Zygo"), *at = strstr(raw, "Subject: ");

	return arena_strndup(arena, at, (size_t)(strstr(at, "\r\nMessage-ID") - at));
}

Test(mail, has_the_headers_of_rfc_5322)
{
	const struct mail m = { .to = "ann@example.com",
				.subject = "Verify your email",
				.text = "Hello\n",
				.html = "<p>Hello</p>\n" };
	const char *raw = written(&m, "Zygo");

	cr_assert(strstr(raw, "Date: Sat, 31 Jan 2026 12:00:00 +0000\r\n"), "%s", raw);
	cr_assert(strstr(raw, "From: Zygo <noreply@example.com>\r\n"));
	cr_assert(strstr(raw, "To: <ann@example.com>\r\n"));
	cr_assert(strstr(raw, "Subject: Verify your email\r\n"));
	cr_assert(
		strstr(raw, "Message-ID: <00000000-0000-0000-0000-000000000000@example.com>\r\n"));
	cr_assert(strstr(raw, "Content-Type: multipart/alternative; boundary="));
	cr_assert(strstr(raw, "Content-Transfer-Encoding: 7bit\r\n\r\nHello\r\n"));
}

Test(mail, of_people_with_any_name_is_encoded)
{
	cr_assert_str_eq(subject_of("Grüße"), "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=");
	cr_assert_str_eq(subject_of("Ann, Bob & Co"),
			 "Subject: =?UTF-8?Q?Ann=2C=20Bob=20=26=20Co?=");
}

Test(mail, of_long_subjects_is_folded_between_characters)
{
	const char *s = subject_of("ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ");
	struct str rest = str_of(s), line;

	while ((line = str_cut(&rest, '\n')).ptr) {
		cr_assert_leq(line.len, 88);
		cr_assert_eq(line.len > 20
				     ? memcmp(line.ptr + line.len - 2 - (rest.ptr ? 1 : 0), "?=", 2)
				     : 0,
			     0);
	}
}

Test(mail, has_no_header_that_somebody_put_into_a_value)
{
	static const char *const wicked[] = { "a\r\nBcc: eve@example.com",
					      "a\nBcc: eve@example.com", "a\rBcc: eve@example.com",
					      "a\r\n\r\n<h1>Hi</h1>" };

	for (size_t i = 0; i < ARRAY_LEN(wicked); i++) {
		const struct mail m = {
			.to = "ann@example.com", .subject = wicked[i], .text = "x", .html = "y"
		};
		const char *raw = written(&m, wicked[i]);

		cr_expect(!strstr(raw, "\nBcc:") && !strstr(raw, "\rBcc:"), "%s", raw);
		cr_expect(!strstr(raw, "<h1>"), "%s", raw);
	}
}

Test(mail, goes_to_addresses_alone)
{
	static const struct {
		const char *text;
		bool is_one;
	} cases[] = {
		{ "ann@example.com", true },
		{ "ann+tag@sub.example.com", true },
		{ "o'brien@example.com", true },
		{ "ann", false },
		{ "@example.com", false },
		{ "ann@", false },
		{ "a@b@example.com", false },
		{ "ann@example.com\r\nRCPT TO:<eve@example.com>", false },
		{ "ann@example.com>", false },
		{ "ann@example.com,eve@example.com", false },
		{ "ann @example.com", false },
		{ "\xc3\xa4nn@example.com", false },
		{ "\"ann\"@example.com", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(mail_is_address(cases[i].text), cases[i].is_one, "%s", cases[i].text);
}

Test(mail, of_long_lines_and_other_alphabets_is_quoted)
{
	char *line = arena_alloc(arena, 2001);
	const struct mail m = {
		.to = "ann@example.com", .subject = "x", .text = line, .html = "<p>Grüße = 1</p> \n"
	};
	const char *raw;

	memset(line, 'a', 2000);
	raw = written(&m, "Zygo");
	cr_assert(!strstr(raw, "7bit"));
	cr_assert(strstr(raw, "<p>Gr=C3=BC=C3=9Fe =3D 1</p>=20\r\n"), "%s", raw);
	for (const char *p = raw, *next; (next = strstr(p, "\r\n")); p = next + 2)
		cr_assert_leq(next - p, 100);
}

/* RFC 8058 section 3.1 */
Test(mail, says_how_to_end_it_where_it_can_be_ended)
{
	struct mail m = { .to = "ann@example.com",
			  .subject = "News",
			  .text = "x",
			  .html = "y",
			  .unsubscribe_url = "https://api.example.com/api/unsubscribe/AbC-_9" };

	cr_assert(
		strstr(written(&m, "Zygo"),
		       "\r\nList-Unsubscribe: <https://api.example.com/api/unsubscribe/AbC-_9>\r\n"
		       "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
	m.unsubscribe_url = NULL;
	cr_assert_null(strstr(written(&m, "Zygo"), "Unsubscribe"));
}
