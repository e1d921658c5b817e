/*
 * The tables as pages that are committed under docs/ (`zygo print …`); scripts/check prints them
 * again and compares.
 */
#pragma once

#include "base/base.h"

struct buf;

void print_routes(struct buf *out);      /* docs/routes.md */
void print_errors(struct buf *out);      /* docs/errors.md */
void print_permissions(struct buf *out); /* docs/permissions.md */
void print_access(
	struct buf *out); /* docs/access.md: every route, tier, credential and built-in role */
void print_nginx(
	struct buf *out); /* nginx/snippets/zygo-pools.conf: which pool a request goes to */
