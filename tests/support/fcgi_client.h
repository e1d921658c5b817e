/*
 * A FastCGI client for tests, one kept connection each: what nginx does, and what nginx would not.
 * Waits at most FCGI_CLIENT_WAIT_S for an answer, so that a lost request is seen and not waited
 * for.
 */
#pragma once

#include "base/base.h"

#define FCGI_CLIENT_WAIT_S 60

struct fcgi_client {
	int fd;
};

struct fcgi_answer {
	int status;       /* of "Status:", 200 without one */
	const char *body; /* in text */
	size_t body_len;  /* all that came */
	size_t text_len;
	char text[KIB(128)]; /* head and body, what fits, then a NUL */
};

struct fcgi_pair {
	const char *name, *value;
};

bool fcgi_client_connect(struct fcgi_client *c, const char *path);
void fcgi_client_close(struct fcgi_client *c);

/*
 * Asks and waits for the answer. pairs end with a NULL name; REQUEST_METHOD and the rest are theirs
 * to say. False when the connection broke before END_REQUEST.
 */
bool fcgi_client_ask(struct fcgi_client *c, const struct fcgi_pair *pairs, const void *body,
		     size_t body_len, struct fcgi_answer *ret);

/* The same in two steps, for tests that do something in between. */
bool fcgi_client_send(struct fcgi_client *c, const struct fcgi_pair *pairs, const void *body,
		      size_t body_len);
bool fcgi_client_receive(struct fcgi_client *c, struct fcgi_answer *ret);

/* The bytes of a request's head and an empty body, at most cap; their number. */
size_t fcgi_client_request(const struct fcgi_pair *pairs, uint8_t *ret, size_t cap);
bool fcgi_client_send_raw(struct fcgi_client *c, const void *bytes, size_t len);

/* Waits until the other side closes; false when it sends something or does not within the wait. */
bool fcgi_client_is_closed(struct fcgi_client *c);
