/*
 * What several routes of identity say: who one is, and what one was granted.
 */
#pragma once

#include "base/base.h"
#include "http/shape.h"

struct grant;
struct jsonwrite;
struct request;

extern const struct shape me_shape;      /* {user, tenant} */
extern const struct shape login_shape;   /* beside it accessToken, refreshToken, expiresIn; or else
					    {mfaRequired, mfaToken, methods} */
extern const struct shape granted_shape; /* a Login that is one in any case */
extern const struct shape switch_shape;  /* the same without refreshToken */
extern const struct shape impersonation_shape; /* the same again */

/* The members user and tenant. */
void grant_write_me(struct jsonwrite *w, const struct grant *g);

/* The whole reply, with the cookie where one was made; the demand for a second factor where there
 * is one. */
int grant_reply(struct request *r, const struct grant *g);
