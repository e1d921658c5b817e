/* The input of a request against its row's shapes: parameters of the path, query, paging, body. */
#pragma once

#include "base/base.h"

struct request;

/* Fills r->query, r->paging and r->body; every issue of all of them is in the fault when it fails.
 */
int validate(struct request *r) MUST_CHECK;
