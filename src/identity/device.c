/* The device's own name: see device.h. */
#include "identity/device.h"

#include "base/str.h"
#include "http/api.h"

#define USER_AGENT_MAX 512 /* bytes that are kept */

const char *device_of(struct request *r)
{
	struct str s = str_of(request_header(r, "USER_AGENT"));

	if (s.len > USER_AGENT_MAX)
		s.len = USER_AGENT_MAX;
	s.len = str_utf8_prefix(s);

	return s.len > 0 ? str_dup(r->ctx->arena, s) : NULL;
}
