/*
 * A counted run of values of one type, as validation leaves it for a service.
 */
#pragma once

#include "base/base.h"

struct list {
	const void *items; /* len of them, of the element's C type; NULL when empty */
	size_t len;
};
