/*
 * Events as they come, and what is told of them: for tests of notifications. `zygo work`, which
 * scripts/test has started, does the telling.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

/* An event of the tenant, as a row. subject NULL: none; actor, a user: the platform itself. */
void notified_of(struct tenant_id t, const char *event, const char *subject, const char *actor,
		 const char *data);

/* Takes them away again, at the end of a test: nothing of the program wrote them. */
void notified_forget(void);

/* Waits until whoever is to be told of the tenant's events so far is. */
void notified_settle(struct tenant_id t);

/* The same, and who was told then, as what: "admin:user.left owner:user.left", by first names. */
const char *notified_told(struct tenant_id t);

/* Has the tenant's events be read again. */
void notified_rewind(struct tenant_id t);

/* Adds a job of the platform's own, and waits until it is done, and all of its kind that ran beside
 * it, such as another test's. */
void notified_run(const char *queue, const char *kind);
