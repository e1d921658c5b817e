/*
 * A FastCGI request, looked at before libfcgi reads it: FCGI_BEGIN_REQUEST, FCGI_PARAMS, FCGI_STDIN
 * (FastCGI specification 1.0, sections 3.3, 3.4, 5.1 to 5.3).
 *
 * libfcgi waits for what is missing and allocates what a length claims, up to 4 GiB. What passes
 * here makes it do neither, but for a body that is longer than what is looked at.
 */
#pragma once

#include "base/base.h"

/*
 * As far as is looked: no head is longer, since nginx sends parameters in one record of 64 KiB at
 * most; a body may be.
 */
#define FCGI_HEAD_MAX (KIB(64) + 1024)

enum head_state {
	HEAD_PART,  /* well-formed as far as it goes */
	HEAD_WHOLE, /* to be read: the request with its body, or more of it than is looked at */
	HEAD_WRONG, /* not FastCGI, not a request to a responder, or a head longer than may be */
};

struct fcgi_head {
	size_t params;       /* how many */
	size_t params_bytes; /* names and values together */
};

/*
 * Looks at the first len bytes of a request, at most FCGI_HEAD_MAX; changes them: parameters move
 * together. *ret is filled when it is whole.
 */
enum head_state fcgi_head_look(uint8_t *bytes, size_t len, struct fcgi_head *ret);
