/*
 * Templates with any text and any value, and the mail that is made of them: whatever comes in,
 * there are as many headers as were meant, and what stands in HTML cannot end the text that it
 * stands in.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "identity/template.h"
#include "net/mail.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_head(const char *raw)
{
	const char *end = strstr(raw, "\r\n\r\n");
	unsigned headers = 0;

	BUG_IF(!end);
	for (const char *p = raw; p < end; p = strstr(p, "\r\n") + 2)
		headers += *p != ' ';
	BUG_IF(headers != 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct str text = { (const char *)data, size }, wrong;
	struct template_value values[] = { { "x", NULL }, { NULL, NULL } };
	struct mail m = { .to = "ann@example.com" };
	struct buf out, raw;
	size_t i;

	if (!a)
		a = arena_new();
	text.len = str_utf8_prefix(text);
	values[0].value = str_dup(a, text);

	buf_init(&out, a, MIB(4));
	if (template_write(&out, text, values, true, &wrong))
		BUG_IF(size && !out.data && text.len && !str_starts(text, "{{"));
	buf_reset(&out);
	BUG_IF(!template_write(&out, STR("<p title=\"{{x}}\">"), values, true, &wrong));
	for (i = 10; i + 2 < out.len; i++)
		BUG_IF(strchr("<>\"'\r\n", out.data[i]));

	m.subject = m.text = m.html = str_dup(a, text);
	buf_init(&raw, a, MIB(4));
	mail_write(&raw, &m, "zygo@example.com", m.subject, 0);
	if (!raw.overflow)
		check_head(raw.data);
	arena_reset(a);

	return 0;
}
