/* The form of an Idempotency-Key; what it does is in tests/integration. */
#include "http/idempotency.h"

#include <criterion/criterion.h>

Test(idempotency, a_key_is_visible_ascii)
{
	char longest[257];

	memset(longest, 'a', 256);
	longest[256] = '\0';

	cr_expect(idempotency_is_key(STR("8e03978e-40d5-43e8-bc93-6894a57f9324")));
	cr_expect(idempotency_is_key(STR("!")));
	cr_expect(idempotency_is_key((struct str){ longest, 255 }));
	cr_expect(!idempotency_is_key((struct str){ longest, 256 }));
	cr_expect(!idempotency_is_key(STR("")));
	cr_expect(!idempotency_is_key(STR("a b")));
	cr_expect(!idempotency_is_key(STR("a\tb")));
	cr_expect(!idempotency_is_key(STR("ü")));
	cr_expect(!idempotency_is_key(STR("a\x7f")));
}
