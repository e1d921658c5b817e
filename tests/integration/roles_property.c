/*
 * Nobody ends with a permission that no grantor held: random roles, random people and programs,
 * random changes, all through the API. What is looked at is not whether a change was allowed but
 * what everybody may do after it.
 *
 * The order of things is decided by a number that the test prints; ZYGO_TEST_SEED repeats it.
 */
#include "http/permissions.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <assert.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE 6
#define ROLES  6 /* custom ones */
#define KEYS   4 /* of programs */
#define ROUNDS                                                                                     \
	4 /* each in a tenant of its own, since one may end with nobody who may do anything */
#define STEPS 120

static_assert(PERM_COUNT <= 64, "a set of permissions is a word");

struct person {
	struct caller caller;
	uint64_t holds; /* bits of enum perm */
};

struct program {
	struct caller caller; /* api_key NULL: none yet */
	size_t maker;
	uint64_t scopes;
};

/* One tenant and everybody in it. */
static struct {
	struct person people[PEOPLE];
	struct program programs[KEYS];
	const char *roles[ROLES]; /* ids; NULL: none now */
	uint64_t state;
} w;

/*
 * Chance: xorshift64* (S. Vigna, "An experimental exploration of Marsaglia's xorshift generators").
 */

static uint64_t chance(uint64_t below)
{
	w.state ^= w.state >> 12;
	w.state ^= w.state << 25;
	w.state ^= w.state >> 27;
	return (w.state * UINT64_C(2685821657736338717) >> 33) % below;
}

static uint64_t begin_chance(void)
{
	const char *again = getenv("ZYGO_TEST_SEED");
	int64_t seed;

	random_bytes(&seed, sizeof(seed));
	seed = (seed & INT64_MAX) | 1;
	if (again)
		cr_assert(str_to_i64(str_of(again), 1, INT64_MAX, &seed));
	w.state = (uint64_t)seed;
	return w.state;
}

/*
 * Sets of permissions
 */

/* Few, so that what one lacks is often what another has. */
static uint64_t some_permissions(void)
{
	uint64_t set = 0;

	for (size_t n = chance(4); n; n--)
		set |= UINT64_C(1)
		       << (PERM_GLOBAL_ADMIN + 1 + chance(PERM_COUNT - PERM_GLOBAL_ADMIN - 1));
	return set;
}

/* As members of a JSON array. */
static const char *names_of(uint64_t set)
{
	const char *names = "";

	for (size_t p = 0; p < PERM_COUNT; p++) {
		if (set & UINT64_C(1) << p)
			names = strf("%s%s\"%s\"", names, *names ? "," : "", permissions[p].name);
	}
	return names;
}

static uint64_t set_of(const char *names)
{
	struct str rest = str_of(names), name;
	uint64_t set = 0;

	while ((name = str_cut(&rest, ' ')).ptr) {
		for (size_t p = 0; p < PERM_COUNT; p++) {
			if (permissions[p].name && str_is(name, permissions[p].name))
				set |= UINT64_C(1) << p;
		}
	}
	return set;
}

/* What the database lets a seat do, and what its roles say that it should: the same. */
static uint64_t read_seat(const struct caller *c)
{
	const char *tenant = id_text(c->tenant.u), *user = id_text(c->user.u);
	const char *kept = database_value("SELECT array_to_string(permissions, ' ') FROM users "
					  "WHERE tenant_id = $1::uuid AND id = $2::uuid",
					  tenant, user, NULL);
	const char *said =
		database_value("SELECT string_agg(p, ' ') FROM user_roles ur "
			       "JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id "
			       "LEFT JOIN builtin_roles b ON b.key = r.builtin_key, "
			       "unnest(coalesce(b.permissions, r.permissions)) p "
			       "WHERE ur.tenant_id = $1::uuid AND ur.user_id = $2::uuid",
			       tenant, user, NULL);

	cr_assert_eq(set_of(kept), set_of(said ? said : ""), "a seat is not what its roles say");
	return set_of(kept);
}

/*
 * Changes: each by somebody, who may or may not
 */

static struct answer make_role(const struct caller *who)
{
	size_t i = chance(ROLES);
	struct answer a;

	a = post(who, "/roles",
		 strf("{\"key\":\"role-%zu\",\"name\":\"x\",\"permissions\":[%s]}", i,
		      names_of(some_permissions())));
	if (a.status == 201)
		w.roles[i] = strf("%s", answer_text(a, "id"));
	return a;
}

