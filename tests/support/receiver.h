/*
 * Whoever gets webhooks, for tests: an HTTP server on 127.0.0.1 in a process of its own, which
 * keeps what it is sent. It ends with the test.
 *
 * It answers by path:
 *   /told…      with the status of receiver_says(), 200 at first
 *   /gone       410
 *   /later      503, Retry-After: 3600
 *   /redirect   302 to /told
 *   /hang       never
 *   /reset      closes without a word
 *   /torn       half of an answer
 *   /endless    200 with a body that does not end
 *   /bytes      200 with a body that is no text
 *   /strange    what is no HTTP
 *   /header     200 with a header that does not end
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

void receiver_start(void);
const char *receiver_url(const char *path);
void receiver_says(int status);

/* Requests that have come in whole. */
size_t receiver_count(void);

/* Waits until there are so many. */
void receiver_await(size_t n);

/* The i-th: its head with the blank line, its body, a header's value ("" when it is not there). */
struct str receiver_head(size_t i);
struct str receiver_body(size_t i);
const char *receiver_header(size_t i, const char *name);
