/*
 * Bytes on the wire, for what no client of ours would send: over TLS, HTTP/1.1, exactly as given.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"
#include "support/answer.h"

/*
 * Sends the bytes on a connection of their own and reads until the server closes it or the answer
 * is complete by its Content-Length. The answer is held against the contract as every other (it
 * must be an error).
 */
struct answer wire_answer(struct str bytes);

/* The same, when there may be none: false when the server closed without a word. */
bool wire_try(struct str bytes, struct answer *ret);

/* A connection that is held open, for slow and vanishing clients. */
struct wire;
struct wire *wire_open(void);
struct wire *wire_open_to(const char *url); /* another site's (support/site.h) */
void wire_send(struct wire *w, struct str bytes);
struct str wire_read(struct wire *w);    /* what comes within a minute; empty: closed, or nothing */
bool wire_is_over(const struct wire *w); /* the last read came to the end of it */
void wire_close(struct wire *w);         /* without a farewell */
