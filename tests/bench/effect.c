/*
 * How long does a permission that was taken away still work?
 *
 *	effect -a 127.0.0.1:8080 -n ROUNDS OWNER-TOKEN USER-ID MEMBER-TOKEN
 *
 * In each round the owner gives the user the role member, the user's program asks for what a member
 * may and is answered, the owner makes the user a viewer, and the program asks again until it is
 * refused, over a connection of its own. So whatever any worker remembers of the user is fresh.
 *
 * Prints one line of name=value: rounds, most: the most requests until one was refused (1 is the
 *next one), and p50 and worst in microseconds, from the owner's answer to the refusal. Exits 1 when
 *a request after the owner's answer was let in.
 */
#define ZYGO_MAY_ALLOCATE
#include "ask.h"

#include <inttypes.h>
#include <stdlib.h>

#define ROUNDS_MAX   100000
#define REQUESTS_MAX 1000 /* until it is refused */

static struct asker owner, member;
static char as_member[4096], as_viewer[4096], request[4096]; /* a token is some 700 bytes */

static void must(struct asker *a, const char *text, int status)
{
	if (ask(a, text) == status)
		return;
	(void)fprintf(stderr, "effect: %s\n", a->reply);
	exit(2);
}

/* Requests until one was refused. *ret_us: when its answer came, after the owner's. */
static unsigned take_away(int64_t *ret_us)
{
	unsigned n = 0;
	int status;

	must(&owner, as_member, 200);
	must(&member, request, 409);
	must(&owner, as_viewer, 200);
	do {
		status = ask(&member, request);
		n++;
	} while (status == 409 && n < REQUESTS_MAX);
	if (status != 403)
		must(&member, request, 403);
	*ret_us = member.answered_us - owner.answered_us;

	return n;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* What a member may and a viewer may not; it changes nothing, since there is such a project
 * already. */
static void write_requests(const char *owner_token, const char *user, const char *member_token)
{
	char header[2048], path[128];

	(void)snprintf(path, sizeof(path), "/api/v1/users/%s/roles", user);
	(void)snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", owner_token);
	ask_write(as_member, sizeof(as_member), "PUT", path, header, "{\"roles\":[\"member\"]}");
	ask_write(as_viewer, sizeof(as_viewer), "PUT", path, header, "{\"roles\":[\"viewer\"]}");
	(void)snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", member_token);
	ask_write(request, sizeof(request), "POST", "/api/v1/projects", header,
		  "{\"slug\":\"taken\",\"name\":\"Taken\"}");
}

int main(int argc, char **argv)
{
	const char *address = NULL;
	int64_t n = 0, *times;
	unsigned most = 0;
	int opt;

	while ((opt = getopt(argc, argv, "a:n:")) != -1) {
		if (opt == 'a')
			address = optarg;
		else if (opt != 'n' || !str_to_i64(str_of(optarg), 1, ROUNDS_MAX, &n))
			n = 0;
	}
	times = calloc((size_t)n + 1, sizeof(*times));
	if (!address || !n || optind + 3 != argc || !times) {
		(void)fprintf(
			stderr,
			"usage: effect -a ADDRESS:PORT -n ROUNDS OWNER-TOKEN USER-ID MEMBER-TOKEN\n");
		return 2;
	}
	write_requests(argv[optind], argv[optind + 1], argv[optind + 2]);
	ask_connect(&owner, address);
	ask_connect(&member, address);

	must(&owner, as_member, 200);
	(void)ask(&member, request); /* 201, or 409 where a run before this one made it */
	for (int64_t i = 0; i < n; i++) {
		unsigned until = take_away(&times[i]);

		most = until > most ? until : most;
	}
	qsort(times, (size_t)n, sizeof(*times), by_value);
	printf("rounds=%" PRId64 " most=%u p50=%" PRId64 " worst=%" PRId64 "\n", n, most,
	       times[n / 2], times[n - 1]);
	free(times);

	return most == 1 ? 0 : 1;
}
