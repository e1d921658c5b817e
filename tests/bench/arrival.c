/*
 * How long from a change to the webhook that tells of it, at whoever gets it?
 *
 *	arrival -a 127.0.0.1:8080 -s SINK-ADDRESS -n ROUNDS -p PAUSE-MS TOKEN
 *
 * In each round a project is made in TOKEN's tenant, which has one webhook, to tests/bench/sink.c;
 * the sink says afterwards when each came. PAUSE-MS before each: with 200 everybody sleeps and has
 * to be called.
 *
 * Prints one line of name=value: p50 and p99 in microseconds, from the answer to the change, which
 * is behind its commit, to the arrival.
 */
#define ZYGO_MAY_ALLOCATE
#include "ask.h"

#include "base/id.h"

#include <inttypes.h>
#include <stdlib.h>

#define ROUNDS_MAX 2000 /* as many marks as a reply of ask.h's holds */

static struct asker api, sink;
static char request[4096];

static void write_request(const char *token, int64_t round)
{
	char header[2048], body[128];
	uint32_t word; /* a slug is taken once, and this may run again */

	(void)snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", token);
	random_bytes(&word, sizeof(word));
	(void)snprintf(body, sizeof(body), "{\"slug\":\"r%08x-mark-%" PRId64 "\",\"name\":\"x\"}",
		       word, round);
	ask_write(request, sizeof(request), "POST", "/api/v1/projects", header, body);
}

static int64_t change(const char *token, int64_t round)
{
	write_request(token, round);
	if (ask(&api, request) != 201) {
		(void)fprintf(stderr, "arrival: %s\n", api.reply);
		exit(2);
	}

	return api.answered_us;
}

/* Turns the moments of changes into how long each took to arrive; false: some are still under way.
 */
static bool look(int64_t *us, bool *has_come, int64_t n)
{
	struct str marks;
	int64_t come = 0;

	if (ask(&sink, "GET /marks HTTP/1.1\r\nHost: localhost\r\n\r\n") != 200)
		ask_failed("the sink does not answer");
	marks = str_of(strstr(sink.reply, "\r\n\r\n") + 4);
	while (marks.len) {
		struct str line = str_cut(&marks, '\n'), number = str_cut(&line, ' ');
		int64_t i, at_us;

		if (!str_to_i64(number, 0, n - 1, &i) || !str_to_i64(line, 0, INT64_MAX, &at_us))
			ask_failed("not a mark");
		if (!has_come[i])
			us[i] = at_us - us[i];
		has_come[i] = true;
	}
	for (int64_t i = 0; i < n; i++)
		come += has_come[i];

	return come == n;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const char *address = NULL, *sink_address = NULL;
	int64_t n = 0, pause_ms = 0, *us;
	bool *has_come;
	int opt;

	while ((opt = getopt(argc, argv, "a:s:n:p:")) != -1) {
		if (opt == 'a')
			address = optarg;
		else if (opt == 's')
			sink_address = optarg;
		else if (opt == 'n' && !str_to_i64(str_of(optarg), 1, ROUNDS_MAX, &n))
			n = 0;
		else if (opt == 'p' && !str_to_i64(str_of(optarg), 0, 10000, &pause_ms))
			n = 0;
	}
	us = calloc((size_t)n + 1, sizeof(*us));
	has_come = calloc((size_t)n + 1, sizeof(*has_come));
	if (!address || !sink_address || !n || optind + 1 != argc || !us || !has_come) {
		(void)fprintf(stderr, "usage: arrival -a ADDRESS:PORT -s ADDRESS:PORT -n ROUNDS "
				      "-p PAUSE-MS TOKEN\n");
		return 2;
	}
	ask_connect(&api, address);
	ask_connect(&sink, sink_address);

	for (int64_t i = 0; i < n; i++) {
		usleep((useconds_t)(pause_ms * 1000));
		us[i] = change(argv[optind], i);
	}
	while (!look(us, has_come, n))
		usleep(100000);
	qsort(us, (size_t)n, sizeof(*us), by_value);
	printf("p50=%" PRId64 " p99=%" PRId64 "\n", us[n / 2], us[n * 99 / 100]);
	free(us);
	free(has_come);

	return 0;
}
