/*
 * The folder, and as much of MIME as our own mails have.
 */
#include "support/mailbox.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/str.h"
#include "support/database.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <string.h>

/*
 * Taking a mail apart
 */

/* A header's value, its folded lines joined; NULL when it is not there. It may not be there twice.
 */
static const char *header(const char *raw, const char *name)
{
	const char *end = strstr(raw, "\r\n\r\n"), *found = NULL;
	const char *start = strf("\r\n%s: ", name);
	const char *head;

	cr_assert(end, "a mail without the end of its headers");
	head = strf("\r\n%.*s\r\n", (int)(end - raw), raw);
	for (const char *p = strstr(head, start); p; p = strstr(p + 1, start)) {
		const char *stop;

		cr_assert(!found, "%s comes twice", name);
		p += strlen(start);
		stop = strstr(p, "\r\n");
		while (stop && stop[2] == ' ')
			stop = strstr(stop + 2, "\r\n");
		found = strf("%.*s", (int)(stop - p), p);
	}

	return found;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* =XX and soft breaks; CRLF becomes \n. */
static const char *unquote_printable(const char *s)
{
	char *out = arena_alloc(world_arena(), strlen(s) + 1), *to = out;

	for (; *s; s++) {
		if (s[0] == '\r' && s[1] == '\n')
			continue;
		if (s[0] != '=') {
			*to++ = *s;
			continue;
		}
		if (s[1] == '\r') {
			s += 2;
			continue;
		}
		cr_assert(hex_value(s[1]) >= 0 && hex_value(s[2]) >= 0, "=%.2s", s + 1);
		*to++ = (char)(hex_value(s[1]) << 4 | hex_value(s[2]));
		s += 2;
	}
	*to = '\0';

	return out;
}

/* CRLF becomes \n. */
static const char *unfold(const char *s)
{
	char *out = arena_alloc(world_arena(), strlen(s) + 1), *to = out;

	for (; *s; s++)
		if (*s != '\r')
			*to++ = *s;
	*to = '\0';

	return out;
}

/* Encoded words, which our mails have alone in a header or not at all. */
static const char *decode_words(const char *s)
{
	const char *out = "";

	if (!strstr(s, "=?"))
		return s;
	while (*s) {
		const char *end = strstr(s + 10, "?=");

		cr_assert(strncmp(s, "=?UTF-8?Q?", 10) == 0 && end, "no encoded word: %s", s);
		cr_assert_leq(end + 2 - s, 75, "RFC 2047, section 2");
		out = strf("%s%s", out,
			   unquote_printable(strf("%.*s", (int)(end - s - 10), s + 10)));
		s = end + 2;
		s += strspn(s, "\r\n ");
	}

	return out;
}

/* The part of the type, decoded. */
static const char *part(const char *raw, const char *boundary, const char *type)
{
	const char *start = strf("--%s\r\nContent-Type: %s; charset=utf-8\r\n"
				 "Content-Transfer-Encoding: ",
				 boundary, type);
	const char *p = strstr(raw, start), *body, *end;

	cr_assert(p, "no part %s", type);
	p += strlen(start);
	body = strstr(p, "\r\n\r\n") + 4;
	end = strstr(body, strf("\r\n--%s", boundary));
	cr_assert(end);
	body = strf("%.*s", (int)(end - body), body);
	if (strncmp(p, "7bit", 4) == 0)
		for (const char *c = body; *c; c++)
			cr_assert(*c > 0, "7bit with more");
	else
		cr_assert(strncmp(p, "quoted-printable", 16) == 0);

	return strncmp(p, "7bit", 4) == 0 ? unfold(body) : unquote_printable(body);
}

static void check_lines(const char *raw)
{
	struct str rest = str_of(raw), line;

	while ((line = str_cut(&rest, '\n')).ptr && rest.ptr) {
		cr_assert(line.len > 0 && line.ptr[line.len - 1] == '\r', "a line without CR");
		cr_assert_leq(line.len, 999);
		cr_assert(!memchr(line.ptr, '\r', line.len - 1), "a CR inside a line");
	}
}

struct letter letter_parse(const char *raw)
{
	static const char *const needed[] = { "Date", "From", "To", "Message-ID", "MIME-Version" };
	const char *type = header(raw, "Content-Type"), *boundary;

	check_lines(raw);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		cr_assert(header(raw, needed[i]), "a mail without %s", needed[i]);
	cr_assert(type && strncmp(type, "multipart/alternative; boundary=\"", 33) == 0, "%s", type);
	boundary = strf("%.*s", (int)(strlen(type) - 34), type + 33);

	return (struct letter){
		.subject = decode_words(header(raw, "Subject")),
		.text = part(raw, boundary, "text/plain"),
		.html = part(raw, boundary, "text/html"),
		.raw = raw,
	};
}

/*
 * The folder
 */

struct search {
	const char *to, *words;
	struct letter newest;
	size_t len;
};

static const char *read_file(const char *path)
{
	const char *argv[] = { "cat", path, NULL };
	struct str s = world_run(argv, NULL);

	return strf("%.*s", STR_FMT(s));
}

/* File names sort as the jobs' ids do: the newest is the last. */
static void search(struct search *s)
{
	glob_t found = { 0 };
	const char *pattern = strf("%s/mail/%s.*.eml", world()->dir, s->to);

	s->len = 0;
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			struct letter l = letter_parse(read_file(found.gl_pathv[i]));

			if (!strstr(l.subject, s->words))
				continue;
			s->newest = l;
			s->len++;
		}
	}
	globfree(&found);
}

static bool is_there(void *p)
{
	struct search *s = p;

	search(s);

	return s->len > 0;
}

struct letter mail_wait(const char *to, const char *words)
{
	struct search s = { .to = to, .words = words };

	wait_until(is_there, &s, strf("a mail to %s about %s", to, words));

	return s.newest;
}

static bool are_settled(void *ids)
{
	return database_number("SELECT count(*) FROM jobs WHERE id = ANY ($1::uuid[]) "
			       "AND finished_at IS NULL AND errors = '[]'",
			       (const char *)ids, NULL) == 0;
}

/* Those that are there, by their rows: ids of one millisecond are in no order. */
static void settle_once(void)
{
	const char *ids = database_value("SELECT array_agg(id) FROM jobs WHERE queue = 'email' "
					 "AND finished_at IS NULL",
					 NULL);

	if (ids)
		wait_until(are_settled, arena_strdup(world_arena(), ids),
			   "the mails that were asked for are sent");
}

void mail_settle(void)
{
	settle_once();
	settle_once(); /* what those asked for */
}

size_t mail_count(const char *to, const char *words)
{
	struct search s = { .to = to, .words = words };

	mail_settle();
	search(&s);

	return s.len;
}

const char *mail_token(const char *to, const char *words)
{
	struct letter l = mail_wait(to, words);
	const char *at = strstr(l.text, "#token=");

	cr_assert(at, "no link in: %s", l.text);
	at += 7;

	return strf("%.*s", (int)strcspn(at, " \r\n"), at);
}

const char *mail_code(const char *to)
{
	struct letter l = mail_wait(to, "code");
	const char *at = l.text;

	while (*at && strspn(at, "0123456789") != 6)
		at++;
	cr_assert(*at, "no code in: %s", l.text);

	return strf("%.6s", at);
}
