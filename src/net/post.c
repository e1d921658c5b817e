/* Where a mail goes: to the server, or into the folder. See mail.h. */
#include "net/mail.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "net/smtp.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FROM_WITHOUT_SERVER "zygo@localhost"

bool mail_is_sent(void)
{
	return config()->smtp_host || config()->mail_dir;
}

static bool write_all(int fd, struct str s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.ptr, s.len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			s = (struct str){ s.ptr + n, s.len - (size_t)n };
	}

	return true;
}

/* What it is found by: to whom, then when. An address is no path. */
static const char *file_name(struct ctx *c, const struct mail *m)
{
	char id[UUID_TEXT_SIZE];
	char *to = arena_strdup(c->arena, m->to);

	for (char *p = to; *p; p++)
		if (*p == '/')
			*p = '_';
	uuid_format(m->id, id);

	return arena_printf(c->arena, "%s/%s.%s.eml", config()->mail_dir, to, id);
}

/* Whole or not at all: it is written under another name first. */
static int put_into_folder(struct ctx *c, const struct mail *m, struct str message)
{
	const char *name = file_name(c, m);
	const char *unfinished = arena_printf(c->arena, "%s.new", name);
	_cleanup_(closep) int fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err;

	if (fd >= 0 && write_all(fd, message) && rename(unfinished, name) == 0)
		return OK;

	err = fail(c, ERR_SERVICE_UNAVAILABLE, NULL, "The mail could not be written to MAIL_DIR");
	errdetail_log(c, "%s: %s", name, strerror(errno));

	return err;
}

static int refuse_address(struct ctx *c, bool *ret_is_hopeless)
{
	*ret_is_hopeless = true;

	return fail(c, ERR_VALIDATION_ERROR, "to", "Mail cannot be sent to this address");
}

int mail_send(struct ctx *c, const struct mail *m, bool *ret_is_hopeless)
{
	const struct config *conf = config();
	const char *from = conf->email_from ? conf->email_from : FROM_WITHOUT_SERVER;
	struct buf message;

	*ret_is_hopeless = false;
	if (!mail_is_address(m->to))
		return refuse_address(c, ret_is_hopeless);

	buf_init(&message, c->arena, MAIL_BYTES_MAX);
	mail_write(&message, m, from, conf->email_from_name, clock_now_us());
	if (message.overflow) {
		*ret_is_hopeless = true;
		return fail_internal(c, "a mail is larger than %zu bytes", MAIL_BYTES_MAX);
	}

	if (conf->smtp_host)
		return smtp_send(c, from, m->to, buf_view(&message), ret_is_hopeless);
	if (conf->mail_dir)
		return put_into_folder(c, m, buf_view(&message));

	return fail(c, ERR_SERVICE_UNAVAILABLE, NULL, "Neither SMTP_HOST nor MAIL_DIR is set");
}
