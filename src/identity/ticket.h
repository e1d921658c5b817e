/*
 * Tickets: what a program connects with where a credential would stand in an address, as that of a
 * WebSocket. One is good once, for seconds, and only to connect (realtime/); what it opens is the
 * session that asked for it.
 */
#pragma once

#include "base/base.h"
#include "base/clock.h"

struct ctx;
struct rows;

#define TICKET_EXPIRES_US (30 * US_PER_S)

/* A ticket for the present session, in the tenant that it acts in: the shape WsTicket. */
int ticket_create(struct ctx *c, const struct rows **ret) MUST_CHECK;
