/*
 * Tenants, people and things, made as rows, for tests that need them to be there already. Each is
 * new and unlike any other, so that tests run side by side.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "http/permissions.h"

/* Active, with the four built-in roles and nobody in it. */
struct tenant_id tenant_make(void);
void tenant_suspend(struct tenant_id t);

/* A person's log-in: verified, without a seat anywhere. email NULL: one of its own. */
struct account_id account_make(const char *email);
const char *account_email(struct account_id a);

/* Gives it a password (Argon2id: 11 ms). */
void account_set_password(struct account_id a, const char *password);

/* An active seat with a built-in role, for a new account or the one that has this email. */
struct user_id user_make(struct tenant_id t, enum builtin_role role, const char *email);
struct user_id user_make_of(struct tenant_id t, enum builtin_role role, struct account_id a);
void user_rename(struct tenant_id t, struct user_id u, const char *first, const char *last);

/* An API key for what these permissions (their names, with blanks between) allow to that seat; the
 * key itself, as it is sent. */
const char *api_key_make(struct tenant_id t, struct user_id u, const char *scopes);

/* An active project; its id. slug NULL: one of its own. */
struct uuid project_make(struct tenant_id t, const char *slug);

/* A word that was never used: "n" and 26 letters and digits, good for slugs and emails. */
const char *new_word(void);
