/*
 * `zygo print` and `zygo openapi`: the tables as pages, which are committed and never edited. They
 * need no settings, so that a build prints what every build prints.
 */
#include "commands/commands.h"

#include "base/buf.h"
#include "base/config.h"
#include "domains/mount.h"
#include "events/types.h"
#include "http/openapi.h"
#include "http/print.h"
#include "http/route.h"

#define PAGE_MAX MIB(16)

/* PRINT_PAGES names them for the usage. */
static const struct {
	const char *name;
	void (*write)(struct buf *out);
} pages[] = {
	{ "routes", print_routes },
	{ "errors", print_errors },
	{ "permissions", print_permissions },
	{ "access", print_access },
	{ "events", print_events },
	{ "nginx", print_nginx },
	{ "settings", config_print_markdown },
	{ "env-example", config_print_example },
};

static int put(const struct buf *page)
{
	BUG_IF(page->overflow);
	if (fwrite(page->data, 1, page->len, stdout) == page->len && fflush(stdout) == 0)
		return 0;
	(void)fputs("zygo: could not write all of the page\n", stderr);

	return 1;
}

int command_print(int argc, char **argv)
{
	_cleanup_(buf_done) struct buf page = { 0 };
	size_t i = 0;

	while (argc == 2 && i < ARRAY_LEN(pages) && strcmp(argv[1], pages[i].name) != 0)
		i++;
	if (argc != 2 || i == ARRAY_LEN(pages))
		return 2;
	if (!routes_init(mounts))
		return 1;

	buf_init_heap(&page, PAGE_MAX);
	pages[i].write(&page);

	return put(&page);
}

int command_openapi(int argc, char **argv)
{
	_cleanup_(buf_done) struct buf page = { 0 };
	bool is_public = argc == 2 && strcmp(argv[1], "--public") == 0;
	const struct config none = { 0 }; /* the server's address is "/" */

	if (argc != 1 && !is_public)
		return 2;
	openapi_include(&event_webhooks);
	if (!routes_init(mounts))
		return 1;

	config_set(&none);
	buf_init_heap(&page, PAGE_MAX);
	openapi_write(&page, is_public ? TIER_API : ~0U, true);

	return put(&page);
}
