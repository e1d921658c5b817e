/*
 * QR codes as pictures: what a phone's camera reads off a screen, by libqrencode.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct arena;

#define QR_TEXT_MAX 1400 /* bytes; the greatest code holds twice as many */

/* The text, at most QR_TEXT_MAX bytes, as an SVG document in the arena: black on white, with the
 * quiet zone of four modules that readers want (ISO/IEC 18004 section 9.1). */
struct str qr_svg(struct arena *a, const char *text);
