/* What peers send, well-formed or not: one worker goes on serving the others. */
#include "support/mini_server.h"

#include "base/id.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

static const struct fcgi_pair plain[] = { { "REQUEST_METHOD", "GET" }, { 0 } };

static struct mini_server server;
static struct fcgi_client c;
static struct fcgi_answer answer;

static void start(void)
{
	mini_start(&server, (struct mini_settings){ .workers = 1 });
	cr_assert(fcgi_client_connect(&c, server.path));
}

/* The one worker is the same, lives and answers. */
static void stop(void)
{
	fcgi_client_close(&c);
	cr_expect(mini_ask_once(&server, NULL).came);
	cr_expect_eq(mini_stop(&server), 0);
}

TestSuite(fcgi, .init = start, .fini = stop);

Test(fcgi, a_body_is_read_whole)
{
	static char body[300000];

	for (size_t size = 1; size <= sizeof(body); size *= 7) {
		cr_assert(fcgi_client_ask(&c, plain, body, size, &answer));
		cr_expect_eq(mini_understand(&answer).body_bytes, (int64_t)size, "%zu bytes: %s",
			     size, answer.body);
	}
}

Test(fcgi, a_body_that_nobody_reads_is_not_taken_for_the_next_request)
{
	static char body[800000]; /* more than the server of the tests reads */

	for (int i = 0; i < 3; i++)
		cr_assert(fcgi_client_ask(&c, plain, body, sizeof(body), &answer));
	cr_expect(mini_ask(&c, NULL).came);
}

Test(fcgi, a_reply_of_many_buffers_comes_whole)
{
	static const struct fcgi_pair pairs[] = { { "DO", "big" }, { 0 } };

	cr_assert(fcgi_client_ask(&c, pairs, NULL, 0, &answer));
	cr_expect_eq(answer.body_len, 100000);
	cr_expect(mini_ask(&c, NULL).came);
}

Test(fcgi, a_head_may_come_in_pieces)
{
	static uint8_t bytes[4096];
	size_t len = fcgi_client_request(plain, bytes, sizeof(bytes));

	for (size_t i = 0; i < len; i++) {
		cr_assert(fcgi_client_send_raw(&c, bytes + i, 1));
		if (i % 10 == 0)
			cr_assert(
				mini_ask_once(&server, NULL).came); /* others do not wait for it */
	}
	cr_expect(fcgi_client_receive(&c, &answer));
}

Test(fcgi, half_a_head_hurts_nobody_and_is_dropped)
{
	static uint8_t bytes[4096];
	size_t len = fcgi_client_request(plain, bytes, sizeof(bytes));

	cr_assert(fcgi_client_send_raw(&c, bytes, len / 2));
	cr_expect(mini_ask_once(&server, NULL).came);
	cr_expect(fcgi_client_is_closed(&c));
}

Test(fcgi, a_peer_that_goes_away_is_forgotten)
{
	static uint8_t bytes[4096];
	size_t len = fcgi_client_request(plain, bytes, sizeof(bytes));

	for (int i = 0; i < 2000; i++) { /* more than a worker keeps */
		struct fcgi_client gone;

		cr_assert(fcgi_client_connect(&gone, server.path));
		cr_assert(fcgi_client_send_raw(&gone, bytes, i % 2 ? len : len / 2));
		fcgi_client_close(&gone);
	}
	cr_expect(mini_ask(&c, NULL).came);
}

Test(fcgi, a_peer_that_says_no_more_is_answered_and_closed)
{
	cr_assert(fcgi_client_send(&c, plain, NULL, 0));
	cr_assert_eq(shutdown(c.fd, SHUT_WR), 0);
	cr_expect(fcgi_client_receive(&c, &answer));
	cr_expect(fcgi_client_is_closed(&c));
}

Test(fcgi, records_that_are_no_request_are_dropped)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "another version", "\2\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0", 16 },
		{ "HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27 },
		{ "a management record", "\1\11\0\0\0\0\0\0", 8 },
		{ "an abort", "\1\2\0\1\0\0\0\0", 8 },
		{ "no request id", "\1\1\0\0\0\10\0\0\0\1\1\0\0\0\0\0", 16 },
		{ "a begin that is too long", "\1\1\0\1\0\20\0\0", 8 },
		{ "an authorizer", "\1\1\0\1\0\10\0\0\0\2\1\0\0\0\0\0", 16 },
		{ "a body before the head", "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\5\0\1\0\0\0\0",
		  24 },
		{ "a name of 2 GiB",
		  "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\1\0\10\0\0\377\377\377\377\377\377\377\377"
		  "\1\4\0\1\0\0\0\0",
		  40 },
		{ "a value longer than the record",
		  "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\1\0\4\0\0\1\11AB\1\4\0\1\0\0\0\0", 36 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fcgi_client_close(&c);
		cr_assert(fcgi_client_connect(&c, server.path));
		cr_assert(fcgi_client_send_raw(&c, cases[i].bytes, cases[i].len));
		cr_expect(fcgi_client_is_closed(&c), "%s was not dropped", cases[i].name);
		cr_assert(mini_ask_once(&server, NULL).came, "after %s", cases[i].name);
	}
}

Test(fcgi, random_bytes_hurt_nobody)
{
	uint8_t bytes[512];

	for (int i = 0; i < 500; i++) {
		struct fcgi_client noise;

		random_bytes(bytes, sizeof(bytes));
		if (i % 2)
			memcpy(bytes, "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\1", 20);
		cr_assert(fcgi_client_connect(&noise, server.path));
		(void)fcgi_client_send_raw(&noise, bytes, sizeof(bytes));
		fcgi_client_close(&noise);
	}
	cr_expect(mini_ask(&c, NULL).came);
}

Test(fcgi, parameters_that_do_not_fit_are_told_apart)
{
	static char value[60000];
	struct fcgi_pair pairs[] = { { "HTTP_X", value }, { 0 } };

	memset(value, 'a', 30000);
	cr_assert(fcgi_client_ask(&c, pairs, NULL, 0, &answer));
	cr_expect_eq(answer.status, 200);
	memset(value, 'a', sizeof(value) - 1);
	cr_assert(fcgi_client_ask(&c, pairs, NULL, 0, &answer));
	cr_expect_eq(answer.status, 431);
	cr_expect(mini_ask(&c, NULL).came);
}
