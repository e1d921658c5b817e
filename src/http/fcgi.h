/*
 * FastCGI on libfcgi, the only file that includes it: one FCGX_Request a kept connection and epoll
 * over them and the listening socket (PLATFORM.md says why).
 *
 * One request at a time. libfcgi blocks while it reads, so a connection is given to it only when a
 * request is in the socket whole and well-formed (fcgihead.h): a peer that sends half of one, or
 * what is not FastCGI, waits alone and is dropped. Of a body over 64 KiB libfcgi waits for the
 * rest, not for long.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct worker;
struct fcgi; /* one request on one connection */

/*
 * Serves until the worker drains; handle is called for each request and writes its answer. The exit
 * status.
 */
int fcgi_serve(struct worker *w, void (*handle)(struct fcgi *f, void *p), void *p);

/* A parameter, NULL when absent; lives until handle returns. */
const char *fcgi_param(const struct fcgi *f, const char *name);

/*
 * All parameters together are at most so many bytes and so many in number; more is refused before
 * anything else.
 */
#define FCGI_PARAMS_BYTES_MAX KIB(32)
#define FCGI_PARAMS_MAX       128
bool fcgi_params_fit(const struct fcgi *f);

/* Reads up to max bytes of the body into p; *ret_len is what came. False when it broke off. */
bool fcgi_read(struct fcgi *f, char *p, size_t max, size_t *ret_len) MUST_CHECK;

/* Head and body in one go, and the end of the request: once. */
void fcgi_write(struct fcgi *f, struct str head, struct str body);

/*
 * A body in parts: its head with the first, the others, and the end of the request. False: the peer
 * is gone, or took nothing for a while. The request's time limit begins anew with each part. The
 * end of one that is not whole closes the connection, which tells nginx to break the transfer off.
 */
bool fcgi_begin(struct fcgi *f, struct str head, struct str part) MUST_CHECK;
bool fcgi_more(struct fcgi *f, struct str part) MUST_CHECK;
void fcgi_end(struct fcgi *f, bool is_whole);
