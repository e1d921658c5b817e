/*
 * Events: facts that happened, written in the transaction that made them true. The spine of audit,
 * webhooks, realtime and notifications.
 *
 * Two tables (types.c) list every type: those of a tenant, and those of an account, which belong to
 * no tenant. A type that is in neither is a BUG(). Who did it is known by the transaction itself,
 * where enter() left it; from where and by which request comes from the ctx.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct batch;
struct ctx;

/* Adds the event to a batch. data: compact JSON that lives until the batch has run, or NULL for {}.
 */
void batch_event(struct batch *b, struct ctx *c, const char *type, struct uuid subject,
		 const char *data);

/* Of the acting seat, and of the tenant itself: the transaction knows them, and c not yet where a
 * cookie asks. */
void batch_event_of_seat(struct batch *b, struct ctx *c, const char *type);
void batch_event_of_tenant(struct batch *b, struct ctx *c, const char *type);

/* For batch_account_event(): whoever has entered, or was named by identity_act_as. */
#define ACTING_ACCOUNT ((struct account_id){ 0 })

/*
 * Adds an event of an account to a batch of BATCH_IDENTITY. When there is no such account, and
 * nobody acts, nothing is written. user_agent may be NULL.
 */
void batch_account_event(struct batch *b, struct ctx *c, const char *type,
			 struct account_id account, const char *user_agent);

/*
 * Adds an event of the acting account, one of the platform's people, to a batch of BATCH_SYSTEM:
 * for deeds that no tenant's event tells of. Its data is { what: name }. Nothing is written when
 * nobody has entered, as for commands at the host.
 */
void batch_platform_event(struct batch *b, struct ctx *c, const char *type, const char *what,
			  const char *name);
