/* Commands for the admin that concern identity: see commands.h. `seed` is in src/domains/seed.c. */
#include "identity/commands.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "db/conn.h"
#include "gen/sql_identity.h"
#include "http/permissions.h"
#include "identity/hash.h"
#include "identity/keys.h"
#include "identity/reseal.h"

struct ctx *command_begin(const char *name)
{
	static const uint8_t no_key[sizeof(config()->encryption_key_previous)];
	static struct ctx c;

	token_init(config()->jwt_secret, config()->jwt_secret_previous);
	seal_init(config()->encryption_key);
	if (memcmp(config()->encryption_key_previous, no_key, sizeof(no_key)) != 0)
		seal_also_open(config()->encryption_key_previous);
	db_init(name);
	ctx_reset(&c, arena_new());
	c.actor.kind = ACTOR_SYSTEM;

	return &c;
}

void command_end(struct ctx *c)
{
	db_end(c);
	arena_free(c->arena);
	db_done();
}

int command_failed(const struct ctx *c, const char *what)
{
	const struct fault *f = &c->fault;
	const char *why = f->message ? f->message : err_info(f->err)->message;

	if (f->err == ERR_INTERNAL_ERROR && f->detail) /* the message says nothing */
		(void)fprintf(stderr, "zygo: %s: %s\n", what, f->detail);
	else
		(void)fprintf(stderr, "zygo: %s: %s%s%s\n", what, why, f->detail ? ": " : "",
			      f->detail ? f->detail : "");

	return 1;
}

int command_verb(const struct verb *verbs, int argc, char **argv)
{
	for (const struct verb *v = verbs; v->name; v++) {
		struct ctx *c;
		int status;

		if (strcmp(argv[1], v->name) != 0)
			continue;
		c = command_begin(argv[0]);
		status = v->run(c, argc - 2, argv + 2);
		command_end(c);
		return status;
	}
	(void)fprintf(stderr, "zygo: %s has no command \"%s\"\n", argv[0], argv[1]);

	return 2;
}

/*
 * zygo keys
 */

/* "since …", "until …": one line a key. */
static void print_key(const struct rows *keys, size_t row, bool *is_signing_seen)
{
	size_t from = (size_t)rows_find(keys, "signs_from");
	size_t until = (size_t)rows_find(keys, "retires_at");
	bool waits = rows_time(keys, row, from) > clock_now_us();
	char since[RFC3339_SIZE], ends[RFC3339_SIZE] = "-";
	const char *state = waits ? "waits" : *is_signing_seen ? "verifies" : "signs";

	clock_rfc3339(rows_time(keys, row, from), since);
	if (!rows_is_null(keys, row, until))
		clock_rfc3339(rows_time(keys, row, until), ends);
	*is_signing_seen = *is_signing_seen || !waits;

	printf("%-32s  %-8s  %-24s  %s\n", rows_str(keys, row, (size_t)rows_find(keys, "kid")).ptr,
	       state, since, ends);
}

static int print_keys(struct ctx *c, int argc, char **argv UNUSED)
{
	const struct rows *keys;
	bool is_signing_seen = false;

	if (argc)
		return 2;
	if (keys_list(c, &keys))
		return command_failed(c, "the signing keys could not be read");

	printf("%-32s  %-8s  %-24s  %s\n", "KID", "STATE", "SIGNS FROM", "RETIRES AT");
	for (size_t row = 0; row < rows_len(keys); row++)
		print_key(keys, row, &is_signing_seen);

	return 0;
}

static int rotate_keys(struct ctx *c, int argc, char **argv UNUSED)
{
	const char *kid;

	if (argc)
		return 2;
	if (keys_rotate(c, &kid))
		return command_failed(c, "the signing keys were not rotated");

	printf("Key %s is published and signs in %d minutes, when every worker knows it.\n"
	       "The others verify until what they signed is over: see `zygo keys list`.\n",
	       kid, (int)(KEYS_LEAD_US / US_PER_MINUTE));

	return 0;
}

static int reseal_keys(struct ctx *c, int argc, char **argv UNUSED)
{
	return argc ? 2 : reseal_all(c);
}

const struct verb keys_verbs[] = {
	{ "list", "", "the keys that sign access tokens or still verify them", print_keys },
	{ "rotate", "", "a new one signs; the others verify until what they signed is over",
	  rotate_keys },
	{ "reseal", "", "seals what is stored under ENCRYPTION_KEY anew, when that has changed",
	  reseal_keys },
	{ 0 },
};

int keyed_before(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	struct token_hash mark;

	token_mark(&mark);
	batch_add(b, ret, &sql_identity_keyed_before, ARGS(arg_hash(&mark)));

	return batch_run(b);
}

/*
 * Built-in roles
 */

static void put_role(struct batch *b, struct ctx *c, enum builtin_role role)
{
	struct str *names = arena_make_n(c->arena, struct str, PERM_COUNT);
	size_t n = 0;

	for (size_t i = 0; i < PERM_COUNT; i++) {
		if (permissions[i].name && (permissions[i].holders & role))
			names[n++] = str_of(permissions[i].name);
	}
	batch_add(b, NULL, &sql_identity_builtin_role_put,
		  ARGS(arg_text(builtin_role_name(role)), arg_text_array(names, n)));
}

int sync_builtin_roles(void)
{
	static const enum builtin_role roles[] = { ROLE_OWNER, ROLE_ADMIN, ROLE_MEMBER,
						   ROLE_VIEWER };
	struct ctx *c = command_begin("migrate");
	struct batch *b = batch_new(c, BATCH_SYSTEM);
	int status = 0;

	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		put_role(b, c, roles[i]);
	if (batch_run(b))
		status = command_failed(c, "the built-in roles could not be written");
	else
		printf("Built-in roles are those of this binary.\n");
	command_end(c);

	return status;
}
