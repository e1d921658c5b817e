/*
 * Letters: who is told what by mail. A letter is added to the batch that needs it, as a job; the
 * worker then finds out to whom it goes, makes the token that it carries, and sends it.
 *
 *	letters_add(b, c, &(struct letter_new){ .letter = "passwordReset", .email = in->email });
 *
 * So the request does the same work in the same time whether or not the email has an account, and
 *no token is ever in the queue, in clear or sealed: it does not exist before its mail does.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct batch;
struct ctx;
struct job_kind;
struct token_hash;

struct letter_new {
	const char *letter;  /* "passwordReset": a row of letters.c */
	struct uuid subject; /* the account's or the invitation's id, where the row goes by id */
	const char
		*email; /* else the address, as it was typed; beside an id, one that it is about */
	const char
		*tenant;   /* slug or id of the tenant whose realm it is in; NULL: the platform's */
	struct uuid realm; /* that realm; nil: the platform's */
	const char *device; /* what the letter says beside; NULL: nothing */
	const char *ip;
	const char *provider; /* likewise, for people: "Google" */
};

extern const struct job_kind letter_job; /* for the book of jobs */

/* Adds nothing where no mail is sent at all (mail_is_sent()). Strings live until the batch has run.
 */
void letters_add(struct batch *b, struct ctx *c, const struct letter_new *in);

/* The hash of a code in a mail: short, so it is an account's. */
void letter_code_hash(struct account_id account, const char *code, struct token_hash *ret);
