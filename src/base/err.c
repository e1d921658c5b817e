/* The table of errors, from errors.def. */
#include "base/err.h"

static const struct err_info infos[ERR_COUNT] = {
#define ERR(status, name, message) [ERR_##name] = { (status), #name, (message) },
#include "base/errors.def"
#undef ERR
};

const struct err_info *err_info(int e)
{
	BUG_IF(e <= OK || e >= ERR_COUNT);
	return &infos[e];
}
