/*
 * One message to one person by SMTP (RFC 5321), by libcurl: TLS from the start or by STARTTLS, as
 * SMTP_SECURITY says, with the server's certificate verified.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

/*
 * Blocking, for SMTP_TIMEOUT at most. `from` and `to` are addresses (mail_is_address()), message is
 * whole and has CRLF at its lines' ends. Errors as mail_send() has them.
 */
int smtp_send(struct ctx *c, const char *from, const char *to, struct str message,
	      bool *ret_is_hopeless) MUST_CHECK;
