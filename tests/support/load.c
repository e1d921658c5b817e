/*
 * A thread a connection, each with a curl handle of its own. Threads touch only their own lane;
 * Criterion's assertions and the arenas belong to the test's thread.
 */
#include "support/load.h"

#include "support/answer_impl.h"
#include "support/caller.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define LANES_MAX  64
#define BODY_KEPT  4096
#define ASK_WAIT_S 60L

/* One connection. */
struct lane {
	struct load *load;
	pthread_t thread;
	_Atomic uint64_t answers;
	struct load_result result;
	char body[BODY_KEPT]; /* the beginning of the answer under way, with a NUL */
	size_t body_len;
};

struct load {
	const char *url, *ca, *body; /* body NULL: GET */
	struct curl_slist *headers;
	_Atomic bool over;
	_Atomic uint64_t numbers;
	size_t lanes_len;
	struct lane lanes[LANES_MAX];
};

static size_t keep_beginning(char *piece, size_t size, size_t n, void *p)
{
	struct lane *lane = p;
	size_t room = BODY_KEPT - 1 - lane->body_len;
	size_t len = size * n < room ? size * n : room;

	memcpy(lane->body + lane->body_len, piece, len);
	lane->body_len += len;
	lane->body[lane->body_len] = '\0';
	return size * n;
}

static void note_failure(struct lane *lane, const char *what)
{
	if (!lane->result.first_failure[0])
		(void)snprintf(lane->result.first_failure, BODY_KEPT, "%s", what);
}

static bool has_error_body(const struct lane *lane)
{
	return strstr(lane->body, "\"error\":\"") && strstr(lane->body, "\"requestId\":\"") &&
	       strstr(lane->body, "\"statusCode\":");
}

static void count(struct lane *lane, CURL *curl, CURLcode failed)
{
	struct load_result *r = &lane->result;
	long status = 0;

	if (failed) {
		r->broken++;
		note_failure(lane, curl_easy_strerror(failed));
		return;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	r->by_status[status < 600 ? status : 0]++;
	r->unformed += status >= 400 && !has_error_body(lane);
	if (status >= 400)
		note_failure(lane, lane->body);
	atomic_fetch_add(&lane->answers, 1);
}

static void set_body(struct lane *lane, CURL *curl, char *text, size_t size)
{
	struct load *l = lane->load;
	const char *at;

	if (!l->body)
		return;
	at = strstr(l->body, "%llu");
	if (at)
		(void)snprintf(text, size, "%.*s%llu%s", (int)(at - l->body), l->body,
			       (unsigned long long)atomic_fetch_add(&l->numbers, 1), at + 4);
	curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, at ? text : l->body);
}

static void *run(void *p)
{
	struct lane *lane = p;
	struct load *l = lane->load;
	CURL *curl = curl_easy_init();
	char text[1024];

	curl_easy_setopt(curl, CURLOPT_URL, l->url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, l->ca);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, l->headers);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ASK_WAIT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_beginning);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, lane);
	while (!atomic_load(&l->over)) {
		lane->body_len = 0;
		lane->body[0] = '\0';
		set_body(lane, curl, text, sizeof(text));
		count(lane, curl, curl_easy_perform(curl));
	}
	curl_easy_cleanup(curl);
	return NULL;
}

struct load *load_start_writes(const struct caller *c, const char *path, const char *body,
			       size_t connections)
{
	struct load *l = arena_make(world_arena(), struct load);
	const struct ask ask = { .caller = c, .body = body };

	cr_assert(connections && connections <= LANES_MAX);
	l->url = strf("%s%s%s", c->url ? c->url : world()->url, tier_prefix(c->tier), path);
	l->ca = world()->ca;
	l->body = body;
	l->headers = answer_headers(&ask);
	l->lanes_len = connections;
	for (size_t i = 0; i < connections; i++) {
		l->lanes[i].load = l;
		cr_assert_eq(pthread_create(&l->lanes[i].thread, NULL, run, &l->lanes[i]), 0);
	}
	return l;
}

struct load *load_start(const struct caller *c, const char *path, size_t connections)
{
	return load_start_writes(c, path, NULL, connections);
}

static uint64_t fewest(const struct load *l)
{
	uint64_t n = UINT64_MAX;

	for (size_t i = 0; i < l->lanes_len; i++) {
		uint64_t answers = atomic_load(&l->lanes[i].answers);

		n = answers < n ? answers : n;
	}
	return n;
}

struct goal {
	const struct load *load;
	uint64_t n;
};

static bool is_reached(void *p)
{
	const struct goal *g = p;

	return fewest(g->load) >= g->n;
}

void load_wait(struct load *l, uint64_t n)
{
	struct goal g = { l, n };

	for (size_t i = 0; i < l->lanes_len; i++) {
		uint64_t answers = atomic_load(&l->lanes[i].answers);

		g.n = answers + n > g.n ? answers + n : g.n;
	}
	wait_until(is_reached, &g, "every connection of the load got its answers");
}

static void add(struct load_result *sum, const struct load_result *r)
{
	for (size_t i = 0; i < ARRAY_LEN(sum->by_status); i++) {
		sum->by_status[i] += r->by_status[i];
		sum->answers += r->by_status[i];
	}
	sum->broken += r->broken;
	sum->unformed += r->unformed;
	if (!sum->first_failure[0])
		memcpy(sum->first_failure, r->first_failure, sizeof(sum->first_failure));
}

struct load_result load_stop(struct load *l)
{
	struct load_result sum = { 0 };

	atomic_store(&l->over, true);
	for (size_t i = 0; i < l->lanes_len; i++)
		pthread_join(l->lanes[i].thread, NULL);
	for (size_t i = 0; i < l->lanes_len; i++)
		add(&sum, &l->lanes[i].result);
	sum.fewest = fewest(l);
	curl_slist_free_all(l->headers);
	return sum;
}

uint64_t load_count(const struct load_result *r, int hundred)
{
	uint64_t n = 0;

	for (size_t i = 0; i < 100; i++)
		n += r->by_status[(size_t)hundred * 100 + i];
	return n;
}
