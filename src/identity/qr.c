/* QR codes: see qr.h. */
#include "identity/qr.h"

#include "base/buf.h"

#include <qrencode.h>

#define QUIET_MODULES 4
#define SVG_MAX       KIB(256)

/* One path for all black modules, a rectangle for each run of them in a line. */
static void write_line(struct buf *out, const unsigned char *modules, int width, int y)
{
	for (int x = 0; x < width; x++) {
		int run = 0;

		while (x + run < width && modules[x + run] & 1)
			run++;
		if (!run)
			continue;
		buf_printf(out, "M%d %dh%dv1h-%dz", x + QUIET_MODULES, y + QUIET_MODULES, run, run);
		x += run;
	}
}

struct str qr_svg(struct arena *a, const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	struct buf out;
	int side;

	BUG_IF(!code); /* no memory, or a text that is longer than was promised */
	side = code->width + 2 * QUIET_MODULES;

	buf_init(&out, a, SVG_MAX);
	buf_printf(&out,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		   "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
		   "<path d=\"",
		   side, side, side, side);
	for (int y = 0; y < code->width; y++)
		write_line(&out, code->data + y * code->width, code->width, y);
	buf_str(&out, "\"/></svg>");
	QRcode_free(code);
	BUG_IF(out.overflow);

	return buf_view(&out);
}
