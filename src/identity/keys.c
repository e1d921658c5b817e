/* Signing keys, from the database to crypto/jws and back: see keys.h. */
#include "identity/keys.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/log.h"
#include "crypto/jws.h"
#include "crypto/seal.h"
#include "db/batch.h"
#include "gen/sql_identity.h"

/* How long a token may be met after its key has signed it: its life, the leeway of clocks, and what
 * a worker may lag behind the table. */
static int64_t overlap_us(void)
{
	return KEYS_LEAD_US + config()->jwt_expires_us + JWS_LEEWAY_S * US_PER_S + KEYS_AGE_US;
}

/* The process's copy. */
static struct {
	struct ctx ctx; /* of the loading, apart from the request's */
	char kids[JWS_KEYS_MAX][sizeof(((struct jws_key *)0)->kid)];
	size_t len;
	size_t signs;           /* which of them; len: none */
	int64_t loaded_us;      /* monotonic; 0: never */
	int64_t tried_us;       /* monotonic; the last attempt, whatever came of it */
	int64_t next_change_us; /* wall clock: a key begins to sign or retires; INT64_MAX: none will
				 */
} copy;

static struct ctx *loading_ctx(void)
{
	static struct arena *arena;

	if (!arena)
		arena = arena_new();
	arena_reset(arena);
	arena_holds_secret(arena);
	ctx_reset(&copy.ctx, arena);
	copy.ctx.actor.kind = ACTOR_SYSTEM;

	return &copy.ctx;
}

static struct str aad_of(struct arena *a, const char *kid)
{
	return str_of(arena_printf(a, "signing_keys:%s", kid));
}

static struct arg arg_sealed(struct arena *a, const struct jws_key *k)
{
	struct str sealed = seal(a, str_of(k->private_pem), aad_of(a, k->kid));

	return arg_bytes(sealed.ptr, sealed.len);
}

/*
 * Loading
 */

static const char *kid_of(const struct rows *rows, size_t row)
{
	return rows_str(rows, row, (size_t)rows_find(rows, "kid")).ptr;
}

/* 0 when NULL. */
static int64_t time_of(const struct rows *rows, size_t row, const char *column)
{
	size_t col = (size_t)rows_find(rows, column);

	return rows_is_null(rows, row, col) ? 0 : rows_time(rows, row, col);
}

/* The newest that signs already; the number of rows when there is none. */
static size_t find_signing(const struct rows *rows)
{
	size_t row = 0;

	while (row < rows_len(rows) && time_of(rows, row, "signs_from") > clock_now_us())
		row++;

	return row;
}

static int64_t next_change(const struct rows *rows)
{
	static const char *const columns[] = { "signs_from", "retires_at" };
	int64_t next = INT64_MAX;

	for (size_t row = 0; row < rows_len(rows); row++) {
		for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
			int64_t at = time_of(rows, row, columns[i]);

			if (at > clock_now_us() && at < next)
				next = at;
		}
	}

	return next;
}

/* The same keys as in the copy? Then what was verified under them stays remembered. */
static bool is_copied(const struct rows *rows, size_t n)
{
	if (copy.loaded_us == 0 || n != copy.len || find_signing(rows) != copy.signs)
		return false;

	for (size_t row = 0; row < n; row++) {
		if (strcmp(kid_of(rows, row), copy.kids[row]) != 0)
			return false;
	}

	return true;
}

/* A private half that does not open leaves a key that verifies; `zygo doctor` says so. */
static void take_key(struct arena *a, const struct rows *rows, size_t row, struct jws_key *ret)
{
	const char *kid = kid_of(rows, row);
	struct str sealed = rows_str(rows, row, (size_t)rows_find(rows, "private_sealed"));
	struct str opened;

	if (!unseal(a, sealed, aad_of(a, kid), &opened))
		opened = (struct str){ NULL, 0 };
	jws_key_take(ret, kid, opened, rows_str(rows, row, (size_t)rows_find(rows, "public_pem")));
	ret->signs = row == find_signing(rows);
}

static void take_rows(struct arena *a, const struct rows *rows)
{
	size_t n = rows_len(rows) < JWS_KEYS_MAX ? rows_len(rows) : JWS_KEYS_MAX;
	struct jws_key keys[JWS_KEYS_MAX];

	copy.next_change_us = next_change(rows);
	if (!is_copied(rows, n)) {
		for (size_t row = 0; row < n; row++) {
			take_key(a, rows, row, &keys[row]);
			memcpy(copy.kids[row], keys[row].kid, sizeof(keys[row].kid));
		}
		copy.len = n;
		copy.signs = find_signing(rows);
		jws_keys_set(keys, n, config()->jwt_issuer, config()->jwt_audience);
	}
	copy.loaded_us = clock_monotonic_us();
}

