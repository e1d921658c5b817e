/*
 * Any bytes as an access token: whatever is believed names a key of ours, says who, and says the
 * same again when it is remembered. The corpus has tokens of the key below, whose private half was
 * thrown away.
 */
#define ZYGO_MAY_ALLOCATE
#include "base/arena.h"
#include "crypto/jws.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char public_pem[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESOzbucqfh1EnX7ILHjOH3BP3eUAu\n"
	"2FbcWtx7BcH/lAD4+9c4yM4yzr9mF5F3aGGFRKUzi0hUc/rm8TdT3MOKBQ==\n"
	"-----END PUBLIC KEY-----\n";

int LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
	struct jws_key key = { .kid = "fuzz", .public_pem = strdup(public_pem) };

	jws_keys_set(&key, 1, "https://api.example.com", "zygo");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str token = { (const char *)data, size };
	struct arena *a = arena_new();
	struct claims claims, again;
	bool expired;

	if (jws_verify(a, token, &claims, &expired)) {
		BUG_IF(expired || !jws_has_kid(a, token));
		BUG_IF(uuid_is_nil(claims.account.u));
		BUG_IF(!jws_verify(a, token, &again, &expired));
		BUG_IF(memcmp(&claims, &again, sizeof(claims)) != 0);
	}
	arena_free(a);

	return 0;
}
