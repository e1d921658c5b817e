/* Any bytes as a link that ends mails: none is believed that was not signed, and what was signed is
 * read as it was said. */
#include "domains/notifications/unsubscribe.h"

#include "base/arena.h"
#include "base/config.h"
#include "crypto/token.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ids and a kind from the data; that link, behind its last slash. */
static struct str signed_link(struct arena *a, struct str data, struct subscription *ret)
{
	const char *url;

	*ret = (struct subscription){ 0 };
	for (size_t i = 0; i < data.len && i < sizeof(ret->user); i++)
		ret->user.u.bytes[i] = (uint8_t)data.ptr[i];
	ret->kind = data.len ? arena_printf(a, "kind.%zu", data.len) : NULL;
	url = unsubscribe_url(a, ret);

	return str_of(strrchr(url, '/') + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config set = { .api_url = "https://api.example" };
	static struct arena *a;
	struct str text = { (const char *)data, size }, link;
	struct subscription said, read;

	if (!a) {
		a = arena_new();
		config_set(&set);
		token_init("a key of thirty-two characters..", NULL);
	}

	BUG_IF(unsubscribe_read(a, text, &read));
	link = signed_link(a, text, &said);
	BUG_IF(!unsubscribe_read(a, link, &read));
	BUG_IF(!uuid_eq(said.user.u, read.user.u) || !uuid_eq(said.tenant.u, read.tenant.u));
	BUG_IF(!said.kind != !read.kind || (said.kind && strcmp(said.kind, read.kind) != 0));
	arena_reset(a);

	return 0;
}
