/*
 * The way of a request: a table of stages, run in order; the first that fails ends it. What every
 * route needs is a stage and a column of the row, never a line in a handler.
 *
 *   read ▸ route ▸ origin ▸ authenticate ▸ limit ▸ validate ▸ replay ▸ handle ▸ keep ▸
 *   settle ▸ write
 *
 * Tenant and permission are proven by the entry of the first transaction (db/batch.h), in the same
 * round trip as the statements; a request that fails validation runs the entry alone first, so that
 * who may not be here learns nothing else. No reply leaves before the entry was run (or, on
 * ROUTE_HOT rows, the hot copy was read) and the limiter has said yes.
 */
#pragma once

#include "base/base.h"

struct request;

/* What identity/ gives to this layer, which does not know it. */
struct auth {
	/*
	 * Finds out who asks, without a round trip where it can: fills ctx->actor and ctx->entry,
	 * or fails with a 401. PERM_PUBLIC rows are not asked. *ret_session_key: the hot copy to
	 * fetch along, or NULL.
	 */
	int (*authenticate)(struct request *r, const char **ret_session_key);

	/* The hot copy has come (r->hot; it may be empty): on ROUTE_HOT rows proves the session
	 * from it or from PostgreSQL. */
	int (*confirm)(struct request *r);

	/* The reply has left and its line is in the log: what nobody waits for. Called for every
	 * request. */
	void (*after)(struct request *r);
};

void stages_init(const struct auth *auth); /* the pointer is kept */

/*
 * Serves one request from read to write. Never fails: every error becomes a reply. The caller has
 * set ctx (reset), transport and peer, and nothing else.
 */
void stages_run(struct request *r);

/* When its line is in the log: auth's after(). */
void stages_after(struct request *r);

/*
 * For fcgi_serve(): one request on the process's own ctx, from the first byte to its line in the
 * log; p is the struct worker.
 */
struct fcgi;
void stages_serve(struct fcgi *f, void *p);
