/* The shared memory of scoreboard.h: its making, the counting in it, the sums over it. */
#include "prefork/scoreboard.h"

#include "base/clock.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKET_FIRST_US INT64_C(64)

static struct scoreboard *map(int fd)
{
	void *p = mmap(NULL, sizeof(struct scoreboard), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		BUG("no memory for the scoreboard");

	return p;
}

struct scoreboard *scoreboard_new(int *ret_fd)
{
	int fd = memfd_create("zygo-scoreboard", MFD_CLOEXEC);
	struct scoreboard *b;

	if (fd < 0 || ftruncate(fd, sizeof(*b)) != 0)
		BUG("no memory for the scoreboard");

	b = map(fd);
	b->layout = SCOREBOARD_LAYOUT;
	b->started_us = clock_now_us();
	*ret_fd = fd;

	return b;
}

struct scoreboard *scoreboard_adopt(int fd)
{
	struct scoreboard *b;
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size != sizeof(*b))
		return NULL;

	b = map(fd);
	if (b->layout == SCOREBOARD_LAYOUT)
		return b;
	scoreboard_free(b);

	return NULL;
}

void scoreboard_free(struct scoreboard *b)
{
	if (b)
		(void)munmap(b, sizeof(*b));
}

void slot_begin(struct slot *s)
{
	if (s->since_us)
		return;

	s->since_us = clock_monotonic_us();
	if (s->state == SLOT_IDLE)
		s->state = SLOT_BUSY;
}

int64_t slot_bucket_us(size_t i)
{
	return i < SLOT_BUCKETS - 1 ? BUCKET_FIRST_US << i : 0;
}

static size_t bucket_of(int64_t us)
{
	size_t i = 0;

	while (i < SLOT_BUCKETS - 1 && us > slot_bucket_us(i))
		i++;

	return i;
}

void slot_end(struct slot *s, int status, int64_t us)
{
	BUG_IF(status < 100 || status > 599);
	s->requests++;
	s->by_class[status / 100]++;
	s->micros += (uint64_t)us;
	s->buckets[bucket_of(us)]++;
	slot_rest(s);
}

void slot_rest(struct slot *s)
{
	s->since_us = 0;
	if (s->state == SLOT_BUSY)
		s->state = SLOT_IDLE;
}

static void add_counters(struct slot *to, const struct slot *from)
{
	to->requests += from->requests;
	to->micros += from->micros;
	to->redis_failures += from->redis_failures;
	to->pg_failures += from->pg_failures;
	for (size_t i = 0; i < ARRAY_LEN(to->by_class); i++)
		to->by_class[i] += from->by_class[i];
	for (size_t i = 0; i < ARRAY_LEN(to->buckets); i++)
		to->buckets[i] += from->buckets[i];
}

void scoreboard_retire(struct scoreboard *b, struct slot *s)
{
	b->moving++;
	add_counters(&b->retired, s);
	memset(s, 0, sizeof(*s));
	b->moving++;
}

void scoreboard_sum(const struct scoreboard *b, struct slot *ret)
{
	unsigned before;

	do {
		before = b->moving;
		memset(ret, 0, sizeof(*ret));
		add_counters(ret, &b->retired);
		for (size_t i = 0; i < SCOREBOARD_SLOTS_MAX; i++) {
			add_counters(ret, &b->slots[i]);
			ret->connections += b->slots[i].connections;
			ret->rooms += b->slots[i].rooms;
		}
	} while (before % 2 || before != b->moving);
}
