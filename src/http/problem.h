/* A failure as the contract's error body, and the headers that belong to it. */
#pragma once

#include "base/base.h"

struct ctx;
struct jsonwrite;
struct request;

/* Makes the reply from ctx's fault, in place of any other. Never fails. */
void problem_reply(struct request *r);

/* The members that every error has, of an open object: for a reply that says more. */
void problem_write(struct jsonwrite *w, const struct ctx *c, int err, const char *message);
