/*
 * Archives of a test's own, made and restored in its process: a tenant goes and comes back without
 * a job. Settings are changed for that process alone.
 */
#pragma once

#include "base/id.h"

struct ctx;

/* A unit of work of the platform's own; ARCHIVE_URL becomes a folder of the test's. */
struct ctx *vault_open(void);

/* Archived under that name, and gone; the archive's path. What changes meanwhile (a reader of
 * events) is archived again. */
const char *vault_put_away(struct ctx *c, struct tenant_id t, const char *name);

void vault_restore(struct ctx *c, const char *path);
