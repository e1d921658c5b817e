/*
 * What came over the wire: first the line and headers, later the body. Everything has a bound, and
 * what is not well-formed goes no further.
 */
#pragma once

#include "base/base.h"

struct request;

#define PATH_BYTES_MAX  2048
#define QUERY_BYTES_MAX 4096

/* Request id, address, method, path and query. Even when it fails, r can be answered. */
int incoming_head(struct request *r) MUST_CHECK;

/* The body into r->body_text: at most BODY_MAX bytes; JSON by its Content-Type, except on rows with
 * ROUTE_RAW_BODY. No Content-Encoding is taken. */
int incoming_body(struct request *r) MUST_CHECK;
