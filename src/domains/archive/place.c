/* Where archives are kept: see place.h. */
#include "domains/archive/place.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "crypto/digest.h"
#include "net/bucket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_SCHEME      "file://"
#define DIGEST_AT_A_TIME KIB(64)
#define SPOOL_FOLDER     "/var/tmp" /* of what goes to or comes from a bucket; the file has no name */

/* The folder that a file: URL names; NULL: it is no such URL. */
static const char *folder_of(const char *url)
{
	return str_starts(str_of(url), FILE_SCHEME) ? url + strlen(FILE_SCHEME) : NULL;
}

const char *place_folder(void)
{
	return folder_of(config()->archive_url);
}

/* Of a part of what goes to a bucket. */
static int digest_file(struct ctx *c, int fd, int64_t bytes, const char **ret)
{
	struct digest *d = digest_new(c->arena);
	off_t place = lseek(fd, 0, SEEK_CUR);
	uint8_t some[DIGEST_AT_A_TIME];

	for (int64_t done = 0; done < bytes;) {
		size_t max = bytes - done < (int64_t)sizeof(some) ? (size_t)(bytes - done)
								  : sizeof(some);
		ssize_t got = pread(fd, some, max, place + done);

		if (got == 0 || (got < 0 && errno != EINTR))
			return fail_internal(c, "the archive could not be read: %s",
					     got == 0 ? "it is shorter by now" : strerror(errno));
		if (got > 0) {
			digest_add(d, some, (size_t)got);
			done += got;
		}
	}
	*ret = digest_end(d);

	return OK;
}

static struct bucket bucket(void)
{
	return (struct bucket){ .region = config()->archive_s3_region,
				.key_id = config()->archive_s3_key_id,
				.secret = config()->archive_s3_secret,
				.digest = digest_file };
}

static int open_failed(struct ctx *c, const char *path)
{
	return fail_internal(c, "%s: could not be opened: %s", path, strerror(errno));
}

/* A file without a name (open(2), O_TMPFILE: not every network file system has it). */
static int open_nameless(struct ctx *c, const char *folder, int *ret_fd)
{
	*ret_fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return *ret_fd < 0 ? open_failed(c, folder) : OK;
}

int place_begin(struct ctx *c, const char *name, struct placing *ret)
{
	const char *folder = place_folder();

	*ret = (struct placing){ .fd = -1, .name = name };

	return open_nameless(c, folder ? folder : SPOOL_FOLDER, &ret->fd);
}

/* Under its name, in place of an earlier one, and there after a power cut. A name can be given to
 * a file only where there is none, so it has another first. */
static int keep_file(struct ctx *c, const struct placing *p, const char *folder, const char *path)
{
	_cleanup_(closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *self = arena_printf(c->arena, "/proc/self/fd/%d", p->fd);
	char unique[UUID_TEXT_SIZE];
	const char *first;
	int err;

	uuid_format(uuid_v7(), unique);
	first = arena_printf(c->arena, "%s/.%s.partial", folder, unique);
	if (dir >= 0 && fsync(p->fd) == 0 &&
	    linkat(AT_FDCWD, self, AT_FDCWD, first, AT_SYMLINK_FOLLOW) == 0 &&
	    rename(first, path) == 0 && fsync(dir) == 0)
		return OK;

	err = fail_internal(c, "%s: could not be kept: %s", path, strerror(errno));
	(void)unlink(first);

	return err;
}

int place_keep(struct ctx *c, struct placing *p, int64_t bytes, const char *sha256,
	       const char **ret_location)
{
	const char *folder = place_folder();
	const struct bucket b = bucket();
	const char *url = arena_printf(c->arena, "%s/%s", config()->archive_url, p->name);

	*ret_location = url;
	if (folder)
		return keep_file(c, p, folder, folder_of(url));

	return bucket_put(c, &b, url, p->fd, bytes, sha256);
}

void place_done(struct placing *p)
{
	closep(&p->fd);
	p->fd = -1;
}

int place_open(struct ctx *c, const char *location, int *ret_fd)
{
	const struct bucket b = bucket();
	const char *path = strstr(location, "://") ? folder_of(location) : location;
	int err;

	if (path) {
		*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
		return *ret_fd < 0 ? open_failed(c, path) : OK;
	}

	err = open_nameless(c, SPOOL_FOLDER, ret_fd);

	return err ? err : bucket_get(c, &b, location, *ret_fd);
}
