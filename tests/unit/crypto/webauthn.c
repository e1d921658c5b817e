/*
 * WebAuthn's two ceremonies with a device of our own (device.h): what is right is taken, and each
 * thing that may be wrong is refused, and said.
 */
#include "crypto/webauthn.h"

#include "base/arena.h"
#include "support/device.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const origins[] = { "https://app.example.com", "https://api.example.com", NULL };
static const int algorithms[] = { -7, -8, -257 };

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(webauthn, .init = begin, .fini = end);

static struct webauthn_want wanted(const struct device *d)
{
	return (struct webauthn_want){ d->challenge, "example.com", origins, true };
}

static struct webauthn_credential registered(const struct device *d)
{
	struct webauthn_want want = wanted(d);
	struct webauthn_credential credential;
	const char *why;

	why = webauthn_register(arena, &want, device_client_data(d, "webauthn.create"),
				device_attestation(d), &credential);
	cr_assert_null(why, "%s", why);
	return credential;
}

Test(webauthn, what_a_device_registers_it_logs_in_with)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		struct webauthn_credential credential;
		struct webauthn_want want;
		struct str client, data;
		struct device d;
		const char *why;
		int64_t count;

		device_init(&d, arena, algorithms[i]);
		credential = registered(&d);
		cr_expect_eq(credential.algorithm, algorithms[i]);
		cr_expect(str_is(credential.id, "a-device"));
		cr_expect_eq(credential.sign_count, 1);

		d.sign_count = 2;
		want = wanted(&d);
		client = device_client_data(&d, "webauthn.get");
		data = device_authenticator_data(&d, false);
		why = webauthn_verify(arena, &want, &credential, client, data,
				      device_sign(&d, data, client), &count);
		cr_expect_null(why, "algorithm %d: %s", algorithms[i], why);
		cr_expect_eq(count, 2);
		device_done(&d);
	}
}

/*
 * One thing wrong at a time. Each takes a device that has registered, or the want, and spoils it.
 */

static void other_origin(struct device *d, UNUSED struct webauthn_want *want)
{
	d->origin = "https://app.example.com.evil.example";
}

static void other_party(struct device *d, UNUSED struct webauthn_want *want)
{
	d->rp_id = "evil.example";
}

static void other_challenge(struct device *d, UNUSED struct webauthn_want *want)
{
	d->challenge = STR("0123456789abcdef0123456789abcdef");
}

static void shorter_challenge(struct device *d, UNUSED struct webauthn_want *want)
{
	d->challenge.len--;
}

static void untouched(struct device *d, UNUSED struct webauthn_want *want)
{
	d->flags = 0;
}

static void not_verified(struct device *d, UNUSED struct webauthn_want *want)
{
	d->flags = 1;
}

static void wants_less(struct device *d, struct webauthn_want *want)
{
	d->flags = 1;
	want->user_verified = false;
}

static const struct {
	const char *name;
	void (*spoil)(struct device *d, struct webauthn_want *want);
	const char *why; /* part of it; NULL: it is right all the same */
} mistakes[] = {
	{ "another origin", other_origin, "origin" },
	{ "another relying party", other_party, "relying party" },
	{ "another challenge", other_challenge, "challenge" },
	{ "a shorter challenge", shorter_challenge, "challenge" },
	{ "nobody there", untouched, "touched the device" },
	{ "not verified", not_verified, "verify" },
	{ "not verified, nor wanted", wants_less, NULL },
};

static void expect_why(const char *name, const char *ceremony, const char *why, const char *part)
{
	if (!part)
		cr_expect_null(why, "%s, %s: %s", name, ceremony, why);
	else
		cr_expect(why && strstr(why, part), "%s, %s: %s", name, ceremony,
			  why ? why : "taken");
}

