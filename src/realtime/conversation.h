/* What becomes of what a client says (message.h). */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct connection;

void conversation_init(void); /* once in each process */

/* Somebody has connected: says hello. */
void conversation_begin(struct connection *c);

/* One whole message of the client. Who says too much is closed. */
void conversation_hear(struct connection *c, struct str text);
