/* What every command that acts does first: see commands.h. */
#include "commands/commands.h"

#include "base/config.h"
#include "base/log.h"

#include <errno.h>
#include <unistd.h>

const char *settings_file(void)
{
	const char *path = getenv("ZYGO_ENV_FILE");

	return path && *path ? path : "/etc/zygo/zygo.env";
}

bool configure(const char *role)
{
	const char *path = settings_file();
	struct config c;

	if (!config_load(path, &c)) {
		if (access(path, F_OK) != 0 && errno == ENOENT)
			(void)fprintf(stderr, "%s is not there; ZYGO_ENV_FILE may name another.\n",
				      path);
		return false;
	}

	config_set(&c);
	log_init((enum log_level)c.log_level, (enum log_format)c.log_format, role);

	return true;
}