Test(webauthn, each_mistake_is_refused_in_both_ceremonies)
{
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct webauthn_credential credential, ignored;
		struct webauthn_want want;
		struct str client, data;
		struct device d;
		int64_t count;

		device_init(&d, arena, -7);
		credential = registered(&d);
		want = wanted(&d);
		d.sign_count++;
		mistakes[i].spoil(&d, &want);

		expect_why(mistakes[i].name, "registration",
			   webauthn_register(arena, &want,
					     device_client_data(&d, "webauthn.create"),
					     device_attestation(&d), &ignored),
			   mistakes[i].why);
		client = device_client_data(&d, "webauthn.get");
		data = device_authenticator_data(&d, false);
		expect_why(mistakes[i].name, "assertion",
			   webauthn_verify(arena, &want, &credential, client, data,
					   device_sign(&d, data, client), &count),
			   mistakes[i].why);
		device_done(&d);
	}
}

Test(webauthn, one_ceremony_is_not_the_other)
{
	struct webauthn_credential credential;
	struct webauthn_want want;
	struct str client, data;
	struct device d;
	int64_t count;

	device_init(&d, arena, -7);
	credential = registered(&d);
	want = wanted(&d);
	d.sign_count++;
	client = device_client_data(&d, "webauthn.create");
	data = device_authenticator_data(&d, false);
	cr_assert_not_null(webauthn_verify(arena, &want, &credential, client, data,
					   device_sign(&d, data, client), &count));
	cr_assert_not_null(webauthn_register(arena, &want, device_client_data(&d, "webauthn.get"),
					     device_attestation(&d), &credential));
	device_done(&d);
}

Test(webauthn, a_counter_grows_or_is_none)
{
	static const struct {
		int64_t kept;
		uint32_t said;
		bool is_right;
	} counts[] = { { 0, 0, true },  { 0, 1, true },  { 1, 2, true }, { 5, UINT32_MAX, true },
		       { 5, 5, false }, { 5, 4, false }, { 5, 0, false } };

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct webauthn_credential credential;
		struct webauthn_want want;
		struct str client, data;
		struct device d;
		const char *why;
		int64_t count;

		device_init(&d, arena, -8);
		credential = registered(&d);
		credential.sign_count = counts[i].kept;
		d.sign_count = counts[i].said;
		want = wanted(&d);
		client = device_client_data(&d, "webauthn.get");
		data = device_authenticator_data(&d, false);
		why = webauthn_verify(arena, &want, &credential, client, data,
				      device_sign(&d, data, client), &count);
		cr_expect_eq(!why, counts[i].is_right, "row %zu: %s", i, why ? why : "taken");
		device_done(&d);
	}
}

Test(webauthn, a_flipped_bit_anywhere_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		struct webauthn_credential credential;
		struct webauthn_want want;
		struct str client, data, signature;
		struct device d;
		int64_t count;

		device_init(&d, arena, algorithms[i]);
		credential = registered(&d);
		want = wanted(&d);
		d.sign_count++;
		client = device_client_data(&d, "webauthn.get");
		data = device_authenticator_data(&d, false);
		signature = device_sign(&d, data, client);
		for (size_t at = 0; at < signature.len; at += 7) {
			char *flipped = str_dup(arena, signature);

			flipped[at] = (char)(flipped[at] ^ 1);
			cr_expect_not_null(webauthn_verify(arena, &want, &credential, client, data,
							   (struct str){ flipped, signature.len },
							   &count),
					   "algorithm %d, byte %zu", algorithms[i], at);
		}
		cr_expect_not_null(webauthn_verify(arena, &want, &credential, client, data,
						   (struct str){ NULL, 0 }, &count));
		device_done(&d);
	}
}

Test(webauthn, another_device_is_not_this_one)
{
	struct webauthn_credential credential;
	struct webauthn_want want;
	struct str client, data;
	struct device d, thief;
	int64_t count;

	device_init(&d, arena, -7);
	device_init(&thief, arena, -7);
	credential = registered(&d);
	thief.challenge = d.challenge;
	thief.sign_count = 9;
	want = wanted(&d);
	client = device_client_data(&thief, "webauthn.get");
	data = device_authenticator_data(&thief, false);
	cr_assert_not_null(webauthn_verify(arena, &want, &credential, client, data,
					   device_sign(&thief, data, client), &count));
	device_done(&d);
	device_done(&thief);
}

