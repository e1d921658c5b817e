/* Work on many deliveries at once, as jobs of the queue "webhooks". */
#pragma once

#include "domains/webhooks/webhooks.h"
#include "jobs/job.h"

struct batch;

/* Adds to b, of the endpoint's tenant: cancels what waits for an endpoint that is disabled or
 * deleted. */
void webhooks_add_stop(struct batch *b, struct ctx *c, struct webhook_id id);

/* Adds to b: replays. */
void webhooks_add_replay(struct batch *b, struct ctx *c, struct job_id job, struct webhook_id id,
			 const struct webhook_replay *in);

/* Adds to a batch that sees all tenants: disables the endpoint for a reason of
 * webhook_endpoints.disabled_reason, with the event webhook.disabled, of which owners are told. */
void webhooks_add_disable(struct batch *b, struct ctx *c, struct tenant_id tenant,
			  struct webhook_id id, const char *reason);
