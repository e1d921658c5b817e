/*
 * Files in an S3-compatible bucket, by libcurl with AWS Signature Version 4. Memory does not grow
 * with them. What is larger than a part goes up in parts (a multipart upload), 5 TiB at most.
 *
 * The bucket is the admin's own, by the settings: net/guard has no say in where it is.
 */
#pragma once

#include "base/base.h"

struct ctx;

struct bucket {
	const char *region; /* "eu-central-1" */
	const char *key_id, *secret;
	int64_t part_bytes; /* 0: BUCKET_PART_BYTES. Buckets want 5 MiB at least */
	/* SHA-256 in hex, in c's arena, of the bytes that come next in a file, whose place stays.
	 */
	int (*digest)(struct ctx *c, int fd, int64_t bytes, const char **ret);
};

#define BUCKET_PART_BYTES     (INT64_C(1) << 30)
#define BUCKET_FILE_BYTES_MAX (INT64_C(5) << 40)

/*
 * Puts all of fd, bytes long, at the URL; there is none there until it is whole. sha256: of it, in
 * hex, which the server checks, as it does of each part. ERR_BAD_GATEWAY, with what the server said
 * in the log, or ERR_GATEWAY_TIMEOUT. Who dies on the way may leave parts behind, which the
 * bucket's own rules remove.
 */
int bucket_put(struct ctx *c, const struct bucket *b, const char *url, int fd, int64_t bytes,
	       const char *sha256) MUST_CHECK;

/* Writes what is at the URL into fd, at its place. ERR_RESOURCE_NOT_FOUND, or as above. */
int bucket_get(struct ctx *c, const struct bucket *b, const char *url, int fd) MUST_CHECK;
