/*
 * Webhooks in tests: one of somebody's, at a path of the receiver's (receiver.h), and what becomes
 * of its deliveries.
 */
#pragma once

#include "support/answer.h"
#include "support/caller.h"

/* Members for webhook_make(): told of projects alone. */
#define PROJECTS ",\"eventTypes\":[\"project.*\"]"

/* Its id. more: members of its body, each with a comma before. */
const char *webhook_make(const struct caller *c, const char *path, const char *more);

/* Something that webhooks are told of: a new project. */
struct answer webhook_happen(const struct caller *c);

/* Waits until the webhook has n deliveries in a state. */
void webhook_await(const char *webhook, const char *state, int64_t n);

/* The same, and whatever is delayed meanwhile is due at once. */
void webhook_await_trying(const char *webhook, const char *state, int64_t n);

/* Waits until the job that POST /webhooks/:id/replay has started is over: how many deliveries it
 * says that it sent again. */
int64_t webhook_replayed(const struct caller *c, struct answer started);

/* What waits for its next attempt is due now. */
void webhook_make_due(const char *webhook);

/* Its only delivery, with its attempts. */
struct answer webhook_delivery(const struct caller *c, const char *webhook);