/* In a block of just so many bytes, so that a sanitizer sees what reads behind it. */
static const char *register_cut(const struct device *d, struct str attestation, size_t len)
{
	struct webauthn_want want = wanted(d);
	struct webauthn_credential credential;
	struct str cut = { str_dup(arena, (struct str){ attestation.ptr, len }), len };

	return webauthn_register(arena, &want, device_client_data(d, "webauthn.create"), cut,
				 &credential);
}

Test(webauthn, cut_off_at_any_byte_or_with_one_more_it_cannot_be_read)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		struct str attestation;
		struct device d;

		device_init(&d, arena, algorithms[i]);
		attestation = device_attestation(&d);
		for (size_t len = 0; len < attestation.len; len++)
			cr_expect_not_null(register_cut(&d, attestation, len),
					   "algorithm %d, %zu bytes", algorithms[i], len);
		cr_expect_not_null(register_cut(&d, attestation, attestation.len + 1));
		cr_expect_null(register_cut(&d, attestation, attestation.len));
		device_done(&d);
	}
}

/* CBOR that is none of WebAuthn's: hex. */
static const char *const strange[] = {
	"",
	"00",
	"a0",                                 /* a map of nothing */
	"a1686175746844617461",               /* a key without a value */
	"a168617574684461746160",             /* text in place of bytes */
	"a16861757468446174614100",           /* a byte of authenticator data */
	"bbffffffffffffffff",                 /* 2^64 - 1 pairs */
	"bf6861757468446174614100ff",         /* a length that is not stated */
	"a1636162639bffffffffffffffff",       /* an array longer than there is */
	"a163616263818181818181818181818100", /* nested */
	"c1a0",                               /* tagged */
	"5affffffff",                         /* four gigabytes */
};

Test(webauthn, strange_cbor_is_refused)
{
	struct device d;

	device_init(&d, arena, -7);
	for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
		size_t len = strlen(strange[i]) / 2;
		char *bytes = arena_alloc(arena, len + 1);

		cr_assert(str_unhex(str_of(strange[i]), bytes, len));
		cr_expect_not_null(register_cut(&d, (struct str){ bytes, len }, len), "%s",
				   strange[i]);
	}
	device_done(&d);
}

Test(webauthn, client_data_is_json_with_a_challenge)
{
	static const char *const bad[] = { "",
					   "{}",
					   "[]",
					   "{\"challenge\":17}",
					   "{\"challenge\":\"a+/b\"}",
					   "{\"challenge\":\"AAAA\"}",
					   "{\"challenge\":\"AAAA\",\"challenge\":\"AAAA\"}" };
	struct str challenge;
	struct device d;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_not(webauthn_challenge(arena, str_of(bad[i]), &challenge), "%s", bad[i]);

	device_init(&d, arena, -8);
	cr_assert(webauthn_challenge(arena, device_client_data(&d, "webauthn.get"), &challenge));
	cr_assert(str_eq(challenge, d.challenge));
	device_done(&d);
}

Test(webauthn, a_page_in_a_foreign_frame_is_refused)
{
	struct webauthn_credential credential;
	struct webauthn_want want;
	struct str client;
	struct device d;

	device_init(&d, arena, -8);
	want = wanted(&d);
	client = str_of(arena_printf(arena,
				     "{\"type\":\"webauthn.create\",\"challenge\":\"%s\","
				     "\"origin\":\"https://app.example.com\",\"crossOrigin\":true}",
				     str_base64url(arena, d.challenge.ptr, d.challenge.len)));
	cr_assert_not_null(
		webauthn_register(arena, &want, client, device_attestation(&d), &credential));
	device_done(&d);
}
