/* The device that a log-in comes from, as far as it says. */
#pragma once

struct request;

/* What it calls itself (User-Agent), as much of it as is UTF-8 and kept; NULL when it says nothing.
 */
const char *device_of(struct request *r);
