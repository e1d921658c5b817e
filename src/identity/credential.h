/*
 * What a request brings to prove who sends it, as text: the Authorization header, X-API-Key and the
 * session's cookie. No more than their syntax; principal.c finds out whose they are.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

/* __Host-: only over HTTPS, only for this host, for all of its paths (RFC 6265bis section 4.1.3.2).
 */
#define SESSION_COOKIE "__Host-zygo_session"

/* The token behind "Bearer", in any case (RFC 9110 section 11.1); ptr NULL when the header, which
 * may be NULL, is of another scheme or holds no token. */
struct str bearer_token(const char *authorization);

/* The API key of a request: behind "Bearer", or in X-API-Key when there is no Authorization; ptr
 * NULL when neither holds one. Both headers may be NULL. */
struct str api_key_text(const char *authorization, const char *x_api_key);

/* A value of Set-Cookie; token NULL takes the cookie away. */
const char *session_cookie(struct arena *a, const char *token, int64_t max_age_s);
