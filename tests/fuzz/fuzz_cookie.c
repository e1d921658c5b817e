/* Any bytes as a Cookie header, an Origin, an address: what is cut out lies within, and nothing
 * else is believed. */
#include "base/arena.h"
#include "base/config.h"
#include "base/address.h"
#include "http/cors.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *param(const void *peer, const char *name)
{
	(void)name;
	return peer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config set = { .env = APP_PRODUCTION,
					   .app_url = "https://app.example",
					   .cors_origins = "https://a.example,https://b.example" };
	static const struct transport transport = { .param = param };
	struct arena *a = arena_new();
	char *text = arena_strndup(a, (const char *)data, size);
	struct request r = { .transport = &transport, .peer = text };
	struct str value = request_cookie(&r, "__Host-zygo_session");

	BUG_IF(value.ptr && (value.ptr < text || value.ptr + value.len > text + size));
	BUG_IF(value.len && memchr(value.ptr, ';', value.len));

	config_set(&set);
	BUG_IF(cors_allows(text) && strcmp(text, "https://app.example") &&
	       strcmp(text, "https://a.example") && strcmp(text, "https://b.example"));

	(void)address_subject(a, text);
	(void)address_is_in("192.0.2.1", text);
	BUG_IF(!is_ip(str_of(address_of_client(a, "192.0.2.1", text, "0.0.0.0/0,::/0"))));
	arena_free(a);

	return 0;
}
