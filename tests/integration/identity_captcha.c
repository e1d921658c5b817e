/*
 * CAPTCHAs: what the service says is what counts. The service is a socket of the test's own, which
 * takes the token "good" and no other, and answers nothing to "silence".
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/factories.h"
#include "support/site.h"
#include "support/world.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t service;
static struct caller visitor;

static void answer_one(int fd)
{
	char request[4096] = "", reply[256];
	bool is_solved;
	size_t len = 0;
	ssize_t n;

	while (!strstr(request, "response=") && len < sizeof(request) - 1 &&
	       (n = read(fd, request + len, sizeof(request) - 1 - len)) > 0)
		len += (size_t)n;
	if (strstr(request, "response=silence"))
		return;
	is_solved =
		strstr(request, "response=good") && strstr(request, "secret=the-captcha-secret");
	(void)snprintf(reply, sizeof(reply),
		       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
		       "Content-Length: %zu\r\n\r\n{\"success\":%s}",
		       strlen("{\"success\":}") + (is_solved ? 4 : 5),
		       is_solved ? "true" : "false");
	(void)!write(fd, reply, strlen(reply));
}

static void serve(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(0);
		answer_one(fd);
		(void)close(fd);
	}
}

static void begin(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(listener >= 0 && bind(listener, (struct sockaddr *)&at, len) == 0 &&
		  listen(listener, 8) == 0 &&
		  getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	service = fork();
	if (service == 0)
		serve(listener);
	(void)close(listener);
	visitor = on_tier(caller_nobody(), TIER_AUTH);
	visitor.url = site_start(
		"captcha",
		(const char *[]){ "CAPTCHA_SECRET=the-captcha-secret",
				  strf("CAPTCHA_VERIFY_URL=http://127.0.0.1:%d/siteverify",
				       ntohs(at.sin_port)),
				  "OUTBOUND_ALLOW=127.0.0.1", NULL });
}

static void end(void)
{
	site_stop("captcha");
	(void)kill(service, SIGKILL);
	(void)waitpid(service, NULL, 0);
}

TestSuite(identity_captcha, .init = begin, .fini = end);

static struct answer forgot(const char *captcha)
{
	return post(&visitor, "/password/forgot",
		    strf("{\"email\":\"%s@example.com\"%s}", new_word(),
			 captcha ? strf(",\"captchaToken\":\"%s\"", captcha) : ""));
}

static struct answer sign_up(const char *captcha)
{
	return post(&visitor, "/signup",
		    strf("{\"email\":\"%s@example.com\",\"password\":\"a good one\"%s}", new_word(),
			 captcha ? strf(",\"captchaToken\":\"%s\"", captcha) : ""));
}

Test(identity_captcha, what_is_asked_of_nobody_known_wants_one_that_is_solved)
{
	answer_is_error(forgot(NULL), 400, "VALIDATION_ERROR", "captchaToken");
	answer_is_error(forgot("bad"), 400, "VALIDATION_ERROR", "captchaToken");
	answer_is(forgot("good"), 202);
	answer_is_error(sign_up(NULL), 400, "VALIDATION_ERROR", "captchaToken");
	answer_is_error(sign_up("bad"), 400, "VALIDATION_ERROR", "captchaToken");
	answer_is(sign_up("good"), 201);
}

Test(identity_captcha, a_service_that_says_nothing_lets_nobody_through)
{
	answer_is_error(forgot("silence"), 503, "SERVICE_UNAVAILABLE", NULL);
}
