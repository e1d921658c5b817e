/*
 * Templates of mails: text in which {{name}} stands for a value. There is nothing else to it, no
 * loops and no conditions; what an admin writes cannot run.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct buf;

struct template_value {
	const char *name; /* "link"; NULL ends a list */
	const char *value;
};

#define TEMPLATE_VALUE_CHARS_MAX 400 /* of a value that is written; the rest is cut off */

/*
 * Writes the template with its values. as_html: each is escaped for HTML, in text and in quoted
 * attributes; control characters become blanks in any case. False when it names something that has
 * no value, or has a {{ that does not end: *ret_wrong is where.
 */
bool template_write(struct buf *out, struct str text, const struct template_value *values,
		    bool as_html, struct str *ret_wrong) MUST_CHECK;
