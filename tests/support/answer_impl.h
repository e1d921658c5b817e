/*
 * What the files of answer share: where answers live, and what a request says. support/load.c says
 * the same.
 */
#pragma once

#include "base/arena.h"
#include "support/answer.h"

struct curl_slist;

struct arena *answers_arena(void);

/* What a request says in its headers; freed with curl_slist_free_all(). */
struct curl_slist *answer_headers(const struct ask *a);
