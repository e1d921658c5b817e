/*
 * A bundle on its way out: lines ▸ deflate ▸ chunks of 64 KiB ▸ sealed ▸ file. See bundle.h.
 */
#include "domains/archive/bundle.h"
#include "domains/archive/bundle_impl.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "crypto/digest.h"

#include <errno.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

struct bundle_writer {
	struct ctx *c;
	int fd;
	struct sealstream *seal;
	struct digest *digest;
	z_stream z;
	uint8_t chunk[SEALSTREAM_CHUNK_BYTES];
	uint8_t sealed[BUNDLE_CHUNK_BYTES];
	int64_t bytes;
};

struct str bundle_aad(struct arena *a, struct tenant_id t)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(t.u, id);

	return str_of(arena_printf(a, "archive:%s", id));
}

static int write_all(struct bundle_writer *w, const uint8_t *p, size_t len)
{
	digest_add(w->digest, p, len);
	w->bytes += (int64_t)len;
	while (len > 0) {
		ssize_t put = write(w->fd, p, len);

		if (put < 0 && errno != EINTR)
			return fail_internal(w->c, "the archive could not be written: %s",
					     strerror(errno));
		if (put > 0) {
			p += put;
			len -= (size_t)put;
		}
	}

	return OK;
}

static void end_deflate(void *z)
{
	(void)deflateEnd(z);
}

struct bundle_writer *bundle_begin(struct ctx *c, int fd, struct tenant_id tenant)
{
	struct bundle_writer *w = arena_make(c->arena, struct bundle_writer);
	uint8_t *head = w->sealed;

	w->c = c;
	w->fd = fd;
	w->digest = digest_new(c->arena);
	BUG_IF(deflateInit(&w->z, Z_DEFAULT_COMPRESSION) != Z_OK);
	arena_defer(c->arena, end_deflate, &w->z);
	w->z.next_out = w->chunk;
	w->z.avail_out = sizeof(w->chunk);

	memcpy(head, bundle_magic, BUNDLE_MAGIC_BYTES);
	memcpy(head + BUNDLE_MAGIC_BYTES, tenant.u.bytes, 16);
	w->seal = sealstream_begin(c->arena, bundle_aad(c->arena, tenant),
				   head + BUNDLE_MAGIC_BYTES + 16);
	(void)write_all(w, head, BUNDLE_HEAD_BYTES); /* c knows, and says so at the first line */

	return w;
}

/* What has come out of deflate so far. */
static int flush(struct bundle_writer *w, bool is_last)
{
	size_t len = sizeof(w->chunk) - w->z.avail_out;

	sealstream_push(w->seal, w->chunk, len, is_last, w->sealed);
	w->z.next_out = w->chunk;
	w->z.avail_out = sizeof(w->chunk);

	return write_all(w, w->sealed, len + SEALSTREAM_EXTRA_BYTES);
}

static int deflate_all(struct bundle_writer *w, const void *p, size_t len)
{
	int err;

	w->z.next_in = p;
	w->z.avail_in = (uInt)len;
	while (w->z.avail_in > 0) {
		BUG_IF(deflate(&w->z, Z_NO_FLUSH) != Z_OK);
		if (w->z.avail_out > 0)
			continue;
		err = flush(w, false);
		if (err)
			return err;
	}

	return OK;
}

int bundle_add(struct bundle_writer *w, enum bundle_line kind, struct str line)
{
	const char head = (char)kind;
	int err;

	if (w->c->fault.err)
		return w->c->fault.err;
	if (line.len > BUNDLE_LINE_BYTES_MAX)
		return fail_internal(w->c, "a row of %zu bytes is too long for an archive",
				     line.len);
	BUG_IF(memchr(line.ptr, '\n', line.len) != NULL); /* JSON escapes it */

	err = deflate_all(w, &head, 1);
	if (!err)
		err = deflate_all(w, line.ptr, line.len);

	return err ? err : deflate_all(w, "\n", 1);
}

int bundle_end(struct bundle_writer *w, int64_t *ret_bytes, const char **ret_sha256)
{
	int err;

	while (deflate(&w->z, Z_FINISH) != Z_STREAM_END) {
		err = flush(w, false);
		if (err)
			return err;
	}
	err = flush(w, true);
	if (err)
		return err;

	*ret_bytes = w->bytes;
	*ret_sha256 = digest_end(w->digest);

	return OK;
}
