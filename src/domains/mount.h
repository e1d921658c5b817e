/*
 * Every domain whose rows are served, one line each in mount.c.
 */
#pragma once

#include "http/route.h"

extern const struct mount *const mounts[]; /* ends with NULL */
