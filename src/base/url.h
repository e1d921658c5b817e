/*
 * Parts of absolute URLs that are known to be well-formed: those of settings.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

/* Scheme, host and port, as a browser names an origin: all before the first '/' behind "://". */
struct str url_origin(const char *url); /* NULL gives the empty string */

/* The host of an origin, without its port. */
struct str url_host(const char *url);
