/*
 * What a tenant looks like, for the routes that show one.
 */
#pragma once

#include "http/shape.h"

extern const struct shape tenant_shape;
