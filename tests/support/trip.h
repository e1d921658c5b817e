/*
 * Logging in through the provider of the tests (provider.mjs), which answers as its codes say: the
 * test is the browser in between.
 *
 *	struct trip t = trip_begin("oidc");
 *	trip_end(&t, trip_query(&t, trip_code(&t, claims_of("ann", email), "")));
 */
#pragma once

#include "support/answer.h"
#include "support/caller.h"

/* What a browser has when it has been sent to the provider. */
struct trip {
	const char *provider;
	const char *cookie; /* "__Host-zygo_oauth=…" */
	const char *state, *nonce, *challenge;
};

/* Nobody, on the tier of identity. */
struct caller trip_browser(void);

struct trip trip_begin(const char *provider);
struct trip trip_begin_at(const struct caller *c, const char *provider);
struct trip trip_begin_link(const struct caller *c, const char *provider);

/* Of what a start has answered: its URL and its cookie, which is looked at. */
struct trip trip_of(const char *provider, const char *url, const struct answer *a);

/* The callback with this query; accept: whether it is a page or JSON. */
struct answer trip_end_as(const struct caller *c, const struct trip *t, const char *query,
			  const char *accept);
struct answer trip_end(const struct trip *t, const char *query);

/* state, code and iss; the code as it travels. */
const char *trip_query(const struct trip *t, const char *code);
const char *code_text(const char *json);

/* A code for an ID token with these claims (JSON members), beside the usual ones and the nonce.
 * more: members of the code itself, each with a comma before it. */
const char *trip_code(const struct trip *t, const char *claims, const char *more);

/* Of one whose email is verified. */
const char *claims_of(const char *subject, const char *email);

/* All of it, for one whose email is verified. */
struct answer provider_log_in(const char *subject, const char *email);

/* A parameter of a URL, decoded; NULL when it has none. */
const char *url_parameter(const char *url, const char *name);

const char *oidc_issuer(void);
const char *new_email(void);
int64_t accounts_of(const char *email);
int64_t identities_of(struct account_id a);
