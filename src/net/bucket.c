/* Files in an S3-compatible bucket: see bucket.h. */
#include "net/bucket.h"
#include "net/bucket_impl.h"

#include "base/arena.h"
#include "base/ctx.h"

#include <errno.h>
#include <unistd.h>

#define CONNECT_S    10L
#define STALLED_S    60L /* slower than STALLED_BYTES for so long is given up */
#define STALLED_RATE 1024L

static size_t give_file(char *p, size_t size, size_t n, void *of)
{
	struct talk *t = of;
	size_t max = size * n;
	ssize_t got;

	if (t->left < (int64_t)max)
		max = (size_t)t->left;
	do {
		got = read(t->fd, p, max);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		t->is_broken = true;
		return CURL_READFUNC_ABORT;
	}
	t->left -= got;

	return (size_t)got;
}

static bool write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, p, len);

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0) {
			p += put;
			len -= (size_t)put;
		}
	}

	return true;
}

/* The file, or why there is none. */
static size_t take_body(char *p, size_t size, size_t n, void *of)
{
	struct talk *t = of;
	size_t len = size * n, room = SAID_MAX - t->said_len;

	if (!t->status)
		(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->status);
	if (t->is_get && t->status == 200) {
		t->is_broken = !write_all(t->fd, p, len);
		return t->is_broken ? 0 : len;
	}
	if (room > len)
		room = len;
	memcpy(t->said + t->said_len, p, room);
	t->said_len += room;

	return len;
}

static void add_header(struct talk *t, const char *header)
{
	struct curl_slist *more = curl_slist_append(t->headers, header);

	BUG_IF(!more);
	t->headers = more;
}

/* clang-format off */
void talk_begin(struct talk *t, struct ctx *c, const struct bucket *b, const char *url, const char *query, const char *sha256)
{
	*t = (struct talk){ .c = c, .url = url, .fd = -1, .curl = curl_easy_init() };
	BUG_IF(!t->curl);
	add_header(t, arena_printf(c->arena, "x-amz-content-sha256: %s", sha256));
	add_header(t, "Content-Type: application/octet-stream");
	curl_easy_setopt(t->curl, CURLOPT_URL, query ? arena_printf(c->arena, "%s?%s", url, query) : url);
	curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(t->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_TIME, STALLED_S);
	curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_LIMIT, STALLED_RATE);
	curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "Zygo");
	curl_easy_setopt(t->curl, CURLOPT_AWS_SIGV4, arena_printf(c->arena, "aws:amz:%s:s3", b->region));
	curl_easy_setopt(t->curl, CURLOPT_USERNAME, b->key_id);
	curl_easy_setopt(t->curl, CURLOPT_PASSWORD, b->secret);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
}

void talk_send_file(struct talk *t, int fd, int64_t bytes)
{
	t->fd = fd;
	t->left = bytes;
	curl_easy_setopt(t->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(t->curl, CURLOPT_READFUNCTION, give_file);
	curl_easy_setopt(t->curl, CURLOPT_READDATA, t);
	curl_easy_setopt(t->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes);
}
/* clang-format on */

int talk_run(struct talk *t)
{
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;
	int err;

	curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, why);
	code = curl_easy_perform(t->curl);
	curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->status);
	if (code == CURLE_OK && (t->status == 200 || t->status == 204))
		return OK;

	if (t->is_broken)
		return fail_internal(t->c, "the file to or from %s: %s", t->url, strerror(errno));
	if (code == CURLE_OK && t->status == 404)
		return fail(t->c, ERR_RESOURCE_NOT_FOUND, NULL, "The bucket has no such file");
	if (code == CURLE_OPERATION_TIMEDOUT)
		err = fail(t->c, ERR_GATEWAY_TIMEOUT, NULL, "The bucket did not answer in time");
	else
		err = fail(t->c, ERR_BAD_GATEWAY, NULL, "The bucket did not do what it was asked");
	errdetail_log(t->c, "%s: %ld %s %.*s", t->url, t->status,
		      code == CURLE_OK ? "" : (*why ? why : curl_easy_strerror(code)),
		      (int)t->said_len, t->said);

	return err;
}

void talk_done(struct talk *t)
{
	curl_easy_cleanup(t->curl);
	curl_slist_free_all(t->headers);
}

static int put_whole(struct ctx *c, const struct bucket *b, const char *url, int fd, int64_t bytes,
		     const char *sha256)
{
	_cleanup_(talk_done) struct talk t;

	talk_begin(&t, c, b, url, NULL, sha256);
	talk_send_file(&t, fd, bytes);

	return talk_run(&t);
}

int bucket_put(struct ctx *c, const struct bucket *b, const char *url, int fd, int64_t bytes,
	       const char *sha256)
{
	int64_t part = b->part_bytes ? b->part_bytes : BUCKET_PART_BYTES;

	if (bytes > BUCKET_FILE_BYTES_MAX)
		return fail(c, ERR_RULE_VIOLATED, NULL,
			    "The archive is larger than the 5 TiB that a bucket takes");
	if (lseek(fd, 0, SEEK_SET) != 0)
		return fail_internal(c, "lseek: %s", strerror(errno));

	return bytes > part ? bucket_put_parts(c, b, url, fd, bytes, part)
			    : put_whole(c, b, url, fd, bytes, sha256);
}

int bucket_get(struct ctx *c, const struct bucket *b, const char *url, int fd)
{
	_cleanup_(talk_done) struct talk t;

	talk_begin(&t, c, b, url, NULL, SHA256_OF_NOTHING);
	t.is_get = true;
	t.fd = fd;

	return talk_run(&t);
}
