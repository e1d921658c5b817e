/* Between supervisor.c and worker.c. */
#pragma once

#include "prefork/supervisor.h"

/* A child's signals after fork: the master's mask and handlers are not a worker's. */
void worker_signals(void);
