/*
 * A bundle on its way in: file ▸ chunks ▸ opened ▸ inflated ▸ lines. See bundle.h.
 */
#include "domains/archive/bundle.h"
#include "domains/archive/bundle_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"

#include <errno.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

struct bundle_reader {
	struct ctx *c;
	int fd;
	struct tenant_id tenant;
	struct sealstream *seal;
	z_stream z;
	uint8_t sealed[BUNDLE_CHUNK_BYTES];
	uint8_t chunk[SEALSTREAM_CHUNK_BYTES];
	uint8_t text[SEALSTREAM_CHUNK_BYTES]; /* inflated */
	size_t text_at, text_len;
	struct buf line;
	bool is_last;  /* the chunk that is being inflated */
	bool is_ended; /* and so is the text */
};

static int refuse(struct bundle_reader *r, const char *message)
{
	return fail(r->c, ERR_RULE_VIOLATED, NULL, message);
}

static int changed(struct bundle_reader *r)
{
	return refuse(r, "The archive was changed, or is not whole");
}

static int read_all(struct bundle_reader *r, uint8_t *p, size_t max, size_t *ret_len)
{
	size_t len = 0;
	ssize_t got = 1;

	while (got != 0 && len < max) {
		got = read(r->fd, p + len, max - len);
		if (got < 0 && errno != EINTR)
			return fail_internal(r->c, "the archive could not be read: %s",
					     strerror(errno));
		len += got > 0 ? (size_t)got : 0;
	}
	*ret_len = len;

	return OK;
}

static void end_inflate(void *z)
{
	(void)inflateEnd(z);
}

static void end_line(void *line)
{
	buf_done(line);
}

int bundle_open(struct ctx *c, int fd, struct bundle_reader **ret)
{
	struct bundle_reader *r = arena_make(c->arena, struct bundle_reader);
	uint8_t *head = r->sealed;
	size_t len;
	int err;

	r->c = c;
	r->fd = fd;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return fail_internal(c, "the archive could not be read: %s", strerror(errno));
	err = read_all(r, head, BUNDLE_HEAD_BYTES, &len);
	if (err)
		return err;
	if (len < BUNDLE_HEAD_BYTES || memcmp(head, bundle_magic, BUNDLE_MAGIC_BYTES) != 0)
		return refuse(r, "This is no archive that this version can read");

	memcpy(r->tenant.u.bytes, head + BUNDLE_MAGIC_BYTES, 16);
	r->seal = sealstream_open(c->arena, bundle_aad(c->arena, r->tenant),
				  head + BUNDLE_MAGIC_BYTES + 16);
	if (!r->seal)
		return refuse(r, "The archive was sealed under another ENCRYPTION_KEY, or its "
				 "head was changed");
	BUG_IF(inflateInit(&r->z) != Z_OK);
	arena_defer(c->arena, end_inflate, &r->z);
	buf_init_heap(&r->line, BUNDLE_LINE_BYTES_MAX + 2);
	arena_defer(c->arena, end_line, &r->line);
	*ret = r;

	return OK;
}

struct tenant_id bundle_tenant(const struct bundle_reader *r)
{
	return r->tenant;
}

/* Behind the last chunk nothing may stand. */
static int next_chunk(struct bundle_reader *r)
{
	size_t len;
	int err;

	if (r->is_last)
		return changed(r);
	err = read_all(r, r->sealed, sizeof(r->sealed), &len);
	if (err)
		return err;
	if (!sealstream_pull(r->seal, r->sealed, len, r->chunk, &r->is_last))
		return changed(r);
	if (r->is_last) {
		uint8_t more;
		size_t more_len;

		err = read_all(r, &more, 1, &more_len);
		if (err || more_len > 0)
			return err ? err : changed(r);
	}
	r->z.next_in = r->chunk;
	r->z.avail_in = (uInt)(len - SEALSTREAM_EXTRA_BYTES);

	return OK;
}

/* More text, or is_ended. */
static int inflate_more(struct bundle_reader *r)
{
	int state, err;

	r->text_at = r->text_len = 0;
	while (r->text_len == 0 && !r->is_ended) {
		if (r->z.avail_in == 0) {
			err = next_chunk(r);
			if (err)
				return err;
		}
		r->z.next_out = r->text;
		r->z.avail_out = sizeof(r->text);
		state = inflate(&r->z, Z_NO_FLUSH);
		if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
			return changed(r);
		r->text_len = sizeof(r->text) - r->z.avail_out;
		r->is_ended = state == Z_STREAM_END;
		if (r->is_ended && (!r->is_last || r->z.avail_in > 0))
			return changed(r);
	}

	return OK;
}

int bundle_next(struct bundle_reader *r, int *ret_kind, struct str *ret_line)
{
	bool is_whole = false;
	int err;

	buf_reset(&r->line);
	while (!is_whole) {
		const char *from = (const char *)r->text + r->text_at;
		size_t left = r->text_len - r->text_at;
		const char *end = left > 0 ? memchr(from, '\n', left) : NULL;
		size_t len = end ? (size_t)(end - from) : left;

		buf_add(&r->line, from, len);
		r->text_at += len + (end != NULL);
		is_whole = end != NULL;
		if (is_whole || (r->is_ended && r->text_at == r->text_len))
			break;
		err = inflate_more(r);
		if (err)
			return err;
	}
	if (r->line.overflow || (!is_whole && r->line.len > 0) || (is_whole && r->line.len == 0))
		return changed(r);

	*ret_kind = is_whole ? (unsigned char)r->line.data[0] : 0;
	*ret_line = is_whole ? (struct str){ r->line.data + 1, r->line.len - 1 }
			     : (struct str){ NULL, 0 };

	return OK;
}
