/*
 * The table of letters, and the job that sends one: see letters.h.
 *
 * A letter may be sent twice, when a worker dies between the mail server's word and its own; then
 * both have the same Message-ID, and the links of both are good.
 */
#include "identity/letters.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_identity_mail.h"
#include "http/shape.h"
#include "identity/hash.h"
#include "identity/mails.h"
#include "identity/template.h"
#include "jobs/book.h"
#include "jobs/job.h"
#include "net/mail.h"

#define PAYLOAD_BYTES_MAX KIB(8)
#define VALUES_MAX        24
#define DEVICE_CHARS_MAX  512

/* What proves, later, that somebody has read the mail. */
enum secret {
	SECRET_NONE,
	SECRET_TOKEN, /* of one_time_tokens, its kind the letter's name */
	SECRET_CODE,  /* the same, six digits */
	SECRET_INVITATION,
};

static const struct letter {
	const char *name;       /* also the template's */
	const struct sql *find; /* to whom, and what it says: identity_mail.sql */
	bool by_email;          /* else by the subject's id */
	enum secret secret;
	const char *page;  /* of the dashboard, which the link opens; NULL: no link */
	size_t lifetime;   /* offset of a setting in struct config, in microseconds */
	bool is_asked_for; /* by anybody, any number of times: MAIL_INTERVAL holds */
} letters[] = {
	{ "emailVerification", &sql_identity_letter_unverified, true, SECRET_TOKEN, "/verify-email",
	  offsetof(struct config, email_verify_expires_us), true },
	{ "welcome", &sql_identity_letter_to_account, false, SECRET_NONE, NULL, 0, false },
	{ "accountExists", &sql_identity_letter_by_email, true, SECRET_NONE, NULL, 0, true },
	{ "passwordReset", &sql_identity_letter_by_email, true, SECRET_TOKEN, "/reset-password",
	  offsetof(struct config, password_reset_expires_us), true },
	{ "passwordChanged", &sql_identity_letter_to_account, false, SECRET_NONE, NULL, 0, false },
	{ "factorAdded", &sql_identity_letter_to_account, false, SECRET_NONE, NULL, 0, false },
	{ "factorRemoved", &sql_identity_letter_to_account, false, SECRET_NONE, NULL, 0, false },
	{ "emailChangeOld", &sql_identity_letter_change_old, false, SECRET_TOKEN, "/change-email",
	  offsetof(struct config, email_change_expires_us), true },
	{ "emailChangeNew", &sql_identity_letter_change_new, false, SECRET_TOKEN, "/change-email",
	  offsetof(struct config, email_change_expires_us), true },
	{ "magicLink", &sql_identity_letter_by_email, true, SECRET_TOKEN, "/magic-link",
	  offsetof(struct config, magic_link_expires_us), true },
	{ "emailCode", &sql_identity_letter_by_email, true, SECRET_CODE, NULL,
	  offsetof(struct config, email_otp_expires_us), true },
	{ "invitation", &sql_identity_letter_invitation, false, SECRET_INVITATION, "/invitation",
	  offsetof(struct config, invitation_expires_us), true },
	{ "tenantDeletion", &sql_identity_letter_tenant_deletion, true, SECRET_NONE, NULL, 0,
	  false },
	{ "accountDeletion", &sql_identity_letter_account_deletion, false, SECRET_NONE, NULL, 0,
	  false },
	{ "newDevice", &sql_identity_letter_to_account, false, SECRET_NONE, NULL, 0, false },
	{ "identityLinked", &sql_identity_letter_to_account, false, SECRET_NONE, NULL, 0, false },
};

static const struct letter *find_letter(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (strcmp(letters[i].name, name) == 0)
			return &letters[i];

	return NULL;
}

/*
 * The job
 */

/* clang-format off */
static const struct field payload_fields[] = {
	{ "letter", T_STRING, REQUIRED, offsetof(struct letter_new, letter), .max = 40, .about = "Which" },
	{ "subject", T_UUID, OPTIONAL, offsetof(struct letter_new, subject), .about = "Account or invitation" },
	{ "email", T_EMAIL, OPTIONAL, offsetof(struct letter_new, email), .max = 254, .about = "As it was typed" },
	{ "tenant", T_STRING, OPTIONAL, offsetof(struct letter_new, tenant), .max = 63, .about = "Slug or id" },
	{ "device", T_STRING, OPTIONAL, offsetof(struct letter_new, device), .max = DEVICE_CHARS_MAX, .about = "User agent" },
	{ "ip", T_STRING, OPTIONAL, offsetof(struct letter_new, ip), .max = 64, .about = "Address" },
	{ "provider", T_STRING, OPTIONAL, offsetof(struct letter_new, provider), .max = 255, .about = "Of the log-in" },
};
static const struct shape payload_shape = SHAPE("LetterJob", struct letter_new, payload_fields);
/* clang-format on */

