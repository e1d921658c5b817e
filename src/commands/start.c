/* See start.h. */
#include "commands/start.h"

#include "base/buf.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/str.h"
#include "db/conn.h"
#include "identity/commands.h"

int start_failed(const char *reason)
{
	log_fatal("Failed to start server", LOG_S("reason", reason));

	return 1;
}

/* A finding is a reason not to start. */
static bool findings_refuse(const struct buf *findings)
{
	struct str rest = str_trim(buf_view(findings)), line;

	if (!rest.len)
		return false;
	for (line = str_cut(&rest, '\n'); line.ptr; line = str_cut(&rest, '\n')) {
		char text[512];

		(void)snprintf(text, sizeof(text), "%.*s", STR_FMT(line));
		(void)start_failed(text);
	}

	return true;
}

int start_check_database(void)
{
	_cleanup_(buf_done) struct buf findings = { 0 };
	struct ctx *c = command_begin("start");
	bool refused;

	buf_init_heap(&findings, KIB(64));
	if (db_check(c, &findings))
		log_warn(
			"The database could not be checked; what needs it waits until it can be reached",
			LOG_S("detail", c->fault.detail ? c->fault.detail : c->fault.message));
	refused = findings_refuse(&findings);
	command_end(c);

	return refused ? 1 : 0;
}
