/*
 * Ids. Every id is a UUIDv7 (RFC 9562), so ids made later sort later. Each kind is its own type, so
 * that a project's id passed for a user's does not compile.
 */
#pragma once

#include "base/base.h"

struct str;

struct uuid {
	uint8_t bytes[16]; /* network order */
};

struct account_id {
	struct uuid u;
};
struct tenant_id {
	struct uuid u;
};
struct user_id {
	struct uuid u;
};
struct session_id {
	struct uuid u;
};
struct api_key_id {
	struct uuid u;
};

#define UUID_TEXT_SIZE 37 /* 36 characters and a NUL */

struct uuid uuid_v7(void); /* monotonic within a process */
bool uuid_is_nil(struct uuid u);
bool uuid_eq(struct uuid a, struct uuid b);
void uuid_format(struct uuid u, char ret[UUID_TEXT_SIZE]);  /* lower case */
bool uuid_parse(struct str s, struct uuid *ret) MUST_CHECK; /* 8-4-4-4-12 hex, either case */

/* Cryptographic random bytes (getrandom); aborts when the kernel has none. */
void random_bytes(void *p, size_t n);
