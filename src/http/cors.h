/*
 * Browsers' origins: who may read our replies (CORS), and who may make changes with a cookie
 * (CSRF).
 *
 * An origin is allowed when CORS_ORIGINS lists it, or it is that of APP_URL or API_URL; in
 * development also Vite's http://localhost:5173.
 */
#pragma once

#include "base/base.h"

struct buf;
struct request;

bool cors_allows(const char *origin); /* NULL is no origin */

/*
 * A change on a tier that takes cookies must come from an allowed origin; ERR_AUTH_CSRF. Bearer
 * tokens are not sent by browsers on their own, so /api/v1 is not asked; /api/auth only when a
 * cookie or an origin came along.
 */
int cors_check(struct request *r) MUST_CHECK;

/* Answers OPTIONS. */
void cors_preflight(struct request *r);

/* The header lines that a reply to an allowed origin has. */
void cors_write(const struct request *r, struct buf *head);
