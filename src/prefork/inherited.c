/* The environment variables of inherited.h, written and read. */
#include "prefork/inherited.h"

#include "base/buf.h"
#include "base/str.h"

#include <fcntl.h>

static bool to_number(struct str s, int64_t max, int64_t *ret)
{
	return str_to_i64(s, 0, max, ret);
}

int inherited_fd(const char *name)
{
	struct str rest = str_of(getenv(INHERITED_FDS)), entry, key;
	int64_t fd;

	for (entry = str_cut(&rest, ' '); entry.ptr; entry = str_cut(&rest, ' ')) {
		key = str_cut(&entry, '=');
		if (str_is(key, name) && to_number(entry, INT32_MAX, &fd))
			return (int)fd;
	}

	return -1;
}

static bool parse_worker(struct str entry, struct inherited_worker *ret)
{
	int64_t pid, slot, index, end, far_end;
	struct str pool;
	bool ok;

	ok = to_number(str_cut(&entry, ':'), INT32_MAX, &pid);
	ok = to_number(str_cut(&entry, ':'), INT32_MAX, &slot) && ok;
	pool = str_cut(&entry, ':');
	ok = to_number(str_cut(&entry, ':'), INT32_MAX, &index) && ok;
	ok = to_number(str_cut(&entry, ':'), INT32_MAX, &end) && ok;
	ok = to_number(str_cut(&entry, ':'), INT32_MAX, &far_end) && ok;
	if (!ok || pid < 2 || pool.len >= sizeof(ret->pool))
		return false;

	*ret = (struct inherited_worker){ .pid = (pid_t)pid,
					  .slot = (unsigned)slot,
					  .index = (unsigned)index,
					  .end = (int)end,
					  .far_end = (int)far_end };
	memcpy(ret->pool, pool.ptr, pool.len);

	return true;
}

bool inherited_worker(size_t i, struct inherited_worker *ret)
{
	struct str rest = str_of(getenv(INHERITED_WORKERS)), entry;

	for (entry = str_cut(&rest, ' '); entry.ptr; entry = str_cut(&rest, ' '))
		if (parse_worker(entry, ret) && i-- == 0)
			return true;

	return false;
}

void inherited_put_fd(struct buf *text, const char *name, int fd)
{
	buf_printf(text, "%s%s=%d", text->len ? " " : "", name, fd);
}

void inherited_put_worker(struct buf *text, const struct inherited_worker *w)
{
	buf_printf(text, "%s%d:%u:%s:%u:%d:%d", text->len ? " " : "", (int)w->pid, w->slot, w->pool,
		   w->index, w->end, w->far_end);
}

void inherited_forget(void)
{
	(void)unsetenv(INHERITED_FDS);
	(void)unsetenv(INHERITED_WORKERS);
}

void fd_set_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC);
}
