/*
 * Where archives are kept, by ARCHIVE_URL: a folder, or a bucket. Locations are URLs, as they stand
 * in tenant_deletions and are given to `zygo admin restore-tenant`.
 */
#pragma once

#include "base/base.h"

struct ctx;

/* The folder that ARCHIVE_URL names; NULL: it names a bucket. */
const char *place_folder(void);

/* A file that is being written. It has no name until place_keep(), so whoever dies leaves nothing.
 */
struct placing {
	int fd;           /* -1: none. Closed by place_done() */
	const char *name; /* of the archive */
};

int place_begin(struct ctx *c, const char *name, struct placing *ret) MUST_CHECK;

/* bytes and sha256 (hex): of all that was written. *ret_location is in c's arena. */
int place_keep(struct ctx *c, struct placing *p, int64_t bytes, const char *sha256,
	       const char **ret_location) MUST_CHECK;
void place_done(struct placing *p);

/* Opens an archive: a path, or a location. Whoever asks closes *ret_fd. */
int place_open(struct ctx *c, const char *location, int *ret_fd) MUST_CHECK;
