/*
 * Work without a caller: a job, an admin's command. Its transactions begin with the tenant alone;
 * nobody is proven, because the platform itself acts.
 */
#pragma once

#include "base/id.h"

struct ctx;

/* From now on c's transactions are t's. Not in the middle of one. */
void act_for_tenant(struct ctx *c, struct tenant_id t);
