/* Hexadecimal digits by table; for the files of base/ that read and write them. */
#pragma once

#include "base/base.h"

extern const char hex_digits[16]; /* by value, lower case */

/* By byte: the digit's value plus one, in either case; 0 when it is no digit. */
extern const uint8_t hex_values_plus_1[256];

/* The byte that the two digits at p spell; -1 when one of them is none. */
static inline int hex_byte(const char *p)
{
	int high = hex_values_plus_1[(unsigned char)p[0]] - 1;
	int low = hex_values_plus_1[(unsigned char)p[1]] - 1;

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}
