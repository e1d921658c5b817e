/* Files in an S3-compatible bucket: see bucket.h. */
#include "net/bucket.h"

#include "base/arena.h"
#include "base/ctx.h"

#include <curl/curl.h>
#include <errno.h>
#include <unistd.h>

#define CONNECT_S    10L
#define STALLED_S    60L /* slower than STALLED_BYTES for so long is given up */
#define STALLED_RATE 1024L
#define SAID_MAX     1000 /* of a refusal's words */

#define SHA256_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* What the callbacks share while one request runs. */
struct talk {
	int fd;
	bool is_get;
	bool is_broken; /* the file, and not the network */
	long status;    /* 0: the head has not come yet */
	char said[SAID_MAX + 1];
	size_t said_len;
	CURL *curl;
};

static size_t give_file(char *p, size_t size, size_t n, void *of)
{
	struct talk *t = of;
	ssize_t got;

	do {
		got = read(t->fd, p, size * n);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		t->is_broken = true;
		return CURL_READFUNC_ABORT;
	}

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

static void cleanup_curl(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void cleanup_headers(struct curl_slist **headers)
{
	curl_slist_free_all(*headers);
}

/* clang-format off */
static void set_options(CURL *curl, struct ctx *c, const struct bucket *b, const char *url, struct talk *t)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALLED_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, STALLED_RATE);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "Zygo");
	curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, arena_printf(c->arena, "aws:amz:%s:s3", b->region));
	curl_easy_setopt(curl, CURLOPT_USERNAME, b->key_id);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, b->secret);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
}
/* clang-format on */

static int run(struct ctx *c, CURL *curl, struct talk *t, const char *url)
{
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;
	int err;

	t->curl = curl;
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	code = curl_easy_perform(curl);
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &t->status);
	if (code == CURLE_OK && t->status == 200)
		return OK;

	if (t->is_broken)
		return fail_internal(c, "the file to or from %s: %s", url, strerror(errno));
	if (code == CURLE_OK && t->status == 404)
		return fail(c, ERR_RESOURCE_NOT_FOUND, NULL, "The bucket has no such file");
	if (code == CURLE_OPERATION_TIMEDOUT)
		err = fail(c, ERR_GATEWAY_TIMEOUT, NULL, "The bucket did not answer in time");
	else
		err = fail(c, ERR_BAD_GATEWAY, NULL, "The bucket did not do what it was asked");
	errdetail_log(c, "%s: %ld %s %.*s", url, t->status,
		      code == CURLE_OK ? "" : (*why ? why : curl_easy_strerror(code)),
		      (int)t->said_len, t->said);

	return err;
}

int bucket_put(struct ctx *c, const struct bucket *b, const char *url, int fd, int64_t bytes,
	       const char *sha256)
{
	_cleanup_(cleanup_curl) CURL *curl = curl_easy_init();
	_cleanup_(cleanup_headers) struct curl_slist *headers = NULL;
	struct talk t = { .fd = fd };

	BUG_IF(!curl);
	if (bytes > BUCKET_FILE_BYTES_MAX)
		return fail(c, ERR_RULE_VIOLATED, NULL,
			    "The archive is larger than the 5 GiB that a bucket takes at once");
	if (lseek(fd, 0, SEEK_SET) != 0)
		return fail_internal(c, "lseek: %s", strerror(errno));

	headers =
		curl_slist_append(NULL, arena_printf(c->arena, "x-amz-content-sha256: %s", sha256));
	BUG_IF(!headers || !curl_slist_append(headers, "Content-Type: application/octet-stream"));
	set_options(curl, c, b, url, &t);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_file);
	curl_easy_setopt(curl, CURLOPT_READDATA, &t);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes);

	return run(c, curl, &t, url);
}

int bucket_get(struct ctx *c, const struct bucket *b, const char *url, int fd)
{
	_cleanup_(cleanup_curl) CURL *curl = curl_easy_init();
	_cleanup_(cleanup_headers) struct curl_slist *headers =
		curl_slist_append(NULL, "x-amz-content-sha256: " SHA256_OF_NOTHING);
	struct talk t = { .fd = fd, .is_get = true };

	BUG_IF(!curl || !headers);
	set_options(curl, c, b, url, &t);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

	return run(c, curl, &t, url);
}
