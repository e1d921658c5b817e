/*
 * People who came through the front door: signed up and logged in over HTTPS, with a password that
 * they know. For tests of identity itself; others make callers (support/caller.h), which is faster.
 */
#pragma once

#include "support/answer.h"
#include "support/caller.h"

struct person {
	struct caller caller; /* on TIER_AUTH, with token and cookie */
	const char *password;
	const char *refresh_token;
	const char *slug; /* of the tenant that sign-up founded */
};

struct person person_sign_up(void);

/* Another session of theirs, on another device. */
struct person person_log_in(const struct person *p);

/* An attempt, whoever it is; tenant NULL: not named. */
struct answer try_log_in(const char *email, const char *password, const char *tenant);
struct answer try_refresh(const char *refresh_token);

/* With the cookie alone, as a browser has it. */
struct caller with_cookie(struct caller c);

/* The value of the session's cookie that the answer sets; NULL when it sets none. */
const char *answer_cookie(const struct answer *a);
