/*
 * Access tokens signed in this process with the key that the server signs with (its private half is
 * opened with ENCRYPTION_KEY), and every forgery that must not be believed.
 */
#pragma once

#include "base/base.h"

struct caller;

/* For the caller's account, session and tenant, from now on for the configured time. */
const char *credential_sign(const struct caller *c);

/* As it was, but over for longer than any leeway. */
const char *credential_expired(const struct caller *c);

struct forgery {
	const char *name;
	const char *(*make)(const struct caller *c);
};

extern const struct forgery forgeries[]; /* ends with a NULL name */
