/* The head of a reply: its own headers, and those that every reply has. */
#pragma once

#include "base/base.h"

struct buf;
struct request;

#define HEAD_BYTES_MAX KIB(16)

void headers_write(const struct request *r, struct buf *head);