static void write_given(struct jsonwrite *w, const char *key, const char *text)
{
	if (text)
		jsonwrite_member_text(w, key, text);
}

static struct str payload_of(struct ctx *c, const struct letter_new *in)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, c->arena, PAYLOAD_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "letter", in->letter);
	if (!uuid_is_nil(in->subject)) {
		jsonwrite_key(&w, "subject");
		jsonwrite_uuid(&w, &in->subject);
	}
	write_given(&w, "email", in->email);
	write_given(&w, "tenant", in->tenant);
	write_given(&w, "device", in->device);
	write_given(&w, "ip", in->ip);
	write_given(&w, "provider", in->provider);
	jsonwrite_object_end(&w);
	BUG_IF(out.overflow); /* shapes and headers have bounds */

	return buf_view(&out);
}

/*
 * The letter and whom it is to, told by a hash: the queue is no list of addresses. The realm and
 * not the tenant as it was typed, since any word names one: each would be a mail more.
 */
static const char *unique_key(struct ctx *c, const struct letter_new *in)
{
	char id[UUID_TEXT_SIZE], realm[UUID_TEXT_SIZE];
	struct token_hash hash;
	const char *to = id;

	uuid_format(in->subject, id);
	uuid_format(in->realm, realm);
	if (in->email)
		to = arena_printf(c->arena, "%s\n%s\n%s", id, in->email, realm);
	token_hash(str_of(to), &hash);

	return arena_printf(c->arena, "%s:%s", in->letter,
			    str_hex(c->arena, hash.bytes, sizeof(hash.bytes)));
}

void letters_add(struct batch *b, struct ctx *c, const struct letter_new *in)
{
	const struct letter *l = find_letter(in->letter);

	BUG_IF(!l || (l->by_email && !in->email));
	if (!mail_is_sent())
		return;

	jobs_add(b, c,
		 &(struct job_new){
			 .kind = &letter_job,
			 .payload = payload_of(c, in),
			 .unique_key = l->is_asked_for ? unique_key(c, in) : NULL,
			 .unique_us = l->is_asked_for ? config()->mail_interval_us : 0,
		 });
}

/*
 * What it says
 */

struct values {
	struct template_value v[VALUES_MAX];
	size_t n; /* the next is NULL */
};

static void add_value(struct values *to, const char *name, const char *value)
{
	BUG_IF(to->n + 1 >= VALUES_MAX);
	to->v[to->n++] = (struct template_value){ name, value };
}

/* "24 hours", "1 hour", "15 minutes". */
static const char *lifetime_text(struct ctx *c, int64_t us)
{
	int64_t minutes = us / US_PER_MINUTE;
	const char *unit = minutes % 1440 == 0 ? "day" : minutes % 60 == 0 ? "hour" : "minute";
	int64_t n = minutes % 1440 == 0 ? minutes / 1440
		    : minutes % 60 == 0 ? minutes / 60
					: minutes;

	return arena_printf(c->arena, "%lld %s%s", (long long)n, unit, n == 1 ? "" : "s");
}

/* The columns of the row that are text, each by its name. */
static void add_columns(struct values *to, const struct rows *found)
{
	for (size_t col = 0; col < rows_columns(found); col++)
		if (rows_column_type(found, col) == COL_TEXT)
			add_value(to, rows_column_name(found, col),
				  rows_is_null(found, 0, col) ? "" : rows_str(found, 0, col).ptr);
}

static int64_t lifetime_of(const struct letter *l)
{
	return l->lifetime ? *(const int64_t *)((const char *)config() + l->lifetime) : 0;
}

/*
 * What it carries
 */

void letter_code_hash(struct account_id account, const char *code, struct token_hash *ret)
{
	char text[UUID_TEXT_SIZE + 8];

	uuid_format(account.u, text);
	(void)snprintf(text + UUID_TEXT_SIZE - 1, sizeof(text) - (UUID_TEXT_SIZE - 1), "%.8s",
		       code);
	token_hash(str_of(text), ret);
}

