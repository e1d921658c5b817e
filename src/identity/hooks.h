/*
 * Hooks: SQL functions that an admin replaces (docs/hooks.md), as statements of the batch that they
 * belong to. One that fails, or takes more than a second, fails the batch with
 * ERR_SERVICE_UNAVAILABLE and a message that names it; one that calls refuse() says its own.
 */
#pragma once

struct batch;
struct rows;

/* hook_after_sign_up(), for the account and tenant that act. */
void hooks_add_after_sign_up(struct batch *b);

/* hook_custom_claims(), for the session that acts: column claims, a JSON object. No row without a
 * session. */
void hooks_add_claims(struct batch *b, const struct rows **ret);

/* hook_join_room(), for who has entered: column is_let_in. */
void hooks_add_join_room(struct batch *b, const struct rows **ret, const char *room);
