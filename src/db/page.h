/*
 * One page of a list, by number or by cursor.
 *
 * By number: rows and their count in one batch. By cursor: no count, the rows after the cursor's
 * (value, id) in the sort's order, equally fast at any depth. A cursor is base64url of what it
 * needs to continue; it grants nothing, since row-level security holds for it as for everything.
 */
#pragma once

#include "base/base.h"
#include "db/batch.h"

/* What the query asked; the http layer fills it from ?page=&limit=&cursor=&sort=. */
struct paging {
	int64_t page;       /* from 1 */
	int64_t limit;      /* 1…100 */
	const char *cursor; /* NULL: by number */
	const char *sort;   /* "createdAt", "-createdAt"; NULL: the list's default */
};

struct page {
	const struct rows *rows; /* limit + 1 when there is more: reply at most limit */
	size_t len;              /* how many of them belong to the page */
	int64_t total;           /* -1 by cursor */
	int64_t page, limit;
	const char *next_cursor; /* NULL: this is the last */
};

/*
 * ERR_VALIDATION_ERROR (path "cursor" or "sort") when the cursor is not one of this list's or the
 * sort is unknown. filters are the statement's own parameters, in order.
 */
int page_run(struct ctx *c, const struct sql_page *s, struct args filters, const struct paging *p,
	     const struct page **ret) MUST_CHECK;