/* Six digits, each number as likely as any other. */
static const char *make_code(struct ctx *c)
{
	uint32_t n;

	do {
		random_bytes(&n, sizeof(n));
	} while (n >= UINT32_MAX - UINT32_MAX % 1000000);

	return arena_printf(c->arena, "%06u", n % 1000000);
}

/* The letter's token or code, kept as its hash; *ret is what the mail says. */
static int make_secret(struct ctx *c, const struct letter *l, const struct letter_new *in,
		       const struct rows *found, const char **ret)
{
	struct account_id account;
	struct token_hash hash;
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	char *token = arena_alloc(c->arena, TOKEN_TEXT_SIZE);

	arena_holds_secret(c->arena);
	token_make(token);
	*ret = token;
	if (l->secret == SECRET_INVITATION) {
		token_hash(str_of(token), &hash);
		batch_add(b, NULL, &sql_identity_invitation_token_create,
			  ARGS(arg_uuid(in->subject), arg_hash(&hash)));
		return batch_run(b);
	}

	account.u = rows_get_uuid(found, "account");
	if (l->secret == SECRET_CODE) {
		*ret = make_code(c);
		letter_code_hash(account, *ret, &hash);
		batch_add(b, NULL, &sql_identity_codes_forget, ARGS(arg_uuid(account.u)));
	} else {
		token_hash(str_of(token), &hash);
	}
	batch_add(b, NULL, &sql_identity_token_create,
		  ARGS(arg_hash(&hash), arg_text(l->name), arg_uuid(account.u),
		       arg_text(rows_get_text(found, "to")), arg_int(lifetime_of(l))));
	batch_add(b, NULL, &sql_identity_tokens_sweep, NO_ARGS);

	return batch_run(b);
}

/*
 * Sending
 */

static int find_recipient(struct ctx *c, const struct letter *l, const struct letter_new *in,
			  const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	struct uuid tenant = { 0 };
	bool is_id = in->tenant && uuid_parse(str_of(in->tenant), &tenant);

	if (l->by_email)
		batch_add(b, ret, l->find,
			  ARGS(arg_text(in->email), arg_text(is_id ? NULL : in->tenant),
			       arg_uuid(tenant)));
	else
		batch_add(b, ret, l->find, ARGS(arg_uuid(in->subject)));

	return batch_run(b);
}

/* All that a template may name. The token stands behind '#', so that no server's log sees it. */
static void fill(struct ctx *c, const struct letter *l, const struct letter_new *in,
		 const struct rows *found, const char *secret, struct values *ret)
{
	const char *to = rows_get_text(found, "to");

	*ret = (struct values){ 0 };
	add_columns(ret, found);
	add_value(ret, "email", to);
	add_value(ret, "product", config()->email_from_name);
	add_value(ret, "appUrl", config()->app_url);
	add_value(ret, "device", in->device ? in->device : "An unnamed device");
	add_value(ret, "ip", in->ip);
	add_value(ret, "provider", in->provider);
	if (!secret)
		return;

	add_value(ret, "lifetime", lifetime_text(c, lifetime_of(l)));
	if (l->secret == SECRET_CODE) {
		add_value(ret, "code", secret);
		return;
	}
	add_value(ret, "token", secret);
	add_value(ret, "link",
		  arena_printf(c->arena, "%s%s#token=%s", config()->app_url, l->page, secret));
}

static int run(struct job *j)
{
	const struct letter_new *in = j->payload;
	const struct letter *l = find_letter(in->letter);
	struct mail mail = { .id = j->id.u };
	const char *secret = NULL;
	const struct rows *found;
	struct values values;
	int err;

	if (!l)
		return fail_internal(j->c, "there is no letter %s", in->letter);
	err = find_recipient(j->c, l, in, &found);
	if (err || rows_len(found) == 0)
		return err; /* nobody is there, and nobody is told that */

	if (l->secret) {
		err = make_secret(j->c, l, in, found, &secret);
		if (err)
			return err;
	}
	fill(j->c, l, in, found, secret, &values);
	mail.to = rows_get_text(found, "to");
	err = mails_render(j->c, l->name, values.v, &mail);

	return err ? err : mail_send(j->c, &mail, &j->is_hopeless);
}

/* Half a minute, one, two, four … : a server that is down for an hour loses nothing. */
const struct job_kind letter_job = {
	.name = "mail.send",
	.queue = "email",
	.payload = &payload_shape,
	.attempts = 8,
	.backoff_us = 30 * US_PER_S,
	.limit_us = 2 * US_PER_MINUTE,
	.run = run,
	.is_private = true,
};