/* Of several processes that find no key, one makes it; the others wait for the lock and find it. */
static void make_first(struct batch *b, struct arena *a)
{
	struct jws_key key;

	jws_key_make(&key);
	batch_add(b, NULL, &sql_identity_keys_lock, NO_ARGS);
	batch_add(b, NULL, &sql_identity_keys_create_first,
		  ARGS(arg_text(arena_strdup(a, key.kid)), arg_sealed(a, &key),
		       arg_text(arena_strdup(a, key.public_pem))));
	jws_key_done(&key);
}

static int load(struct ctx *c)
{
	const struct rows *rows;
	struct batch *b;
	int err;

	copy.tried_us = clock_monotonic_us();
	err = keys_list(c, &rows);
	if (!err && rows_len(rows) == 0) {
		b = batch_new(c, BATCH_IDENTITY);
		make_first(b, c->arena);
		batch_add(b, &rows, &sql_identity_keys, NO_ARGS);
		err = batch_run(b);
	}
	if (err)
		return err;

	take_rows(c->arena, rows);

	return OK;
}

void keys_refresh(int64_t age_us)
{
	int64_t now_us = clock_monotonic_us();
	bool is_young = copy.loaded_us > 0 && now_us - copy.loaded_us < age_us;
	bool has_failed = copy.tried_us > copy.loaded_us;

	if (is_young && clock_now_us() < copy.next_change_us)
		return;
	if (age_us != KEYS_AGE_NONE && has_failed && now_us - copy.tried_us < KEYS_AGE_UNKNOWN_US)
		return;

	(void)load(loading_ctx());
}

int keys_init(void)
{
	struct ctx *c = loading_ctx();

	if (load(c)) {
		log_warn("The signing keys are loaded when the database answers",
			 LOG_S("detail", c->fault.detail));
		return 0;
	}
	if (copy.signs == copy.len || !jws_can_sign()) {
		log_fatal("No signing key opens: they were sealed under another ENCRYPTION_KEY");
		return 1;
	}

	return 0;
}

/*
 * For the admin
 */

int keys_list(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_identity_keys, NO_ARGS);

	return batch_run(b);
}

static int may_rotate(struct ctx *c, const struct rows *keys)
{
	if (rows_len(keys) >= JWS_KEYS_MAX)
		return fail(c, ERR_RULE_VIOLATED, NULL,
			    "As many keys are in use as can be: wait until the oldest retires");
	if (rows_len(keys) > 0 && find_signing(keys) > 0)
		return fail(c, ERR_RULE_VIOLATED, NULL,
			    "A rotation is under way: the newest key has not begun to sign");

	return OK;
}

static int rotate_locked(struct ctx *c, const char **ret_kid)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);
	const struct rows *keys;
	struct jws_key key;
	int err;

	batch_add(b, NULL, &sql_identity_keys_lock, NO_ARGS);
	batch_add(b, &keys, &sql_identity_keys, NO_ARGS);
	err = batch_run(b);
	if (!err)
		err = may_rotate(c, keys);
	if (err)
		return err;

	jws_key_make(&key);
	*ret_kid = arena_strdup(c->arena, key.kid);
	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_identity_keys_create,
		  ARGS(arg_text(*ret_kid), arg_sealed(c->arena, &key), arg_text(key.public_pem),
		       arg_int(rows_len(keys) > 0 ? KEYS_LEAD_US : 0)));
	batch_add(b, NULL, &sql_identity_keys_retire,
		  ARGS(arg_text(*ret_kid), arg_int(overlap_us())));
	err = batch_run(b);
	jws_key_done(&key);

	return err;
}

int keys_rotate(struct ctx *c, const char **ret_kid)
{
	int err;

	arena_holds_secret(c->arena);
	err = db_begin(c, BATCH_IDENTITY);
	if (!err)
		err = rotate_locked(c, ret_kid);
	if (!err)
		return db_commit(c);

	db_rollback(c);

	return err;
}

bool keys_verify(struct arena *a, struct str token, struct claims *ret)
{
	bool is_expired;

	keys_refresh(KEYS_AGE_VERIFY_US);
	if (jws_verify(a, token, ret, &is_expired))
		return true;
	if (is_expired || jws_has_kid(a, token))
		return false;

	keys_refresh(
		KEYS_AGE_UNKNOWN_US); /* it may be signed by a key that is newer than our set */

	return jws_verify(a, token, ret, &is_expired);
}
