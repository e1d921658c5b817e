/*
 * Who may connect: from the handshake's credentials to a session that enter() has proven
 * (identity/README.md), in one round trip to PostgreSQL.
 *
 * An access token or a ticket stands in ?token=, an access token in Authorization, the dashboard's
 * session in its cookie; a cookie counts from an allowed origin alone, because browsers send it
 * along from any page. API keys do not connect.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"
#include "realtime/connection.h"

struct ctx;

/* As the handshake has them; NULL: not there. */
struct handshake {
	const char *token;         /* of the address, decoded */
	const char *tenant;        /* the same: where to act, for members of several */
	const char *authorization; /* header */
	const char *cookies;       /* header */
	const char *origin;        /* header */
	const char *ip;
};

/* Why somebody is not let in; code CLOSE_NONE: is let in. */
struct refusal {
	enum close_code code;
	const char *reason;
};

/*
 * Then c's actor is who it is, its permissions and the end of its token are in ret; *ret_position:
 * that of the newest event.
 */
struct refusal admission_prove(struct ctx *c, const struct handshake *h, struct connection *ret,
			       int64_t *ret_position);

/* The session once more, and whether it holds the permission: c's transactions begin with that. */
void admission_enter(struct ctx *c, const struct connection *who, enum perm perm);
