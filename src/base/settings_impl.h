/*
 * One setting, for the files that read and print all of them: config.c, settings_read.c,
 * settings_print.c.
 */
#pragma once

#include "base/str.h"

struct arena;
struct buf;
struct setting;

/*
 * Reads a value into the setting's field; strings are copied into a. Returns NULL, or what is
 * wrong, to be said after the name: "is not a whole number". The value itself is not in it.
 */
const char *setting_read(const struct setting *s, struct str text, struct arena *a, void *field)
	MUST_CHECK;

/* The form that a value has, in words: "a whole number from 1 to 1000". */
void setting_print_form(struct buf *out, const struct setting *s);
