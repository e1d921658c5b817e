/*
 * Files in an S3-compatible bucket, by libcurl with AWS Signature Version 4. Whole files of up to
 * 5 GiB go up in one request, which is what S3 takes; memory does not grow with them.
 *
 * The bucket is the admin's own, by the settings: net/guard has no say in where it is.
 */
#pragma once

#include "base/base.h"

struct ctx;

struct bucket {
	const char *region; /* "eu-central-1" */
	const char *key_id, *secret;
};

#define BUCKET_FILE_BYTES_MAX GIB_5
#define GIB_5                 (INT64_C(5) << 30)

/*
 * Puts all of fd, bytes long, at the URL. sha256: of it, in hex, which the server checks.
 * ERR_BAD_GATEWAY, with what the server said in the log, or ERR_GATEWAY_TIMEOUT.
 */
int bucket_put(struct ctx *c, const struct bucket *b, const char *url, int fd, int64_t bytes,
	       const char *sha256) MUST_CHECK;

/* Writes what is at the URL into fd, at its place. ERR_RESOURCE_NOT_FOUND, or as above. */
int bucket_get(struct ctx *c, const struct bucket *b, const char *url, int fd) MUST_CHECK;
