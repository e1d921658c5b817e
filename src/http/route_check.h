/* What routes_init() finds wrong with rows; private to it. Each says so on standard error and
 * returns false. */
#pragma once

#include "base/base.h"

struct arena;
struct mount;
struct route;

bool route_check(struct arena *a, const struct mount *m, const struct route *r);
bool schemas_check(struct arena *a); /* two shapes with one name; after all rows are mounted */

bool route_mistake(const struct mount *m, const struct route *r, const char *what);
