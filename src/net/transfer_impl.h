/*
 * What every HTTP transfer of ours has in common, for the files of net/ that make one: fetch.c one
 * after another, courier.c many at once.
 */
#pragma once

#include "base/base.h"

#include <curl/curl.h>

/* Lives as long as the transfer that it watches. */
struct watch {
	bool is_clear;   /* http: */
	bool is_refused; /* the guard said no to an address */
};

/*
 * Where curl goes, and where it never does: to url alone, by no redirect and no proxy or netrc of
 * the environment, and to no address that the guard refuses; *w tells.
 */
void transfer_prepare(CURL *curl, const char *url, struct watch *w, int64_t connect_us,
		      int64_t timeout_us);
