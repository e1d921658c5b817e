/* What every role makes sure of before it starts. */
#pragma once

#include "base/base.h"

/* Says in the log why the role does not start; the exit status. */
int start_failed(const char *reason);

/*
 * Tenants are kept apart, or the role does not start: each finding is a line of the log. A database
 * that is away is asked by nobody until it is back. The exit status.
 */
int start_check_database(void);
