/*
 * The texts of mails: one table (mails.c) of subject, plain text and HTML, each of which an admin
 * may replace by a file of MAIL_TEMPLATES: <name>.subject, <name>.txt, <name>.html.
 */
#pragma once

#include "base/base.h"

struct ctx;
struct mail;
struct template_value;

struct mail_template {
	const char *name; /* "passwordReset"; never changed: files are named after it */
	const char *subject, *text, *html;
};

extern const struct mail_template mail_templates[]; /* ends with a NULL name */

/*
 * Fills in the mail's subject, text and html, in c's arena. values ends with a NULL name.
 * ERR_INTERNAL_ERROR, saying the file and what is wrong with it, for a template that names what has
 * no value: then no mail is sent, rather than one that is not whole.
 */
int mails_render(struct ctx *c, const char *name, const struct template_value *values,
		 struct mail *ret) MUST_CHECK;

/* What {{items}} stands for in a mail that lists something: this template, filled in for each. */
struct mail_items {
	const char *name;
	const struct template_value *const *values;
	size_t len;
};
int mails_render_list(struct ctx *c, const char *name, const struct template_value *values,
		      const struct mail_items *items, struct mail *ret) MUST_CHECK;
