/*
 * A named statement, as scripts/sqlgen.awk makes it from sql/queries/<domain>.sql.
 */
#pragma once

#include "base/base.h"

enum sql_kind {
	SQL_ONE,  /* one row; none is ERR_RESOURCE_NOT_FOUND, said with its noun */
	SQL_OPT,  /* none or one */
	SQL_MANY, /* any number */
	SQL_EXEC, /* no rows looked at */
};

struct sql {
	const char *name; /* "projects_create": also the name it is prepared under */
	const char *text;
	enum sql_kind kind;
	unsigned params;   /* highest $n */
	const char *reply; /* the shape that a reply is written in from it; NULL: none */
	const char *noun;  /* "Project": for "Project not found"; NULL: "Resource" */
	const char *role;  /* "identity", "system": only in such batches; NULL: the tenant's own */
};

/*
 * One order of a list: the first page and what follows a cursor, ascending and descending. The
 * generator makes them from one SELECT (see docs/adding-a-resource.md): parameters 1…n are the
 * filters, then `offset_*` take LIMIT and OFFSET, `after_*` take the cursor's value, its id and
 * LIMIT.
 */
struct sql_sort {
	const char *name; /* as in ?sort=: "createdAt" */
	const struct sql *offset_asc, *offset_desc;
	const struct sql *after_asc, *after_desc;
};

/* A statement of kind :page. */
struct sql_page {
	const char *name;
	const struct sql *count;
	const struct sql_sort *sorts; /* the first is the default; ends with a NULL name */
	bool descending;              /* the default's direction */
	bool counts_itself; /* pages by number have page_total; count is for those past the end */
	unsigned filters;   /* number of parameters before the paging ones */
	const char *reply;
	const struct sql_page
		*unfiltered; /* the same rows when every filter is NULL, at less cost; NULL: none */
};

/* Every statement of every domain, for the test that prepares them; ends with NULL. */
extern const struct sql *const sql_all[];
extern const unsigned sql_all_len;
