/*
 * `zygo mail ADDRESS`: sends one mail by the settings there are, at once, and says what the mail
 * server said.
 */
#include "commands/commands.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "identity/commands.h"
#include "net/mail.h"

static int send_to(struct ctx *c, const char *address)
{
	const struct mail m = {
		.id = uuid_v7(),
		.to = address,
		.subject = arena_printf(c->arena, "A mail from %s", config()->email_from_name),
		.text = "Mail from this installation arrives.\n",
		.html = "<!DOCTYPE html>\n<p>Mail from this installation arrives.</p>\n",
	};
	bool is_hopeless;

	if (mail_send(c, &m, &is_hopeless))
		return command_failed(c, "the mail was not sent");
	if (config()->smtp_host)
		printf("%s has taken a mail to %s\n", config()->smtp_host, address);
	else
		printf("A mail to %s is in %s\n", address, config()->mail_dir);

	return 0;
}

int command_mail(int argc, char **argv)
{
	struct ctx c;
	int status;

	if (argc != 2)
		return 2;

	ctx_reset(&c, arena_new());
	status = send_to(&c, argv[1]);
	arena_free(c.arena);

	return status;
}
