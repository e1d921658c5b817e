/* POST /api/auth/ws-ticket: see ticket.h. */
#include "identity/identity.h"

#include "http/api.h"
#include "identity/ticket.h"

/* clang-format off */
static const struct field ticket_fields[] = {
	{ "ticket", T_STRING, REQUIRED, .max = 64, .secret = true,
	  .about = "For wss://…/ws?token=, once" },
	{ "expiresIn", T_INT, REQUIRED, .about = "How long it is good, in seconds", .example = "30" },
};
static const struct shape ticket = REPLY_SHAPE("WsTicket", ticket_fields);
/* clang-format on */

static int create(struct request *r, const struct rows **ret)
{
	return ticket_create(r->ctx, ret);
}

/* clang-format off */
static const struct route routes[] = {
	{ POST, "/ws-ticket", TIER_AUTH, PERM_MEMBER, RATE_WRITE,
	  .reply = &ticket, .status = 201, .flags = ROUTE_NO_STORE,
	  .summary = "A ticket to connect with", .about = "Opens one WebSocket at /ws for the session that asks, in the tenant that it "
	  "acts in; good once, for 30 seconds. So no token stands in an address", .one = create },

	{ 0 },
};
/* clang-format on */

const struct mount ticket_mount = { "realtime", routes, NULL,
				    "Tickets that WebSockets connect with" };
