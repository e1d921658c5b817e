/*
 * Memory that ends all at once: a request's, a job's.
 *
 * Allocation never fails to the caller: it returns memory or aborts the process, because every
 * input, page and reply has a bound (ARENA_BYTES_MAX is reached by a bug, not by a client). Nothing
 * is freed alone. arena_reset() gives everything back but the first block, runs what arena_defer()
 * registered, last first, and wipes when a secret was handled. Sanitizer builds poison what is not
 * handed out, so that an overrun inside a block is seen.
 */
#pragma once

#include "base/base.h"

#include <stdarg.h>

#define ARENA_BYTES_MAX MIB(64)

/* Defined when this build poisons: gcc says it by the one macro, clang by the other. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);  /* NULL is fine */
void arena_reset(struct arena *a); /* ready for the next unit of work */

/* Zeroed, aligned for any type; bytes may be 0 (a unique pointer is returned). */
void *arena_alloc(struct arena *a, size_t bytes);

/* One zeroed object, or n of them, of a type. */
#define arena_make(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define arena_make_n(a, type, n) ((type *)arena_alloc((a), size_mul(sizeof(type), (n))))

/* Copies into the arena; the result is NUL-terminated after its len bytes. NULL gives NULL. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* Calls fn(p) at the next reset or free: for what a library allocated and must live as long. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);

/* From now to the next reset every block is wiped before it is given back. */
void arena_holds_secret(struct arena *a);
