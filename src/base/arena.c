/*
 * The arena: a list of blocks, newest first, each filled from its start.
 *
 * The oldest block is kept from one unit of work to the next, so that a plain request costs no
 * malloc() at all. What does not fit the newest block gets a new one; the rest of the old block is
 * given up, which a bound of one block's size makes cheap.
 */
#define ZYGO_MAY_ALLOCATE

#include "base/arena.h"

#include <stdalign.h>

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#define REDZONE        alignof(max_align_t) /* between two pieces, never handed out */
#else
#define POISON(p, n)   ((void)0)
#define UNPOISON(p, n) ((void)0)
#define REDZONE        ((size_t)0)
#endif

/* Holds an authenticated request with its reply; below malloc's mmap threshold of 128 KiB. */
#define BLOCK_BYTES KIB(64)

#define PRINTF_GUESS 256 /* most formatted texts fit, and are then formatted once */

struct block {
	struct block *older;
	size_t size; /* bytes of data */
	size_t used; /* bytes handed out, with their padding */
	alignas(max_align_t) unsigned char data[];
};

struct deferred {
	struct deferred *earlier;
	void (*fn)(void *);
	void *p;
};

struct arena {
	struct block *newest;
	struct deferred *deferred; /* the last registered first */
	size_t bytes;              /* handed out since the last reset */
	bool holds_secret;
};

static struct block *block_new(size_t size, struct block *older)
{
	struct block *b = malloc(size_add(sizeof(*b), size));

	if (!b)
		BUG("out of memory");
	*b = (struct block){ .older = older, .size = size };
	POISON(b->data, b->size);

	return b;
}

/* Makes every byte writable again and, where a secret passed, zero. */
static void block_clear(struct block *b, bool wipe)
{
	UNPOISON(b->data, b->size);
	if (wipe)
		explicit_bzero(b->data, b->used);
	b->used = 0;
}

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		BUG("out of memory");
	a->newest = block_new(BLOCK_BYTES, NULL);

	return a;
}

void arena_reset(struct arena *a)
{
	struct block *oldest;

	while (a->deferred) {
		struct deferred *d = a->deferred;

		a->deferred = d->earlier;
		d->fn(d->p);
	}

	while (a->newest->older) {
		struct block *b = a->newest;

		a->newest = b->older;
		block_clear(b, a->holds_secret);
		free(b);
	}

	oldest = a->newest;
	block_clear(oldest, a->holds_secret);
	POISON(oldest->data, oldest->size);

	a->bytes = 0;
	a->holds_secret = false;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;

	arena_reset(a);
	UNPOISON(a->newest->data, a->newest->size);
	free(a->newest);
	free(a);
}

/* As arena_alloc(), but the bytes are whatever they were. */
static void *take(struct arena *a, size_t bytes)
{
	const size_t align = alignof(max_align_t);
	struct block *b = a->newest;
	size_t padded;
	void *p;

	BUG_IF(bytes > ARENA_BYTES_MAX);
	padded = ((bytes ? bytes : 1) + align - 1) / align * align + REDZONE;
	a->bytes += padded;
	BUG_IF(a->bytes > ARENA_BYTES_MAX);

	if (padded > b->size - b->used) {
		b = block_new(padded > BLOCK_BYTES ? padded : BLOCK_BYTES, b);
		a->newest = b;
	}
	p = b->data + b->used;
	b->used += padded;
	UNPOISON(p, bytes);

	return p;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
	return memset(take(a, bytes), 0, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy;

	if (!s)
		return NULL;

	copy = take(a, size_add(len, 1));
	memcpy(copy, s, len);
	copy[len] = '\0';

	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char guess[PRINTF_GUESS];
	va_list again;
	char *text;
	size_t len;
	int n;

	va_copy(again, ap);
	n = vsnprintf(guess, sizeof(guess), fmt, ap);
	BUG_IF(n < 0);
	len = (size_t)n;

	if (len < sizeof(guess)) {
		text = arena_strndup(a, guess, len);
	} else {
		text = take(a, len + 1);
		(void)vsnprintf(text, len + 1, fmt, again);
	}
	va_end(again);

	return text;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(a, fmt, ap);
	va_end(ap);

	return text;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d = arena_make(a, struct deferred);

	*d = (struct deferred){ .earlier = a->deferred, .fn = fn, .p = p };
	a->deferred = d;
}

void arena_holds_secret(struct arena *a)
{
	a->holds_secret = true;
}
