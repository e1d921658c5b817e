/*
 * A request for any row of the route table, made from the row alone: for tests that walk the table.
 */
#pragma once

#include "base/base.h"
#include "http/route.h"
#include "support/answer.h"
#include "support/caller.h"

struct shape;

/* Its path with this in place of each id, and with an example in place of other parameters. */
const char *probe_path(const struct mounted *row, const char *id);

/* A body that its shape accepts, from the fields' examples; NULL when it takes none. */
const char *probe_body(const struct mounted *row);

/* A shape's example with one field otherwise: raw JSON, or absent (raw NULL). */
const char *probe_body_but(const struct shape *s, const char *field, const char *raw);

/* Who may ask it and everything else on its tier: an owner, or a global admin; nobody where that is
 * enough. */
struct caller probe_caller(const struct mounted *row);

/* Asks it, with a body that is valid. */
struct answer probe(const struct mounted *row, const struct caller *c, const char *id);

/* The row wants a tenant, and so a seat in it. */
bool probe_needs_tenant(const struct mounted *row);

/* A new id that nothing has. */
const char *probe_no_id(void);

/* "GET /api/v1/users", for messages. */
const char *probe_name(const struct mounted *row);

/* All rows, one after another: for (struct mounted row; probe_each(&i, &row);). Each begins with
 * the answers before it forgotten. */
bool probe_each(size_t *i, struct mounted *ret);
