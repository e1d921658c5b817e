/* ?page=&limit=&cursor=&sort= of lists, into what db/page.h wants. */
#pragma once

#include "base/base.h"

struct request;
struct shape;

/* The parameters as a query shape: read here, printed in the document. */
extern const struct shape paging_shape;

/* Fills r->paging on a row with .sorts, or adds issues to the fault. */
void paging_read(struct request *r);
