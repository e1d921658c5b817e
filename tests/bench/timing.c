/*
 * Does the time of an answer tell whether an email has an account?
 *
 *	timing -a 127.0.0.1:8080 -n TRIES
 *
 * Asks each case -n times for an email with an account and as often for one without, in an order
 *that is drawn anew for every pair, each email once, over one connection. The accounts are
 * known000000@timing.test and so on, with the password `correct-horse-battery`:
 *scripts/bench-timing makes them.
 *
 * The test is Welch's t between the two classes, as dudect does it (Reparaz, Balasch, Verbauwhede:
 * "Dude, is my code constant time?", 2017): of all times, and of those below some percentiles of
 *both classes together, because what is slow for other reasons drowns what is looked for. |t| > 4.5
 *in any of them is a difference (the threshold of TVLA: by chance once in 100,000 tests).
 *
 * A test that finds nothing must be able to find something: the last case is a control, right
 *against wrong passwords, which do differ.
 *
 * Prints a line a case. Exits 1 when a case differs that must not, or the control does not.
 */
#define ZYGO_MAY_ALLOCATE
#include "ask.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

#define TRIES_MAX    100000
#define WARM         50 /* pairs that are not counted: connections, caches, plans */
#define T_DIFFERENCE 4.5
#define NAME_FORMAT  "%s%06u@timing.test"

enum class { KNOWN, UNKNOWN, CLASSES };

static const struct test {
	const char *name;
	const char *path;
	const char *body;  /* with %s for the email */
	const char *other; /* body of the second class, for the same email; NULL: an email without
			      account */
	int status;        /* of both; the control's differ */
	bool is_control;
} tests[] = {
	{ "log-in", "/api/auth/login", "{\"email\":\"%s\",\"password\":\"not-their-password\"}",
	  NULL, 401, false },
	{ "password reset", "/api/auth/password/forgot", "{\"email\":\"%s\"}", NULL, 202, false },
	{ "sign-up", "/api/auth/signup", "{\"email\":\"%s\",\"password\":\"a-new-horse-battery\"}",
	  NULL, 202, false },
	{ "magic link", "/api/auth/magic-link", "{\"email\":\"%s\"}", NULL, 202, false },
	{ "control: right and wrong password", "/api/auth/login",
	  "{\"email\":\"%s\",\"password\":\"correct-horse-battery\"}",
	  "{\"email\":\"%s\",\"password\":\"not-their-password\"}", 0, true },
};

static struct asker asker;
static double *times[CLASSES]; /* microseconds */
static unsigned tries;

