/*
 * What of a webhook is kept sealed: its secret, and the headers that it has sent beside. Both are
 * tied to their row, so that they open nowhere else.
 */
#pragma once

#include "domains/webhooks/webhooks.h"

struct arena;

#define WEBHOOK_HEADERS_MAX 20

/* A new secret: its text, for whoever verifies, and sealed. In c's arena. */
struct str webhook_secret_new(struct ctx *c, struct webhook_id id, const char **ret_text);

/* headers as struct webhook_new has them; ptr NULL: there are none. */
struct str webhook_headers_seal(struct ctx *c, struct webhook_id id, struct list headers);

/* "v1,…", or two with a blank between while an older secret signs too (ptr NULL: none); NULL when
 * one does not open. */
const char *webhook_signature(struct arena *a, struct webhook_id id, struct str sealed,
			      struct str old_sealed, struct str message_id, int64_t at_s,
			      struct str body);

/* "Name: value" each, at most WEBHOOK_HEADERS_MAX; false when they do not open. */
bool webhook_headers_unseal(struct arena *a, struct webhook_id id, struct str sealed,
			    const char **ret, size_t *ret_len) MUST_CHECK;
