/* Signing up: see account.h for the way that logs in at once, signup.h for the other. */
#include "identity/signup.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"
#include "crypto/password.h"
#include "crypto/seal.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "http/shape.h"
#include "identity/account.h"
#include "identity/founding.h"
#include "identity/hooks.h"
#include "identity/invite.h"
#include "identity/letters.h"
#include "jobs/book.h"
#include "jobs/job.h"

#define PAYLOAD_BYTES_MAX KIB(8)

/* "Ann's team", or of the part of the email before the @. */
const char *signup_tenant_name(struct ctx *c, const struct sign_up *in)
{
	struct str email = str_of(in->email);
	struct str who = in->first_name ? str_of(in->first_name) : str_cut(&email, '@');

	if (in->tenant_name)
		return in->tenant_name;

	return arena_printf(c->arena, "%.*s's team", STR_FMT(who));
}

int signup_check(struct ctx *c)
{
	if (config()->sign_up)
		return OK;

	return fail(c, ERR_AUTH_FORBIDDEN, NULL, "Accounts are made by invitation only");
}

/* The account with its tenant, as statements of a batch in which it acts from now on. */
static void add_account(struct batch *b, struct ctx *c, const struct sign_up *in,
			const char *password_hash, const struct grantee *who,
			struct session_id session)
{
	struct founding founding = { who->tenant, who->user, who->account,
				     signup_tenant_name(c, in) };

	grant_act_as(b, who, session);
	batch_add(b, NULL, &sql_identity_account_create,
		  ARGS(arg_uuid(who->account.u), arg_text(in->email), arg_text(password_hash),
		       arg_text(in->first_name), arg_text(in->last_name)));
	founding_add(b, c, &founding);
	hooks_add_after_sign_up(b);
	batch_account_event(b, c, "account.created", ACTING_ACCOUNT, who->user_agent);
	letters_add(b, c,
		    &(struct letter_new){ .letter = "emailVerification", .email = in->email });
}

static struct grantee newcomer(const char *user_agent)
{
	return (struct grantee){
		.account = { uuid_v7() },
		.tenant = { uuid_v7() },
		.user = { uuid_v7() },
		.user_agent = user_agent,
	};
}

static int sign_up_now(struct ctx *c, const struct sign_up *in, const char *user_agent,
		       const char *password_hash, struct grant *ret)
{
	struct grantee who = newcomer(user_agent);
	struct session_id session = { uuid_v7() };
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	int err;

	add_account(b, c, in, password_hash, &who, session);
	grant_start(b, c, &who, ret);
	err = batch_run(b);

	return err ? err : grant_sign(c, session, ret);
}

int account_sign_up(struct ctx *c, const struct sign_up *in, const char *user_agent,
		    struct grant *ret)
{
	char hash[PASSWORD_HASH_SIZE];
	int err;

	if (in->invite_token)
		return invite_sign_up(c, in, user_agent, ret);

	err = account_judge_password(c, "password", in->password, in->email);
	if (err)
		return err;
	password_hash(str_of(in->password), hash);

	return sign_up_now(c, in, user_agent, hash, ret);
}

/*
 * Later
 */

/* clang-format off */
struct signup_payload {
	const char *sealed; /* base64url of what follows, as JSON */
};
static const struct field payload_fields[] = {
	{ "sealed", T_STRING, REQUIRED, offsetof(struct signup_payload, sealed), .max = PAYLOAD_BYTES_MAX * 2, .about = "Who signed up" },
};
static const struct shape payload_shape = SHAPE("SignUpJob", struct signup_payload, payload_fields);

/* What is sealed: texts, each NULL when it was not said. password is the hash. */
static const struct {
	const char *key;
	size_t offset; /* in struct sign_up */
} sealed[] = {
	{ "email", offsetof(struct sign_up, email) },
	{ "passwordHash", offsetof(struct sign_up, password) },
	{ "firstName", offsetof(struct sign_up, first_name) },
	{ "lastName", offsetof(struct sign_up, last_name) },
	{ "tenantName", offsetof(struct sign_up, tenant_name) },
};
/* clang-format on */

