/* Shared messages: see frame.h. */
#define ZYGO_MAY_ALLOCATE /* frames live until the slowest reader has them */

#include "realtime/frame.h"

#include <libwebsockets.h>

struct frame *frame_new(struct str text)
{
	struct frame *f = malloc(size_add(sizeof(*f) + LWS_PRE, text.len));

	BUG_IF(!f);
	f->owners = 1;
	f->len = text.len;
	memcpy(frame_text(f), text.ptr, text.len);

	return f;
}

struct frame *frame_keep(struct frame *f)
{
	f->owners++;

	return f;
}

void frame_drop(struct frame *f)
{
	if (--f->owners == 0)
		free(f);
}

unsigned char *frame_text(struct frame *f)
{
	return f->bytes + LWS_PRE;
}