/* What is measured: one answer. serial: of the email; no email is asked for twice in a case. */
static double ask_once(const struct test *t, enum class class, unsigned serial)
{
	const char *format = class == UNKNOWN && t->other ? t->other : t->body;
	const char *name = class == UNKNOWN && !t->other ? "other" : "known";
	char email[64], body[256], request[1024];
	int status;

	(void)snprintf(email, sizeof(email), NAME_FORMAT, name, serial);
	/* The formats are the table's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(body, sizeof(body), format, email);
#pragma GCC diagnostic pop
	ask_write(request, sizeof(request), "POST", t->path, "", body);
	status = ask(&asker, request);
	if (t->status && status != t->status) {
		(void)fprintf(stderr, "%s: %s\n", t->name, asker.reply);
		exit(2);
	}

	return (double)(asker.answered_us - asker.sent_us);
}

/* The control's two classes are the same emails, so one after the other: known ones behind those of
 * the other cases, each class its half. */
static unsigned serial_of(const struct test *t, enum class class, unsigned i)
{
	if (!t->is_control)
		return i;

	return (tries + WARM) * (1 + (unsigned)class) + i;
}

static void measure(const struct test *t)
{
	for (unsigned i = 0; i < tries + WARM; i++) {
		uint8_t coin;
		double us[CLASSES];

		if (getrandom(&coin, sizeof(coin), 0) != sizeof(coin))
			ask_failed("getrandom");
		for (unsigned j = 0; j < CLASSES; j++) {
			enum class class = (enum class)((j + coin) % CLASSES);

			us[class] = ask_once(t, class, serial_of(t, class, i));
		}
		for (unsigned class = 0; i >= WARM && class < CLASSES; class ++)
			times[class][i - WARM] = us[class];
	}
}

/*
 * The test
 */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Both sorted. Of the values below the limit. */
static void moments(const double *v, double limit, double *ret_n, double *ret_mean,
		    double *ret_variance)
{
	double n = 0, mean = 0, squares = 0;

	for (unsigned i = 0; i < tries && v[i] <= limit; i++) { /* Welford's */
		double delta = v[i] - mean;

		n++;
		mean += delta / n;
		squares += delta * (v[i] - mean);
	}
	*ret_n = n;
	*ret_mean = mean;
	*ret_variance = n > 1 ? squares / (n - 1) : 0;
}

static double welch(double limit)
{
	double n[CLASSES], mean[CLASSES], variance[CLASSES], error;

	for (unsigned class = 0; class < CLASSES; class ++)
		moments(times[class], limit, &n[class], &mean[class], &variance[class]);
	if (n[KNOWN] < 2 || n[UNKNOWN] < 2)
		return INFINITY; /* all the quick ones are of one class */
	error = sqrt(variance[KNOWN] / n[KNOWN] + variance[UNKNOWN] / n[UNKNOWN]);

	return error > 0 ? (mean[KNOWN] - mean[UNKNOWN]) / error : 0;
}

/* The farthest from zero, over the percentiles. */
static double largest_t(void)
{
	static const unsigned percents[] = { 25, 50, 75, 90, 99, 100 };
	double *both = calloc(tries, 2 * sizeof(*both)), worst = 0;

	if (!both)
		ask_failed("memory");
	for (unsigned class = 0; class < CLASSES; class ++)
		memcpy(both + (size_t) class * tries, times[class], tries * sizeof(*both));
	qsort(both, (size_t)tries * 2, sizeof(*both), by_value);
	for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
		double t = welch(both[((size_t)tries * 2 - 1) * percents[i] / 100]);

		if (fabs(t) > fabs(worst))
			worst = t;
	}
	free(both);

	return worst;
}

static bool judge(const struct test *test)
{
	bool differs;
	double t;

	for (unsigned class = 0; class < CLASSES; class ++)
		qsort(times[class], tries, sizeof(*times[class]), by_value);
	t = largest_t();
	differs = fabs(t) > T_DIFFERENCE;
	printf("%-36s %8u %10.0f %10.0f %9.1f %8.2f   %s\n", test->name, tries,
	       times[KNOWN][tries / 2], times[UNKNOWN][tries / 2],
	       times[KNOWN][tries / 2] - times[UNKNOWN][tries / 2], t,
	       differs ? "they differ" : "no difference found");
	(void)fflush(stdout);

	return differs == test->is_control;
}

int main(int argc, char **argv)
{
	const char *address = NULL;
	int64_t n = 0;
	bool ok = true;
	int opt;

	while ((opt = getopt(argc, argv, "a:n:")) != -1) {
		if (opt == 'a')
			address = optarg;
		else if (opt != 'n' || !str_to_i64(str_of(optarg), 100, TRIES_MAX, &n))
			n = 0;
	}
	if (!address || !n) {
		(void)fprintf(stderr, "usage: timing -a ADDRESS:PORT -n TRIES (100 to %d)\n",
			      TRIES_MAX);
		return 2;
	}
	tries = (unsigned)n;
	for (unsigned class = 0; class < CLASSES; class ++) {
		times[class] = calloc(tries, sizeof(*times[class]));
		if (!times[class])
			ask_failed("memory");
	}
	ask_connect(&asker, address);

	printf("%-36s %8s %10s %10s %9s %8s\n", "case", "tries", "median us", "and", "apart us",
	       "Welch t");
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		measure(&tests[i]);
		ok = judge(&tests[i]) && ok;
	}

	return ok ? 0 : 1;
}
