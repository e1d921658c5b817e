/* The growing buffer: doubles up to its greatest size, in the arena or on the heap. */
#define ZYGO_MAY_ALLOCATE

#include "base/buf.h"

#include "base/arena.h"

#include <stdarg.h>

#define BUF_FIRST_BYTES 256

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void *allocate(struct arena *a, size_t bytes)
{
	void *p = a ? arena_alloc(a, bytes) : malloc(bytes);

	if (!p)
		BUG("out of memory");

	return p;
}

static void init(struct buf *b, struct arena *a, size_t max)
{
	size_t cap = smaller(BUF_FIRST_BYTES, size_add(max, 1));

	*b = (struct buf){ .data = allocate(a, cap), .cap = cap, .max = max, .arena = a };
	b->data[0] = '\0';
}

void buf_init(struct buf *b, struct arena *a, size_t max)
{
	BUG_IF(!a);
	init(b, a, max);
}

void buf_init_heap(struct buf *b, size_t max)
{
	init(b, NULL, max);
}

void buf_done(struct buf *b)
{
	if (!b)
		return;

	BUG_IF(b->arena);
	free(b->data);
	*b = (struct buf){ 0 };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Makes room for more bytes and a NUL; false, and overflow, when they are more than may be. */
static bool reserve(struct buf *b, size_t more)
{
	size_t need, cap;
	char *data;

	if (b->overflow || more > b->max - b->len) {
		b->overflow = true;
		return false;
	}

	need = b->len + more + 1;
	if (need <= b->cap)
		return true;

	cap = b->cap;
	while (cap < need)
		cap = size_mul(cap, 2);
	cap = smaller(cap, b->max + 1);

	BUG_IF(!b->data); /* what has a greatest size was initialised */
	data = allocate(b->arena, cap);
	memcpy(data, b->data, b->len + 1);
	if (!b->arena)
		free(b->data);
	b->data = data;
	b->cap = cap;

	return true;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
	if (!len || !reserve(b, len))
		return;

	memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	if (!reserve(b, 1))
		return;

	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void buf_i64(struct buf *b, int64_t v)
{
	char digits[20]; /* a sign and 19 digits */
	char *p = digits + sizeof(digits);
	uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (v < 0)
		*--p = '-';

	buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	int n;

	if (b->overflow)
		return;

	va_start(ap, fmt);
	n = vsnprintf(b->data ? b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	BUG_IF(n < 0);

	if (!reserve(b, (size_t)n)) {
		if (b->data)
			b->data[b->len] = '\0';
		return;
	}
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

struct str buf_view(const struct buf *b)
{
	return (struct str){ b->data, b->len };
}
