/* What the requests to a bucket share: see bucket.h. */
#pragma once

#include "net/bucket.h"

#include <curl/curl.h>

#define SAID_MAX 4000 /* of what a bucket answers, or refuses with */

/* One request while it runs. Begun by talk_begin(), ended by talk_done(). */
struct talk {
	struct ctx *c;
	const char *url; /* without its query, for messages */
	CURL *curl;
	struct curl_slist *headers;
	int fd;         /* of what is sent, or of where it goes */
	int64_t left;   /* to send, from the file's place on */
	bool is_get;    /* a body goes into the file */
	bool is_broken; /* the file, and not the network */
	long status;    /* 0: the head has not come yet */
	char said[SAID_MAX + 1];
	size_t said_len;
};

/* sha256: of the body, in hex, or one of these. query: sorted and escaped, as the signature wants
 * it; NULL: none. */
#define SHA256_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256_UNSAID     "UNSIGNED-PAYLOAD"
void talk_begin(struct talk *t, struct ctx *c, const struct bucket *b, const char *url,
		const char *query, const char *sha256);

/* What is sent: so many bytes of the file, from its place on. */
void talk_send_file(struct talk *t, int fd, int64_t bytes);

/* OK at 200, or 204; else what bucket_put() says. */
int talk_run(struct talk *t) MUST_CHECK;
void talk_done(struct talk *t);

/* A file of more than part_bytes, in parts of so many. */
int bucket_put_parts(struct ctx *c, const struct bucket *b, const char *url, int fd, int64_t bytes,
		     int64_t part_bytes) MUST_CHECK;
