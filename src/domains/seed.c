/*
 * `zygo seed`: a tenant to look at and try things in, made by the same services as everybody's.
 * What is there already stays as it is, so it may run again at any time.
 */
#include "identity/commands.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/token.h"
#include "db/act.h"
#include "db/batch.h"
#include "domains/projects/projects.h"
#include "domains/users/users.h"
#include "gen/sql_identity.h"
#include "gen/sql_identity_mail.h"
#include "identity/account.h"
#include "identity/grant.h"

#define EMAIL        "demo@zygo.test"
#define PASSWORD_LEN 20 /* of one that is made here: 120 bits */

/* clang-format off */
static const struct user_new users[] = {
	{ .email = "grace@zygo.test", .first_name = "Grace", .last_name = "Hopper" },
	{ .email = "edsger@zygo.test", .first_name = "Edsger", .last_name = "Dijkstra" },
	{ .email = "barbara@zygo.test", .first_name = "Barbara", .last_name = "Liskov" },
	{ .email = "john@zygo.test", .first_name = "John", .last_name = "Backus" },
};

static const struct project_new projects[] = {
	{ .slug = "website", .name = "Website", .description = "What visitors see first" },
	{ .slug = "billing", .name = "Billing" },
	{ .slug = "archive", .name = "Archive", .description = "What nobody misses yet" },
};
/* clang-format on */

/* The demonstration tenant, nil when there is none. */
static int find_tenant(struct ctx *c, struct tenant_id *ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *found;
	int err;

	batch_add(b, &found, &sql_identity_tenant_of_owner, ARGS(arg_text(EMAIL)));
	err = batch_run(b);
	if (err)
		return err;
	ret->u = rows_len(found) > 0 ? rows_get_uuid(found, "id") : (struct uuid){ 0 };

	return OK;
}

static const char *made_password(struct ctx *c)
{
	char *token = arena_alloc(c->arena, TOKEN_TEXT_SIZE);

	token_make(token);
	token[PASSWORD_LEN] = '\0';

	return token;
}

/* Its email is nobody's, so nobody can show it. */
static int verify_email(struct ctx *c)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	grant_act_as(b, &(struct grantee){ .account = c->actor.account }, (struct session_id){ 0 });
	batch_add(b, NULL, &sql_identity_email_verified, NO_ARGS);

	return batch_run(b);
}

/* Logged in at once, whatever EMAIL_VERIFICATION wants of others. */
static void want_no_mail(struct ctx *c)
{
	struct config *mine = arena_make(c->arena, struct config);

	*mine = *config();
	mine->email_verification = EMAIL_VERIFICATION_OPTIONAL;
	config_set(mine);
}

static int sign_up_owner(struct ctx *c, struct tenant_id *ret)
{
	const char *given = getenv("ZYGO_SEED_PASSWORD");
	const char *password = given && *given ? given : made_password(c);
	struct sign_up in = {
		.email = EMAIL,
		.password = password,
		.first_name = "Ada",
		.last_name = "Lovelace",
		.tenant_name = "Demo",
	};
	struct grant g;
	int err;

	want_no_mail(c);
	err = account_sign_up(c, &in, "zygo seed", &g);
	if (!err)
		err = verify_email(c);
	if (err)
		return err;
	*ret = c->actor.tenant;
	printf("Log in as %s with the password %s\n", EMAIL,
	       password == given ? "of ZYGO_SEED_PASSWORD" : password);

	return OK;
}

/* One thing of the tenant, in a unit of work of its own; one that is there already is fine. */
static int add(struct ctx *c, struct tenant_id t, int (*create)(struct ctx *c, size_t i), size_t i)
{
	int err;

	ctx_reset(c, c->arena);
	act_for_tenant(c, t);
	err = create(c, i);

	return err == ERR_RESOURCE_CONFLICT ? OK : err;
}

static int add_user(struct ctx *c, size_t i)
{
	const struct rows *row;

	return users_create(c, &users[i], &row);
}

static int add_project(struct ctx *c, size_t i)
{
	const struct rows *row;

	return projects_create(c, &projects[i], &row);
}

static int fill(struct ctx *c)
{
	struct tenant_id tenant;
	int err;

	err = find_tenant(c, &tenant);
	if (!err && !uuid_is_nil(tenant.u))
		printf("The demonstration tenant is there; the password of %s stays as it is\n",
		       EMAIL);
	else if (!err)
		err = sign_up_owner(c, &tenant);

	for (size_t i = 0; i < ARRAY_LEN(users) && !err; i++)
		err = add(c, tenant, add_user, i);
	for (size_t i = 0; i < ARRAY_LEN(projects) && !err; i++)
		err = add(c, tenant, add_project, i);

	return err;
}

int command_seed(int argc, char **argv UNUSED)
{
	struct ctx *c;
	int status = 0;

	if (argc != 1)
		return 2;
	if (config_is_production()) {
		(void)fprintf(stderr, "zygo: seed makes an account that others know: not in "
				      "production\n");
		return 1;
	}

	conflicts_register(account_conflicts);
	conflicts_register(users_conflicts);
	conflicts_register(projects_conflicts);
	c = command_begin("seed");
	if (fill(c))
		status = command_failed(c, "the demonstration tenant is not complete");
	command_end(c);

	return status;
}
