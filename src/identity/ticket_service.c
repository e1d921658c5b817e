/* Tickets: see ticket.h. They are used up by enter_ticket() (sql/migrations/0012). */
#include "identity/ticket.h"

#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_identity.h"
#include "identity/grant.h"

int ticket_create(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	struct token_hash *hash;
	const char *ticket = grant_token(c, &hash);

	batch_add(b, NULL, &sql_identity_ticket_sweep, NO_ARGS);
	batch_add(b, ret, &sql_identity_ticket_create,
		  ARGS(arg_bytes(hash->bytes, sizeof(hash->bytes)), arg_int(TICKET_EXPIRES_US),
		       arg_text(ticket)));

	return batch_run(b);
}
