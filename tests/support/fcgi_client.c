/* Records built and read by hand (FastCGI specification 1.0), so that libfcgi is not tested by
 * itself. */
#include "support/fcgi_client.h"

#include "base/str.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RECORD_MAX 65535

enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, STDERR = 7 };

struct bytes {
	uint8_t *p;
	size_t len, cap;
};

bool fcgi_client_connect(struct fcgi_client *c, const char *path)
{
	struct timeval wait = { .tv_sec = FCGI_CLIENT_WAIT_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const void *p = &at;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(c->fd, p, sizeof(at)) == 0)
		return true;
	fcgi_client_close(c);

	return false;
}

void fcgi_client_close(struct fcgi_client *c)
{
	closep(&c->fd);
	c->fd = -1;
}

static void put(struct bytes *b, const void *p, size_t len)
{
	if (len <= b->cap - b->len) {
		memcpy(b->p + b->len, p, len);
		b->len += len;
	}
}

static void put_record(struct bytes *b, unsigned type, const void *content, size_t len)
{
	uint8_t head[8] = { 1, (uint8_t)type, 0, 1, (uint8_t)(len >> 8), (uint8_t)len, 0, 0 };

	put(b, head, sizeof(head));
	put(b, content, len);
}

static void put_length(struct bytes *b, size_t len)
{
	uint8_t four[4] = { (uint8_t)(0x80 | len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
			    (uint8_t)len };
	uint8_t one = (uint8_t)len;

	if (len < 128)
		put(b, &one, 1);
	else
		put(b, four, sizeof(four));
}

static void put_head(struct bytes *b, const struct fcgi_pair *pairs)
{
	static const uint8_t begin[8] = { 0, 1, 1 }; /* responder, keep the connection */
	uint8_t memory[RECORD_MAX];
	struct bytes params = { memory, 0, sizeof(memory) };

	for (; pairs->name; pairs++) {
		put_length(&params, strlen(pairs->name));
		put_length(&params, strlen(pairs->value));
		put(&params, pairs->name, strlen(pairs->name));
		put(&params, pairs->value, strlen(pairs->value));
	}
	put_record(b, BEGIN_REQUEST, begin, sizeof(begin));
	put_record(b, PARAMS, params.p, params.len);
	put_record(b, PARAMS, "", 0);
}

size_t fcgi_client_request(const struct fcgi_pair *pairs, uint8_t *ret, size_t cap)
{
	struct bytes b = { ret, 0, cap };

	put_head(&b, pairs);
	put_record(&b, STDIN, "", 0);

	return b.len;
}

bool fcgi_client_send_raw(struct fcgi_client *c, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}

	return true;
}

bool fcgi_client_send(struct fcgi_client *c, const struct fcgi_pair *pairs, const void *body,
		      size_t body_len)
{
	uint8_t memory[RECORD_MAX + 64];
	struct bytes b = { memory, 0, sizeof(memory) };
	const char *p = body;

	put_head(&b, pairs);
	if (!body_len)
		put_record(&b, STDIN, "", 0);
	if (!fcgi_client_send_raw(c, b.p, b.len))
		return false;

	while (body_len) {
		size_t n = body_len < 32768 ? body_len : 32768;

		b.len = 0;
		put_record(&b, STDIN, p, n);
		p += n;
		body_len -= n;
		if (!body_len)
			put_record(&b, STDIN, "", 0);
		if (!fcgi_client_send_raw(c, b.p, b.len))
			return false;
	}

	return true;
}

static bool receive_all(struct fcgi_client *c, void *p, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = recv(c->fd, (char *)p + at, len - at, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}

	return true;
}

/* Finds the status and the body in what came. */
static void understand(struct fcgi_answer *a)
{
	char *end = strstr(a->text, "\r\n\r\n");
	const char *status = strcasestr(a->text, "Status: ");
	int64_t v;

	a->status = 200;
	if (status && (!end || status < end) &&
	    str_to_i64((struct str){ status + strlen("Status: "), 3 }, 100, 599, &v))
		a->status = (int)v;
	a->body = end ? end + 4 : a->text + strlen(a->text);
	a->body_len = end ? a->text_len - (size_t)(a->body - a->text) : 0;
}

bool fcgi_client_receive(struct fcgi_client *c, struct fcgi_answer *ret)
{
	uint8_t head[8], content[RECORD_MAX + 255];
	size_t len, keep;

	ret->text_len = 0;
	ret->text[0] = '\0';
	while (receive_all(c, head, sizeof(head))) {
		len = (size_t)head[4] << 8 | head[5];
		if (!receive_all(c, content, len + head[6]))
			return false;
		if (head[1] == END_REQUEST) {
			understand(ret);
			return true;
		}
		if (head[1] != STDOUT)
			continue;
		keep = ret->text_len < sizeof(ret->text) ? sizeof(ret->text) - 1 - ret->text_len
							 : 0;
		keep = len < keep ? len : keep;
		memcpy(ret->text + ret->text_len, content, keep);
		ret->text[ret->text_len + keep] = '\0';
		ret->text_len += len;
	}

	return false;
}

bool fcgi_client_ask(struct fcgi_client *c, const struct fcgi_pair *pairs, const void *body,
		     size_t body_len, struct fcgi_answer *ret)
{
	return fcgi_client_send(c, pairs, body, body_len) && fcgi_client_receive(c, ret);
}

bool fcgi_client_is_closed(struct fcgi_client *c)
{
	char byte;

	return recv(c->fd, &byte, 1, 0) == 0 || errno == ECONNRESET;
}
