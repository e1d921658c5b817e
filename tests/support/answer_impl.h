/*
 * What the files of answer share: where answers live.
 */
#pragma once

#include "base/arena.h"
#include "support/answer.h"

struct arena *answers_arena(void);
