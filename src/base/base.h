/*
 * The few words that every file uses: attributes, scope clean-up, BUG(), checked sizes.
 *
 * Included first by every header of ours; includes banned.h, so that a function we do not
 * use cannot be called by accident.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The result must be looked at; ignoring it on purpose is written (void). */
#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED                 __attribute__((unused))
#define NORETURN               __attribute__((noreturn))

/* Ends of scope: `_cleanup_(closep) int fd = -1;` runs closep(&fd) when fd leaves its block. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define KIB(n)       ((size_t)1024 * (n))
#define MIB(n)       (KIB(1024) * (n))

/*
 * What cannot be: says where, then abort()s, so that a core is left and the supervisor puts a new
 * process in place. Input is never asserted; it is refused.
 */
#define BUG(what) bug(__FILE__, __LINE__, what)
#define BUG_IF(cond)                                                                               \
	do {                                                                                       \
		if (cond)                                                                          \
			BUG(#cond);                                                                \
	} while (0)
void bug(const char *file, int line, const char *what) NORETURN;

/* Sums and products of sizes; BUG() on overflow, because every size has a bound long before. */
size_t size_add(size_t a, size_t b);
size_t size_mul(size_t a, size_t b);

/* Scope clean-up of file descriptors: closes when >= 0, keeps errno. */
void closep(int *fd);

#include "base/banned.h"
