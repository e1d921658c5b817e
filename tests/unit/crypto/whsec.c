/* Webhooks' secrets and signatures. */
#include "crypto/whsec.h"

#include <criterion/criterion.h>
#include <string.h>

/* The example of the specification (Standard Webhooks 1.0.0, "Webhook signatures"), as its own
 * libraries test it. */
Test(whsec, signs_as_standard_webhooks_does)
{
	char signature[WHSEC_SIGNATURE_SIZE];

	cr_assert(whsec_sign(STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
			     STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
			     STR("{\"test\": 2432232314}"), signature));
	cr_assert_str_eq(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

Test(whsec, makes_secrets_that_it_can_sign_with)
{
	char a[WHSEC_TEXT_SIZE], b[WHSEC_TEXT_SIZE], signature[WHSEC_SIGNATURE_SIZE];

	whsec_make(a);
	whsec_make(b);
	cr_assert_str_neq(a, b);
	cr_assert(str_starts(str_of(a), "whsec_") && strlen(a) == WHSEC_TEXT_SIZE - 1);
	cr_assert(whsec_sign(str_of(a), STR("id"), 1, STR("{}"), signature));
}

Test(whsec, refuses_what_is_no_secret)
{
	static const char *const bad[] = {
		"",
		"whsec_",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa", /* 22 bytes and a bit */
		"whsec_not base64!",
	};
	char signature[WHSEC_SIGNATURE_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_not(whsec_sign(str_of(bad[i]), STR("id"), 1, STR("{}"), signature), "%s",
			      bad[i]);
}
