/* Rows for the tests of the stages: one of each kind, answered from nothing. */
#pragma once

#include "http/route.h"

extern const struct mount *const sample_mounts[];
