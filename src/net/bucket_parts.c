/*
 * A file that goes into a bucket in parts, as S3 has it: begin, put each part, complete; nothing is
 * there before that. What fails on the way is given up, and its parts with it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
#include "net/bucket_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"

#define PART_LINE_MAX   200 /* of the list of parts, in bytes */
#define ETAG_MAX        100
#define UPLOAD_ID_OPENS "<UploadId>"

struct upload {
	struct ctx *c;
	const struct bucket *b;
	const char *url;
	const char *id;   /* escaped, as a query has it */
	struct buf parts; /* what completing it says of them */
};

static int not_understood(struct upload *u, const struct talk *t)
{
	int err = fail(u->c, ERR_BAD_GATEWAY, NULL, "The bucket did not do what it was asked");

	errdetail_log(u->c, "%s: it answered %.*s", u->url, (int)t->said_len, t->said);

	return err;
}

/* "…<UploadId>VXBsb2Fk</UploadId>…" */
static int begin_upload(struct upload *u)
{
	_cleanup_(talk_done) struct talk t = { 0 };
	const char *id, *end;
	char *escaped;
	int err;

	talk_begin(&t, u->c, u->b, u->url, "uploads=", SHA256_OF_NOTHING);
	curl_easy_setopt(t.curl, CURLOPT_POSTFIELDS, "");
	err = talk_run(&t);
	if (err)
		return err;
	t.said[t.said_len] = '\0';
	id = strstr(t.said, UPLOAD_ID_OPENS);
	end = id ? strstr(id, "</") : NULL;
	if (!end)
		return not_understood(u, &t);

	id += strlen(UPLOAD_ID_OPENS);
	escaped = curl_easy_escape(t.curl, id, (int)(end - id));
	BUG_IF(!escaped);
	u->id = arena_strdup(u->c->arena, escaped);
	curl_free(escaped);

	return OK;
}

/* number: from 1. What the bucket calls the part is said when it is completed. */
static int put_part(struct upload *u, int fd, int number, int64_t bytes)
{
	_cleanup_(talk_done) struct talk t = { 0 };
	struct curl_header *etag;
	const char *sha256;
	int err;

	err = u->b->digest(u->c, fd, bytes, &sha256);
	if (err)
		return err;
	talk_begin(&t, u->c, u->b, u->url,
		   arena_printf(u->c->arena, "partNumber=%d&uploadId=%s", number, u->id), sha256);
	talk_send_file(&t, fd, bytes);
	err = talk_run(&t);
	if (err)
		return err;
	if (curl_easy_header(t.curl, "ETag", 0, CURLH_HEADER, -1, &etag) != CURLHE_OK ||
	    strlen(etag->value) > ETAG_MAX || strpbrk(etag->value, "<&"))
		return not_understood(u, &t);
	buf_printf(&u->parts, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", number,
		   etag->value);

	return OK;
}

/* The list is held against the parts, so its own sum says nothing more. A refusal may come with
 * status 200: the bucket has begun to answer before it knew. */
static int complete_upload(struct upload *u)
{
	_cleanup_(talk_done) struct talk t = { 0 };
	int err;

	buf_str(&u->parts, "</CompleteMultipartUpload>");
	BUG_IF(u->parts.overflow);
	talk_begin(&t, u->c, u->b, u->url, arena_printf(u->c->arena, "uploadId=%s", u->id),
		   SHA256_UNSAID);
	curl_easy_setopt(t.curl, CURLOPT_POSTFIELDS, u->parts.data);
	curl_easy_setopt(t.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)u->parts.len);
	err = talk_run(&t);
	if (err)
		return err;
	t.said[t.said_len] = '\0';

	return strstr(t.said, "<CompleteMultipartUploadResult") ? OK : not_understood(u, &t);
}

/* What failed is said, not that this did too. */
static void abort_upload(struct upload *u)
{
	struct fault fault = u->c->fault;
	_cleanup_(talk_done) struct talk t = { 0 };

	talk_begin(&t, u->c, u->b, u->url, arena_printf(u->c->arena, "uploadId=%s", u->id),
		   SHA256_OF_NOTHING);
	curl_easy_setopt(t.curl, CURLOPT_CUSTOMREQUEST, "DELETE");
	if (talk_run(&t) != OK)
		u->c->fault = fault;
}

int bucket_put_parts(struct ctx *c, const struct bucket *b, const char *url, int fd, int64_t bytes,
		     int64_t part_bytes)
{
	struct upload u = { .c = c, .b = b, .url = url };
	int64_t n = (bytes + part_bytes - 1) / part_bytes;
	int err;

	buf_init(&u.parts, c->arena, (size_t)(n + 1) * PART_LINE_MAX);
	buf_str(&u.parts, "<CompleteMultipartUpload>");
	err = begin_upload(&u);
	if (err)
		return err;

	for (int64_t i = 0; i < n && !err; i++)
		err = put_part(&u, fd, (int)i + 1, i + 1 < n ? part_bytes : bytes - i * part_bytes);
	if (!err)
		err = complete_upload(&u);
	if (err)
		abort_upload(&u);

	return err;
}
