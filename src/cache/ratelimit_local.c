/*
 * Rate limits while Redis is away: counted in this process, in a table of fixed size.
 *
 * A log of requests has no fixed size, so here the window that slides is estimated from two that
 * stand: what the last one counted, by the part of it that the sliding one still covers, and what
 * the present one has. Each process has its share of the limit; which process a request comes to is
 * chance, so the whole is near the limit and never far above.
 */
#include "cache/ratelimit_impl.h"

#include "base/clock.h"
#include "base/id.h"

#include <string.h>

#define SETS 1024 /* a power of two; times WAYS = 4096 subjects, 128 KiB touched as it fills */
#define WAYS 4

struct count {
	uint64_t key;     /* hash; 0: free */
	int64_t began_ms; /* the present window */
	int64_t present, last;
};

static struct count counts[SETS][WAYS];
static int64_t sharers = 1;
static uint64_t seed;

void ratelimit_init(int64_t workers)
{
	sharers = workers > 0 ? workers : 1;
	memset(counts, 0, sizeof(counts));
	random_bytes(&seed,
		     sizeof(seed)); /* so that nobody can choose addresses that share a place */
}

/* FNV-1a, seeded; never 0. */
static uint64_t hash_of(struct str key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seed;

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);

	return hash ? hash : 1;
}

/* The key's place; NULL when it has none. */
static struct count *find(uint64_t key)
{
	struct count *set = counts[key % SETS];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
	}

	return NULL;
}

/* The key's place, if need be that of the one in its set whose window began first. */
static struct count *find_or_replace(uint64_t key)
{
	struct count *set = counts[key % SETS];
	struct count *found = find(key);
	struct count *oldest = set;

	if (found)
		return found;

	for (size_t i = 1; i < WAYS; i++) {
		if (set[i].began_ms < oldest->began_ms)
			oldest = &set[i];
	}
	*oldest = (struct count){ .key = key };

	return oldest;
}

/* Makes the present window the one that now_ms lies in; also when the clock was set back. */
static void advance(struct count *count, int64_t now_ms, int64_t window_ms)
{
	int64_t age_ms = now_ms - count->began_ms;

	if (age_ms >= 0 && age_ms < window_ms)
		return;

	if (age_ms >= window_ms && age_ms < 2 * window_ms) {
		count->last = count->present;
		count->began_ms += window_ms;
	} else {
		count->last = 0;
		count->began_ms = now_ms;
	}
	count->present = 0;
}

struct room local_take(struct str key, const struct ratelimit *limit)
{
	struct count *count = find_or_replace(hash_of(key));
	int64_t window_ms = limit->window_s * 1000;
	int64_t now_ms = clock_now_us() / US_PER_MS;
	int64_t share = limit->limit / sharers > 0 ? limit->limit / sharers : 1;
	int64_t left_ms, used;

	advance(count, now_ms, window_ms);
	left_ms = count->began_ms + window_ms - now_ms;
	used = count->present + (count->last * left_ms + window_ms - 1) / window_ms;
	if (used >= share)
		return (struct room){ .is_local = true, .reset_ms = left_ms };

	count->present++;
	return (struct room){ .allowed = true,
			      .is_local = true,
			      .remaining = share - used - 1,
			      .reset_ms = left_ms };
}

void local_give_back(struct str key)
{
	struct count *count = find(hash_of(key));

	if (count && count->present > 0)
		count->present--;
}
