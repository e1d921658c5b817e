/*
 * The mails that the servers have written to MAIL_DIR. Each test has addresses of its own, so what
 * it finds there is its own.
 */
#pragma once

#include "base/base.h"

struct letter {
	const char *subject; /* decoded */
	const char *text;    /* of the plain part, decoded */
	const char *html;    /* of the other */
	const char *raw;     /* the file */
};

/* Waits for a mail to the address whose subject has these words; the newest of several. */
struct letter mail_wait(const char *to, const char *words);

/* How many mails of that kind there are by now, when the queue has done all that was asked of it.
 */
size_t mail_count(const char *to, const char *words);

/* Waits until the queue has done all that was asked of it before. */
void mail_settle(void);

/* What stands behind "#token=", of a mail that is waited for. */
const char *mail_token(const char *to, const char *words);

/* The first six digits in its text. */
const char *mail_code(const char *to);

/* A mail's bytes, taken apart; fails the test when it is not as RFC 5322 and RFC 2045 have it. */
struct letter letter_parse(const char *raw);
