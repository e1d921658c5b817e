/* What a row gives to kinds of callers: see access_rows.h. */
#include "closure/access_rows.h"

#include "support/probe.h"

bool row_is_public(const struct mounted *row)
{
	return row->route->perm == PERM_PUBLIC;
}

bool row_is_unsafe(const struct mounted *row)
{
	return !method_is_safe(row->route->method);
}

int row_unknown(const struct mounted *row)
{
	return row_is_public(row) ? ALLOWED : ERR_AUTH_UNAUTHORIZED;
}

int row_not_believed(const struct mounted *row)
{
	return row_is_public(row) ? ALLOWED : ERR_AUTH_TOKEN_EXPIRED;
}

int row_holds(const struct mounted *row, enum builtin_role role)
{
	if (row->route->perm == PERM_GLOBAL_ADMIN)
		return ERR_AUTH_FORBIDDEN;
	if (row->route->perm < PERM_GLOBAL_ADMIN || permissions[row->route->perm].holders & role)
		return ALLOWED;
	return ERR_AUTH_FORBIDDEN;
}

int row_turned_away(const struct mounted *row, int err)
{
	if (row->route->perm == PERM_GLOBAL_ADMIN)
		return ERR_AUTH_FORBIDDEN;
	return probe_needs_tenant(row) ? err : ALLOWED;
}
