/*
 * Founding a tenant: the tenant, its built-in roles, its first owner, and the events that say so,
 * as statements of a batch. Sign-up does it, and whoever lets an account have another tenant.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct batch;
struct ctx;

struct founding {
	struct tenant_id tenant; /* new */
	struct user_id owner;    /* new: the account's seat */
	struct account_id
		account;  /* by an earlier statement of the batch; nil: the one that acts */
	const char *name; /* 1…200 characters; the slug comes of it */
};

/*
 * For a batch of BATCH_IDENTITY in which the account acts with this tenant and owner
 * (grant_act_as(), identity_act_in). A slug that is taken is varied.
 */
void founding_add(struct batch *b, struct ctx *c, const struct founding *f);

/* The built-in roles alone, of a tenant that is new. */
void founding_add_roles(struct batch *b, struct tenant_id t);
