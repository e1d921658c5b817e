/* Sign-up and log-in, and what they give. */
#include "support/person.h"

#include "identity/credential.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>

static struct caller visitor(void)
{
	return on_tier(caller_nobody(), TIER_AUTH);
}

struct answer try_log_in(const char *email, const char *password, const char *tenant)
{
	struct caller v = visitor();
	const char *named = tenant ? strf(",\"tenant\":\"%s\"", tenant) : "";

	return post(&v, "/login",
		    strf("{\"email\":\"%s\",\"password\":\"%s\"%s}", email, password, named));
}

struct answer try_refresh(const char *refresh_token)
{
	struct caller v = visitor();

	return post(&v, "/refresh", strf("{\"refreshToken\":\"%s\"}", refresh_token));
}

struct caller with_cookie(struct caller c)
{
	c.token = NULL;
	return c;
}

const char *answer_cookie(const struct answer *a)
{
	struct str header = str_of(answer_header(a, "Set-Cookie"));
	struct str value = str_cut(&header, ';');
	struct str name = str_cut(&value, '=');

	return str_is(name, SESSION_COOKIE) ? str_dup(world_arena(), value) : NULL;
}

/* Somebody as sign-up or log-in has answered. */
static struct person from_answer(struct answer a, const char *password)
{
	struct caller c = visitor();

	c.account.u = id_of(answer_text(a, "user.id"));
	c.tenant.u = id_of(answer_text(a, "user.tenantId"));
	c.user.u = id_of(answer_text(a, "user.userId"));
	c.email = strf("%s", answer_text(a, "user.email"));
	c.token = strf("%s", answer_text(a, "accessToken"));
	c.cookie = answer_cookie(&a);
	c.session.u = id_of(database_value("SELECT id FROM sessions WHERE account_id = $1::uuid "
					   "ORDER BY created_at DESC, id DESC LIMIT 1",
					   id_text(c.account.u), NULL));

	return (struct person){
		.caller = c,
		.password = password,
		.refresh_token = strf("%s", answer_text(a, "refreshToken")),
		.slug = strf("%s", answer_text(a, "tenant.slug")),
	};
}

struct person person_sign_up(void)
{
	struct caller v = visitor();
	const char *password = strf("a %s", new_word());
	const char *email = strf("%s@example.com", new_word());
	struct answer a = post(&v, "/signup",
			       strf("{\"email\":\"%s\",\"password\":\"%s\",\"firstName\":\"Ann\"}",
				    email, password));

	return from_answer(answer_is(a, 201), password);
}

struct person person_log_in(const struct person *p)
{
	return from_answer(answer_is(try_log_in(p->caller.email, p->password, NULL), 200),
			   p->password);
}
