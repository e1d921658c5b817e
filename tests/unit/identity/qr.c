/*
 * QR codes: the picture is what libqrencode's modules say, run by run, with room around it.
 */
#include "identity/qr.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

Test(qr, the_picture_is_an_svg_with_a_quiet_zone)
{
	struct arena *a = arena_new();
	struct str svg = qr_svg(a, "otpauth://totp/Zygo:ann?secret=MZXW6YTBOI");

	cr_assert(str_starts(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "));
	cr_assert(str_ends(svg, "\"/></svg>"));
	/* The finder pattern (ISO/IEC 18004 section 6.3.3) begins the first line that is not empty.
	 */
	cr_assert(strstr(svg.ptr, "<path d=\"M4 4h7v1h-7z"));
	arena_free(a);
}

Test(qr, the_longest_text_fits)
{
	struct arena *a = arena_new();
	char text[QR_TEXT_MAX + 1];

	memset(text, 'a', QR_TEXT_MAX);
	text[QR_TEXT_MAX] = '\0';
	cr_assert(str_ends(qr_svg(a, text), "</svg>"));
	arena_free(a);
}
