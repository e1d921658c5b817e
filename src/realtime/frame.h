/*
 * A message on its way out, written once and shared by all who get it: a room's message costs its
 * text once, whoever many are in the room.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct frame {
	unsigned owners;
	size_t len;
	unsigned char bytes[]; /* room for libwebsockets' head, then len bytes of text */
};

struct frame *frame_new(struct str text);  /* with one owner */
struct frame *frame_keep(struct frame *f); /* one owner more */
void frame_drop(struct frame *f);          /* one less; the last frees it */

/* Where the text begins. libwebsockets writes its head before it, the same for everybody. */
unsigned char *frame_text(struct frame *f);
