/*
 * One mail to one person: its text as RFC 5322 has it, and its way out: by SMTP (smtp.h), or where
 * no server is configured into a folder, as a file that any mail program opens.
 *
 * Blocking: only jobs send mail.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct buf;
struct ctx;

struct mail {
	struct uuid id;      /* in its Message-ID: another try at the same mail says the same */
	const char *to;      /* one address; anything that is not one is refused */
	const char *subject; /* UTF-8; control characters become blanks */
	const char *text;    /* UTF-8, lines end with \n */
	const char *html;    /* the same, for programs that show it */
	const char *unsubscribe_url; /* https, ours: a POST there ends such mails (RFC 8058); NULL:
					they cannot be ended */
};

/* MAIL_BYTES_MAX is far above what templates can make of values that are bounded. */
#define MAIL_BYTES_MAX MIB(1)

/* SMTP_HOST or MAIL_DIR is set: mails go somewhere. */
bool mail_is_sent(void);

/*
 * ERR_SERVICE_UNAVAILABLE, with the server's words for the log, when it could not be sent;
 * *ret_is_hopeless: nor can it ever be, because the address is wrong or was refused for good.
 */
int mail_send(struct ctx *c, const struct mail *m, bool *ret_is_hopeless) MUST_CHECK;

/* A mailbox that a header and an SMTP command can carry without quoting (RFC 5321 section 4.1.2):
 * visible ASCII, one @, nothing that ends or splits an address. */
bool mail_is_address(const char *s);

/* The whole message, lines ending with CRLF; m->to is an address. from: the same, and its name. */
void mail_write(struct buf *out, const struct mail *m, const char *from, const char *from_name,
		int64_t now_us);
