/*
 * Requests to the stages without FastCGI: what is asked is a table of parameters, what is answered
 * is kept as text.
 */
#pragma once

#include "base/base.h"
#include "base/ctx.h"
#include "http/route.h"

struct answer {
	int status;
	const char *head; /* lines that end with CR LF */
	const char *body;
	bool is_cut; /* the transfer broke off */
};

/* Settings, an arena, the mounts; to be called at the start of each test. */
void exchange_begin(const struct mount *const *mounts);
void exchange_end(void);

/* For the next request only. */
void with_header(const char *param, const char *value); /* "HTTP_ORIGIN" */
void with_body(const char *json); /* and its Content-Type and Content-Length */

struct answer ask(const char *method, const char *uri);

/* "" when the reply has no such header. */
const char *answer_header(struct answer a, const char *name);
bool answer_says(struct answer a, const char *part); /* of the body */

/* The ctx of the request that was asked last. */
struct ctx *exchange_ctx(void);