/* What ties the sealed text to its job: copied into another one, it does not open. */
static struct str aad_of(struct ctx *c, struct job_id job)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(job.u, id);

	return str_of(arena_printf(c->arena, "jobs:%s", id));
}

static struct str seal_sign_up(struct ctx *c, const struct sign_up *in, struct job_id job)
{
	struct buf plain, payload;
	struct jsonwrite w;
	struct str box;

	buf_init(&plain, c->arena, PAYLOAD_BYTES_MAX);
	jsonwrite_init(&w, &plain);
	jsonwrite_object(&w);
	for (size_t i = 0; i < ARRAY_LEN(sealed); i++)
		jsonwrite_member_text(&w, sealed[i].key,
				      *(const char *const *)((const char *)in + sealed[i].offset));
	jsonwrite_object_end(&w);
	BUG_IF(plain.overflow); /* shapes have bounds */

	box = seal(c->arena, buf_view(&plain), aad_of(c, job));
	buf_init(&payload, c->arena, PAYLOAD_BYTES_MAX * 2);
	buf_printf(&payload, "{\"sealed\":\"%s\"}", str_base64url(c->arena, box.ptr, box.len));

	return buf_view(&payload);
}

int signup_later(struct ctx *c, const struct sign_up *in)
{
	struct job_id job = { uuid_v7() };
	struct sign_up hashed = *in;
	char hash[PASSWORD_HASH_SIZE];
	struct batch *b;
	int err;

	err = account_judge_password(c, "password", in->password, in->email);
	if (err)
		return err;
	password_hash(str_of(in->password), hash);
	hashed.password = hash;

	b = batch_new(c, BATCH_IDENTITY);
	jobs_add(b, c,
		 &(struct job_new){ .kind = &signup_job,
				    .id = job,
				    .payload = seal_sign_up(c, &hashed, job) });

	return batch_run(b);
}

static int open_sign_up(struct job *j, struct sign_up *ret)
{
	const struct signup_payload *in = j->payload;
	struct arena *a = j->c->arena;
	const struct json *object, *value;
	struct str box, plain;
	const char *why;
	size_t at;

	arena_holds_secret(a);
	if (!str_unbase64url(a, str_of(in->sealed), &box) ||
	    !unseal(a, box, aad_of(j->c, j->id), &plain) ||
	    !jsonread_parse(a, plain, &object, &why, &at)) {
		j->is_hopeless = true;
		return fail_internal(j->c,
				     "what was sealed does not open: another ENCRYPTION_KEY?");
	}

	*ret = (struct sign_up){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(sealed); i++)
		if (jsonread_member(object, sealed[i].key, &value) && value)
			*(const char **)((char *)ret + sealed[i].offset) =
				jsonread_string(value).ptr;

	return OK;
}

/* Whoever has the email is told, and nobody else. */
static int tell_owner(struct job *j, const struct sign_up *in)
{
	struct batch *b = batch_new(j->c, BATCH_IDENTITY);
	int err;

	letters_add(b, j->c, &(struct letter_new){ .letter = "accountExists", .email = in->email });
	job_done(b, j);
	err = batch_run(b);
	j->is_done = !err;

	return err;
}

/* The account and the word that the job is done are one transaction: it is made once. */
static int run(struct job *j)
{
	struct grantee who = newcomer(NULL);
	struct sign_up in;
	struct batch *b;
	int err;

	err = open_sign_up(j, &in);
	if (err)
		return err;

	b = batch_new(j->c, BATCH_IDENTITY);
	add_account(b, j->c, &in, in.password, &who, (struct session_id){ 0 });
	job_done(b, j);
	err = batch_run(b);
	j->is_done = !err;
	if (err != ERR_RESOURCE_CONFLICT || !j->c->fault.path ||
	    strcmp(j->c->fault.path, "email") != 0)
		return err;
	j->c->fault = (struct fault){ 0 };

	return tell_owner(j, &in);
}

const struct job_kind signup_job = {
	.name = "account.signUp",
	.queue = "email",
	.payload = &payload_shape,
	.attempts = 8,
	.backoff_us = 5 * US_PER_S,
	.limit_us = US_PER_MINUTE,
	.is_private = true,
	.run = run,
};
