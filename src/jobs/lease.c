/* Leases in shared memory, without a lock that somebody could die with: see lease.h. */
#include "jobs/lease.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEASES_MIN 2
#define LEASES_MAX 16

/* A lease is one word: until when, in milliseconds of the monotonic clock, above the process that
 * holds it, whose number is below 2^22 on Linux. */
#define PID_BITS 22

struct leases {
	unsigned n;
	_Atomic uint64_t held[LEASES_MAX]; /* 0: nobody's */
};

static uint64_t word(pid_t pid, int64_t until_us)
{
	return (uint64_t)(until_us / US_PER_MS) << PID_BITS | (uint64_t)pid;
}

static pid_t holder(uint64_t w)
{
	return (pid_t)(w & ((UINT64_C(1) << PID_BITS) - 1));
}

static bool is_spare(uint64_t w)
{
	return !w || (int64_t)(w >> PID_BITS) < clock_monotonic_us() / US_PER_MS ||
	       (kill(holder(w), 0) != 0 && errno == ESRCH);
}

unsigned leases_for(long processors, unsigned workers)
{
	long n = processors;

	if (n > LEASES_MAX)
		n = LEASES_MAX;
	if (n < LEASES_MIN)
		n = LEASES_MIN;

	return n < (long)workers ? (unsigned)n : workers;
}

unsigned leases_count(unsigned workers)
{
	return leases_for(sysconf(_SC_NPROCESSORS_ONLN), workers);
}

struct leases *leases_new(unsigned workers)
{
	struct leases *l =
		mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (l == MAP_FAILED)
		BUG("no memory for the leases");
	l->n = leases_count(workers);

	return l;
}

bool lease_hold(struct leases *l, int64_t for_us)
{
	pid_t me = getpid();
	uint64_t mine = word(me, clock_monotonic_us() + for_us);

	for (unsigned i = 0; i < l->n; i++) {
		uint64_t was = l->held[i];

		if (holder(was) == me && atomic_compare_exchange_strong(&l->held[i], &was, mine))
			return true;
	}
	for (unsigned i = 0; i < l->n; i++) {
		uint64_t was = l->held[i];

		if (is_spare(was) && atomic_compare_exchange_strong(&l->held[i], &was, mine))
			return true;
	}

	return false;
}

void lease_drop(struct leases *l)
{
	pid_t me = getpid();

	for (unsigned i = 0; i < l->n; i++) {
		uint64_t was = l->held[i];

		if (holder(was) == me)
			(void)atomic_compare_exchange_strong(&l->held[i], &was, 0);
	}
}

unsigned leases_spare(struct leases *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->n; i++)
		n += is_spare(l->held[i]);

	return n;
}
