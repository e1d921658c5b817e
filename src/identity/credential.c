/* The syntax of credentials: see credential.h. */
#include "identity/credential.h"

#include "base/arena.h"
#include "crypto/apikey.h"

#include <inttypes.h>

/* token68 of RFC 9110 section 11.2, as far as it matters: no blank, nothing that ends a header. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f)
			return false;
	}

	return s.len > 0;
}

struct str bearer_token(const char *authorization)
{
	struct str rest = str_of(authorization);
	struct str scheme = str_cut(&rest, ' ');
	struct str token = str_trim(rest);

	if (!str_is_nocase(scheme, "Bearer") || !is_token(token))
		return (struct str){ NULL, 0 };

	return token;
}

struct str api_key_text(const char *authorization, const char *x_api_key)
{
	struct str text = authorization ? bearer_token(authorization) : str_of(x_api_key);

	if (!text.len || (authorization && !str_starts(text, APIKEY_PREFIX)))
		return (struct str){ NULL, 0 };

	return text;
}

const char *session_cookie(struct arena *a, const char *token, int64_t max_age_s)
{
	return arena_printf(
		a, SESSION_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=%" PRId64,
		token ? token : "", token ? max_age_s : 0);
}
