/*
 * Between libwebsockets and a connection (connection.h): the handshake, messages that come in
 * pieces, writing, closing, and two pages for whoever watches: GET /health, GET /metrics.
 */
#pragma once

#include "base/base.h"

struct connection;
struct lws_protocols;
struct worker;

/* For the list of protocols of libwebsockets. */
extern const struct lws_protocols link_protocol;

/* Once in each process, before the first connection. */
void link_init(struct worker *w);
