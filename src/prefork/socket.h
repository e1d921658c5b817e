/*
 * Listening sockets and the passing of connections between processes.
 */
#pragma once

#include "base/base.h"

/*
 * The pool's listening socket, non-blocking: handed over by systemd (LISTEN_FDS with LISTEN_FDNAMES fast, slow), by the
 * master that this one replaces (ZYGO_FDS), by spawn-fcgi (descriptor 0, for the first pool), or made at path with mode 0660,
 * replacing a socket file that nobody listens on. -1 with a reason in *ret_why when it cannot be.
 */
int socket_listen(const char *name, const char *path, const char **ret_why);

/*
 * Connections handed from a worker that stops to those that go on: nginx never sees a kept connection close
 * under a request. A pair of SOCK_SEQPACKET sockets for each pool, held by the master across its own replacement.
 */
struct handover {
	int give, take; /* both ends are inherited by every worker of the pool */
};
bool handover_make(struct handover *h) MUST_CHECK;
bool handover_give(const struct handover *h, int fd) MUST_CHECK; /* fd stays the caller's to close; false when the queue is full */
int handover_take(const struct handover *h); /* a connection, or -1: none now */
