/*
 * How long from a change to word of it on its tenant's channel of Redis, where the realtime server
 * hears it?
 *
 *	live -a 127.0.0.1:8080 -s REDIS-SOCKET -n ROUNDS -p PAUSE-MS TOKEN TENANT-ID
 *
 * In each round a project is made, and its event waited for. PAUSE-MS before each: with 200 the
 * spine sleeps and has to be called, with 10 it looks.
 *
 * Prints one line of name=value: p50 and p99 in microseconds, from the answer to the change, which
 * is behind its commit, to the message; and change_p50, from the request to its answer.
 */
#define ZYGO_MAY_ALLOCATE
#include "ask.h"

#include "base/id.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/un.h>

#define ROUNDS_MAX 100000

static struct asker api;
static char request[4096], heard[64 * 1024];
static int redis;

static void subscribe(const char *socket_path, const char *tenant)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char text[128];
	int n = snprintf(text, sizeof(text), "SUBSCRIBE zygo:events:{%s}\r\n", tenant);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", socket_path);
	redis = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (redis < 0 || connect(redis, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    send(redis, text, (size_t)n, 0) != n || recv(redis, heard, sizeof(heard), 0) <= 0)
		ask_failed(socket_path);
}

static void write_request(const char *token, int64_t round)
{
	char header[2048], body[128];
	uint32_t word;

	random_bytes(&word, sizeof(word));
	(void)snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", token);
	(void)snprintf(body, sizeof(body), "{\"slug\":\"live-%08x-%" PRId64 "\",\"name\":\"Live\"}",
		       word, round);
	ask_write(request, sizeof(request), "POST", "/api/v1/projects", header, body);
}

/* From the answer to the message. */
static int64_t measure(void)
{
	if (ask(&api, request) != 201) {
		(void)fprintf(stderr, "live: %s\n", api.reply);
		exit(2);
	}
	if (recv(redis, heard, sizeof(heard), 0) <= 0)
		ask_failed("redis");

	return clock_monotonic_us() - api.answered_us;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const char *address = NULL, *socket_path = NULL;
	int64_t n = 0, pause_ms = 0, *waits, *changes;
	int opt;

	while ((opt = getopt(argc, argv, "a:s:n:p:")) != -1) {
		if (opt == 'a')
			address = optarg;
		else if (opt == 's')
			socket_path = optarg;
		else if (opt == 'n' && !str_to_i64(str_of(optarg), 1, ROUNDS_MAX, &n))
			n = 0;
		else if (opt == 'p' && !str_to_i64(str_of(optarg), 0, 10000, &pause_ms))
			n = 0;
	}
	waits = calloc((size_t)n + 1, sizeof(*waits));
	changes = calloc((size_t)n + 1, sizeof(*changes));
	if (!address || !socket_path || !n || optind + 2 != argc || !waits || !changes) {
		(void)fprintf(stderr, "usage: live -a ADDRESS:PORT -s REDIS-SOCKET -n ROUNDS "
				      "-p PAUSE-MS TOKEN TENANT-ID\n");
		return 2;
	}
	ask_connect(&api, address);
	subscribe(socket_path, argv[optind + 1]);

	for (int64_t i = 0; i < n; i++) {
		usleep((useconds_t)(pause_ms * 1000));
		write_request(argv[optind], i);
		waits[i] = measure();
		changes[i] = api.answered_us - api.sent_us;
	}
	qsort(waits, (size_t)n, sizeof(*waits), by_value);
	qsort(changes, (size_t)n, sizeof(*changes), by_value);
	printf("p50=%" PRId64 " p99=%" PRId64 " change_p50=%" PRId64 "\n", waits[n / 2],
	       waits[n * 99 / 100], changes[n / 2]);
	free(waits);
	free(changes);

	return 0;
}
