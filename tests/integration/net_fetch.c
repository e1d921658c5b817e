/*
 * Requests to somebody else's server, which here is one of the test's own: what comes back, what is
 * bounded, and whom nobody may call.
 */
#include "net/fetch.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "support/world.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The server: answers by path, one connection after another.
 */

static uint16_t port;
static pid_t server;

static void say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void say_forever(int fd)
{
	static const char zeros[KIB(64)];

	say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	while (send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0)
		;
}

/* Its head has come, and as much of its body as that says. */
static bool is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n"),
		   *length = strcasestr(request, "\r\nContent-Length:");

	return end && strlen(end + 4) >= (length ? strtoul(length + 17, NULL, 10) : 0);
}

static void answer_one(int fd)
{
	char request[KIB(8)] = "";
	size_t have = 0;
	ssize_t n = 1;

	while (n > 0 && !is_whole(request)) {
		n = recv(fd, request + have, sizeof(request) - 1 - have, 0);
		have += n > 0 ? (size_t)n : 0;
		request[have] = '\0';
	}
	if (strstr(request, " /big"))
		say_forever(fd);
	else if (strstr(request, " /never"))
		(void)recv(fd, request, 1, 0); /* until the other end gives up */
	else if (strstr(request, " /redirect"))
		say(fd, "HTTP/1.1 302 Found\r\nLocation: /plain\r\nContent-Length: 0\r\n\r\n");
	else if (strstr(request, " /torn"))
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	else
		say(fd, strf("HTTP/1.1 %s\r\nContent-Type: text/x-echo\r\n"
			     "Cache-Control: max-age=7\r\nContent-Length: %zu\r\n\r\n%s",
			     strstr(request, " /missing") ? "404 Not Found" : "200 OK",
			     strlen(request), request));
	close(fd);
}

static void serve(int listening)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (fd >= 0)
			answer_one(fd);
	}
}

static struct ctx c;

static void allow(const char *addresses)
{
	struct config other = *config();

	other.outbound_allow = addresses;
	config_set(&other);
}

static void begin(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	world();
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		  listen(fd, 8) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	port = ntohs(at.sin_port);
	server = fork();
	cr_assert(server >= 0);
	if (server == 0)
		serve(fd);
	close(fd);

	ctx_reset(&c, world_arena());
	allow("127.0.0.1");
}

static void end(void)
{
	kill(server, SIGKILL);
}

TestSuite(net_fetch, .init = begin, .fini = end);

static const char *url(const char *path)
{
	return strf("http://127.0.0.1:%u%s", port, path);
}

Test(net_fetch, gives_status_body_and_what_the_caller_may_want_to_know)
{
	struct fetched got;

	cr_assert_eq(fetch(&c, &(struct fetch){ .url = url("/plain") }, &got), OK);
	cr_assert_eq(got.status, 200);
	cr_assert_str_eq(got.content_type, "text/x-echo");
	cr_assert_str_eq(got.cache_control, "max-age=7");
	cr_assert(str_starts(got.body, "GET /plain HTTP/1.1\r\n"));
	cr_assert(strstr(got.body.ptr, "\r\nUser-Agent: Zygo\r\n"));
	cr_assert_not(strstr(got.body.ptr, "Accept-Encoding"), "nothing is to be unpacked");
}

Test(net_fetch, sends_forms_and_headers)
{
	const char *form = fetch_form(
		&c, (const char *const[][2]){
			    { "code", "a b&c=d" }, { "y", NULL }, { "x", "\xc3\xa9" }, { 0 } });
	struct fetched got;

	cr_assert_str_eq(form, "code=a%20b%26c%3Dd&x=%C3%A9");
	cr_assert_eq(fetch(&c,
			   &(struct fetch){ .url = url("/plain"),
					    .body = form,
					    .headers = { "Accept: application/json", "X-A: b" } },
			   &got),
		     OK);
	cr_assert(str_starts(got.body, "POST /plain HTTP/1.1\r\n"));
	cr_assert(strstr(got.body.ptr, "\r\nAccept: application/json\r\n"));
	cr_assert(strstr(got.body.ptr, "\r\nX-A: b\r\n"));
	cr_assert(str_ends(got.body, form));
}

Test(net_fetch, any_status_is_an_answer)
{
	struct fetched got;

	cr_assert_eq(fetch(&c, &(struct fetch){ .url = url("/missing") }, &got), OK);
	cr_assert_eq(got.status, 404);
}

Test(net_fetch, a_redirect_is_not_followed)
{
	struct fetched got;

	cr_assert_eq(fetch(&c, &(struct fetch){ .url = url("/redirect") }, &got), OK);
	cr_assert_eq(got.status, 302);
	cr_assert_eq(got.body.len, 0);
}

static void fails(const struct fetch *f, int err)
{
	struct fetched got;

	c.fault = (struct fault){ 0 };
	cr_assert_eq(fetch(&c, f, &got), err, "%s: %s", f->url, c.fault.detail);
}

Test(net_fetch, a_body_without_end_is_cut_off)
{
	fails(&(struct fetch){ .url = url("/big") }, ERR_BAD_GATEWAY);
	fails(&(struct fetch){ .url = url("/plain"), .reply_max = 10 }, ERR_BAD_GATEWAY);
}

Test(net_fetch, an_answer_that_does_not_come_is_waited_for_only_so_long)
{
	fails(&(struct fetch){ .url = url("/never"), .timeout_us = 300 * US_PER_MS },
	      ERR_GATEWAY_TIMEOUT);
}

Test(net_fetch, half_an_answer_is_none)
{
	fails(&(struct fetch){ .url = url("/torn") }, ERR_BAD_GATEWAY);
}

Test(net_fetch, what_is_not_public_is_refused_until_an_admin_allows_it)
{
	allow(NULL);
	fails(&(struct fetch){ .url = url("/plain") }, ERR_VALIDATION_ERROR);
	fails(&(struct fetch){ .url = strf("http://localhost:%u/plain", port) },
	      ERR_VALIDATION_ERROR);
	fails(&(struct fetch){ .url = strf("http://[::ffff:127.0.0.1]:%u/", port) },
	      ERR_VALIDATION_ERROR);
	allow("127.0.0.2");
	fails(&(struct fetch){ .url = url("/plain") }, ERR_VALIDATION_ERROR);
}

Test(net_fetch, other_schemes_are_refused)
{
	fails(&(struct fetch){ .url = "file:///etc/passwd" }, ERR_BAD_GATEWAY);
	fails(&(struct fetch){ .url = "gopher://127.0.0.1/" }, ERR_BAD_GATEWAY);
}

Test(net_fetch, a_certificate_that_nobody_vouches_for_is_refused)
{
	fails(&(struct fetch){ .url = strf("%s/health", world()->url) }, ERR_BAD_GATEWAY);
	cr_assert(strstr(c.fault.detail, "certificate"), "%s", c.fault.detail);
}

Test(net_fetch, an_environment_does_not_redirect_it)
{
	struct fetched got;

	setenv("http_proxy", "http://127.0.0.1:9", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
	cr_assert_eq(fetch(&c, &(struct fetch){ .url = url("/plain") }, &got), OK);
}
