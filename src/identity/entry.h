/*
 * How a person's transactions begin (db/batch.h): enter(), in sql/migrations/0001, proves the
 * session, the seat and the permission.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"

struct arena;
struct ctx;
struct entry;
struct rows;
struct token_hash;

/* What enter() is asked. */
struct person {
	struct session_id session;       /* nil: the one with this cookie */
	const struct token_hash *cookie; /* NULL: the one with this id */
	struct tenant_id tenant;         /* where to act; nil: where the session does */
	bool is_named;                   /* the tenant: by the caller, and not by the credential */
	bool steps_up;                   /* a second factor must have been proven just now */
	const char *need;                /* "account", "recent", "member" or "global_admin" */
	const char *permission;          /* NULL: none */
};

/* In the arena; what p points to is not copied. Its on_enter is entry_taken(). */
struct entry *entry_of_person(struct arena *a, const struct person *p);

/* The actor is who enter(), or enter_ticket(), says it is. */
int entry_taken(struct ctx *c, const struct rows *row);
