/*
 * Attempts that were refused to somebody who is known: events of the tenant that they were made in,
 * so that its people see who tries what. Refused log-ins are events of the account (attempt.h).
 */
#pragma once

struct request;
struct token_hash;

/*
 * After the reply, in a transaction of its own: notes a 403 for want of a permission, of whoever
 * has a seat in the tenant; the same route at most once a minute. cookie and api_key are the
 * credential that came, or NULL. What fails is not noted.
 */
void refusal_note(struct request *r, const struct token_hash *cookie,
		  const struct token_hash *api_key);
