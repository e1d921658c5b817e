/*
 * Clients that are slow, or gone: they occupy nginx, never a worker.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/servers.h"
#include "support/wire.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

#define SLOW   16 /* far more than there are workers */
#define PROMPT 30

static const char *request_of(const struct caller *c, const char *body)
{
	return strf("POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		    "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
		    "Content-Length: %zu\r\n\r\n%s",
		    c->token, strlen(body), body);
}

/* Many requests, each sent up to here; others are answered; then they go on and are answered too.
 */
static void send_in_two(const struct caller *c, double part)
{
	struct wire *slow[SLOW];
	const char *requests[SLOW];
	size_t cut[SLOW];

	for (size_t i = 0; i < SLOW; i++) {
		requests[i] = request_of(c, strf("{\"slug\":\"s%zu\",\"name\":\"slow\"}", i));
		cut[i] = (size_t)((double)strlen(requests[i]) * part);
		slow[i] = wire_open();
		wire_send(slow[i], (struct str){ requests[i], cut[i] });
	}
	for (size_t i = 0; i < PROMPT; i++)
		answer_is(get(c, "/users"), 200);
	for (size_t i = 0; i < SLOW; i++) {
		struct str said;

		wire_send(slow[i], str_of(requests[i] + cut[i]));
		said = wire_read(slow[i]);
		cr_assert(str_starts(said, "HTTP/1.1 201"), "%.*s", STR_FMT(said));
		wire_close(slow[i]);
	}
	cr_assert_eq(answer_int(get(c, "/projects"), "pagination.total"), SLOW);
}

Test(faults_clients, that_are_slow_with_their_headers_hold_up_nobody)
{
	struct caller ann = caller(ROLE_ADMIN);

	send_in_two(&ann, 0.3);
}

Test(faults_clients, that_are_slow_with_their_bodies_hold_up_nobody)
{
	struct caller ann = caller(ROLE_ADMIN);

	send_in_two(&ann, 0.98);
}

/* Gone before the answer: the change happened or did not, and the worker serves on. */
Test(faults_clients, that_go_away_leave_the_workers_serving)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *who = server_workers_text();

	for (size_t i = 0; i < SLOW; i++) {
		struct wire *w = wire_open();
		const char *whole =
			request_of(&ann, strf("{\"slug\":\"g%zu\",\"name\":\"gone\"}", i));

		wire_send(w, (struct str){ whole, strlen(whole) - i % 2 });
		wire_close(w);
	}
	for (size_t i = 0; i < PROMPT; i++)
		answer_is(get(&ann, "/users"), 200);
	cr_assert_str_eq(server_workers_text(), who);
}

/* nginx gives up on who never finishes, in our JSON or without a word. */
Test(faults_clients, that_never_finish_are_let_go)
{
	struct wire *w = wire_open();
	struct str said;

	wire_send(
		w,
		STR("POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"));
	said = wire_read(w);
	cr_assert(said.len ? str_starts(said, "HTTP/1.1 408 ") : wire_is_over(w), "%.*s",
		  STR_FMT(said));
	wire_close(w);
}
