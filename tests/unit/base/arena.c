#include "base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdalign.h>
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#endif

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(arena, .init = begin, .fini = end);

Test(arena, memory_is_zeroed_and_aligned_for_any_type)
{
	static const size_t sizes[] = { 0, 1, 7, 16, 17, 4096, KIB(64), KIB(200) };

	for (int round = 0; round < 2; round++) { /* the second in memory that was used */
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			unsigned char *p = arena_alloc(arena, sizes[i]);

			cr_assert_eq((uintptr_t)p % alignof(max_align_t), 0, "%zu bytes", sizes[i]);
			for (size_t at = 0; at < sizes[i]; at++)
				cr_assert_eq(p[at], 0, "byte %zu of %zu", at, sizes[i]);
			memset(p, 0xaa, sizes[i]);
		}
		arena_reset(arena);
	}
}

Test(arena, no_bytes_are_still_a_pointer_of_their_own)
{
	cr_assert_neq(arena_alloc(arena, 0), arena_alloc(arena, 0));
}

Test(arena, copies_end_in_nul_and_null_stays_null)
{
	char *whole = arena_strdup(arena, "project");
	char *part = arena_strndup(arena, "project", 4);

	cr_assert_str_eq(whole, "project");
	cr_assert_str_eq(part, "proj");
	cr_assert_null(arena_strdup(arena, NULL));
	cr_assert_null(arena_strndup(arena, NULL, 3));
}

Test(arena, formatted_text_of_any_length_is_whole)
{
	for (int width = 250; width <= 260; width++) {
		char *text = arena_printf(arena, "%*d", width, 7);

		cr_assert_eq(strlen(text), (size_t)width);
		cr_assert_eq(text[width - 1], '7');
	}
}

static char order[8];

static void note(void *p)
{
	order[strlen(order)] = *(const char *)p;
}

Test(arena, deferred_calls_run_once_at_reset_the_last_first)
{
	static char a = 'a', b = 'b', c = 'c';

	arena_defer(arena, note, &a);
	arena_defer(arena, note, &b);
	arena_defer(arena, note, &c);
	cr_assert_str_eq(order, "");
	arena_reset(arena);
	cr_assert_str_eq(order, "cba");
	arena_reset(arena);
	cr_assert_str_eq(order, "cba");
}

Test(arena, the_bound_is_a_bug_not_an_error, .signal = SIGABRT)
{
	for (size_t i = 0; i < 66; i++)
		(void)arena_alloc(arena, MIB(1));
}

Test(arena, a_size_that_overflows_is_a_bug, .signal = SIGABRT)
{
	(void)arena_make_n(arena, int64_t, SIZE_MAX / 4);
}

#ifdef ARENA_POISONS
Test(arena, what_is_not_handed_out_is_poisoned)
{
	unsigned char *p = arena_alloc(arena, 10);

	cr_assert_not(__asan_address_is_poisoned(p + 9));
	cr_assert(__asan_address_is_poisoned(p + 10));
	(void)arena_alloc(arena, 10);
	cr_assert(__asan_address_is_poisoned(p + 16));
	arena_reset(arena);
	cr_assert(__asan_address_is_poisoned(p));
}
#else
Test(arena, a_secret_is_wiped_at_reset)
{
	char *secret;

	arena_holds_secret(arena);
	secret = arena_strdup(arena, "correct horse");
	arena_reset(arena);
	cr_assert_eq(secret[0], '\0'); /* the first block stays with the arena */
	cr_assert_eq(secret[12], '\0');
}
#endif