static const char *some_role(void)
{
	const char *id = w.roles[chance(ROLES)];

	return strf("/roles/%s", id ? id : id_text(uuid_v7()));
}

static struct answer change_role(const struct caller *who)
{
	return patch(who, some_role(),
		     strf("{\"permissions\":[%s]}", names_of(some_permissions())));
}

static struct answer delete_role(const struct caller *who)
{
	return del(who, some_role());
}

static struct answer give_roles(const struct caller *who)
{
	static const char *const builtin[] = { "owner", "admin", "member", "viewer" };
	size_t to = chance(PEOPLE);
	const char *keys = strf("\"role-%zu\"", (size_t)chance(ROLES));

	if (chance(3) == 0)
		keys = strf("%s,\"role-%zu\"", keys, (size_t)chance(ROLES));
	if (chance(6) == 0)
		keys = strf("%s,\"%s\"", keys, builtin[chance(ARRAY_LEN(builtin))]);
	return put(who, strf("/users/%s/roles", id_text(w.people[to].caller.user.u)),
		   strf("{\"roles\":[%s]}", keys));
}

static size_t maker(const struct caller *who)
{
	size_t i = 0;

	while (!uuid_eq(w.people[i].caller.user.u, who->user.u))
		i++;
	return i;
}

static struct answer make_key(const struct caller *who)
{
	uint64_t scopes = some_permissions();
	struct answer a =
		post(who, "/api-keys", strf("{\"name\":\"x\",\"scopes\":[%s]}", names_of(scopes)));

	if (a.status == 201)
		w.programs[chance(KEYS)] = (struct program){
			.caller = with_api_key(*who, strf("%s", answer_text(a, "key"))),
			.maker = maker(who),
			.scopes = scopes,
		};
	return a;
}

static const struct {
	struct answer (*make)(const struct caller *who);
	uint64_t weight;
} changes[] = {
	{ make_role, 2 },  { change_role, 4 }, { delete_role, 1 },
	{ give_roles, 5 }, { make_key, 2 },
};

static struct answer change(const struct caller *who)
{
	uint64_t n = chance(14);
	size_t i = 0;

	while (n >= changes[i].weight)
		n -= changes[i++].weight;
	return changes[i].make(who);
}

/* Everybody may do what they could before, less, or what the one who acts could do as well. */
static void expect_no_more(uint64_t actor_holds, size_t step, uint64_t seed)
{
	for (size_t i = 0; i < PEOPLE; i++) {
		struct person *p = &w.people[i];
		uint64_t now = read_seat(&p->caller);

		cr_assert_eq(now & ~(p->holds | actor_holds), 0,
			     "seed %lu, step %zu: somebody has %s, which nobody could give", seed,
			     step, names_of(now & ~(p->holds | actor_holds)));
		p->holds = now;
	}
}

static void found(void)
{
	static const enum builtin_role roles[PEOPLE] = { ROLE_OWNER,  ROLE_ADMIN,  ROLE_ADMIN,
							 ROLE_MEMBER, ROLE_VIEWER, ROLE_VIEWER };
	struct tenant_id t = tenant_make();

	memset(w.programs, 0, sizeof(w.programs));
	memset(w.roles, 0, sizeof(w.roles));
	for (size_t i = 0; i < PEOPLE; i++) {
		w.people[i].caller = caller_in(t, roles[i]);
		w.people[i].holds = read_seat(&w.people[i].caller);
	}
}

/* One change by somebody, or by a program of theirs; whether it was made. */
static bool take_step(size_t step, uint64_t seed)
{
	const struct program *p = &w.programs[chance(KEYS)];
	bool by_program = p->caller.api_key && chance(3) == 0;
	const struct person *person = &w.people[by_program ? p->maker : chance(PEOPLE)];
	struct caller who = by_program ? p->caller : person->caller;
	uint64_t holds = by_program ? person->holds & p->scopes : person->holds;
	int status = change(&who).status;

	cr_assert(status < 500, "seed %lu, step %zu: %d", seed, step, status);
	expect_no_more(holds, step, seed);
	answers_forget();
	return status < 300;
}

Test(roles_property, nobody_ends_with_a_permission_that_no_grantor_held)
{
	uint64_t seed = begin_chance();
	size_t made = 0;

	for (size_t round = 0; round < ROUNDS; round++) {
		found();
		for (size_t step = 0; step < STEPS; step++)
			made += take_step(round * STEPS + step, seed);
	}
	cr_assert_gt(made, ROUNDS * STEPS / 20, "seed %lu: hardly anything was changed", seed);
}
