/*
 * Listening sockets: given by whoever started us, kept across a reload, or made.
 */
#pragma once

#include "base/base.h"

/*
 * The pool's listening socket, non-blocking, closed on exec: kept by the master that this one
 * replaces (inherited.h), handed over by systemd (LISTEN_FDS with LISTEN_FDNAMES), by spawn-fcgi
 * (descriptor 0, for a pool named "fast"), or made at path with mode 0660, replacing a socket file
 * that nobody listens on. -1 with a reason in *ret_why (static memory) when it cannot be.
 */
int socket_listen(const char *name, const char *path, const char **ret_why);

/* We made it, so nobody else will answer what waits in it when we stop for good. */
bool socket_is_ours(int fd);
