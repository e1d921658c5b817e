/*
 * What every answer must be, whatever a test asked for: as the OpenAPI document says for its route,
 * with an error that the route's row states, with the headers that each reply has. And the record
 * of which routes were answered well, which closure/coverage.c reads when all other tests are over.
 */
#pragma once

#include "base/base.h"

struct answer;
struct ask;

/* Fails the test when it is not. ask NULL: no client of ours sent it, and the answer is an error.
 */
void conformance_check(const struct ask *ask, const struct answer *a);

/* The file of the record: a line a route, "GET /api/v1/projects/:id". */
const char *conformance_record(void);
