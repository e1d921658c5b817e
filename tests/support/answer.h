/*
 * Asking the server over HTTPS, as any client does, and looking at what it answers.
 *
 *	answer_is(post(&ann, "/projects", "{\"slug\":\"blue\",\"name\":\"Blue\"}"), 201);
 *	answer_is_error(get(&bob, "/projects/x"), 400, "VALIDATION_ERROR", "id");
 *
 * Whatever a test asks, each answer is also held against the OpenAPI document and its route's row
 * (support/conformance.h): a test that looks at one thing sees the others too.
 */
#pragma once

#include "base/base.h"
#include "base/jsonread.h"
#include "base/str.h"

struct caller;

/* Any request. What is NULL is not sent. */
struct ask {
	const char *method;
	const char *path; /* from the root, with its query; sent as it stands */
	const struct caller *caller;
	const char *body;
	size_t body_len;          /* 0: body ends with NUL */
	const char *headers[12];  /* "Name: value", beside those that the caller brings */
	const char *content_type; /* NULL: application/json when there is a body */
};

struct answer_header {
	struct str name, value;
};

#define ANSWER_HEADERS_MAX 48

struct answer {
	int status;
	struct str body;
	const struct json *json; /* NULL when the body is no JSON, or null */
	const struct answer_header *headers;
	size_t headers_len;
	const char *asked; /* "GET /api/v1/users", for messages */
};

struct answer answer_to(const struct ask *a);

/* All asked at once, each on a connection of its own. */
void answers_to_all(const struct ask *asks, size_t n, struct answer *ret);

/* The same asked n times at once. */
void answers_together(const struct ask *ask, size_t n, struct answer *ret);

/* Below the path of the caller's tier, with its credential: "/projects?limit=3". */
struct answer get(const struct caller *c, const char *path);
struct answer post(const struct caller *c, const char *path, const char *body); /* NULL: none */
struct answer put(const struct caller *c, const char *path, const char *body);
struct answer patch(const struct caller *c, const char *path, const char *body);
struct answer del(const struct caller *c, const char *path);

/* With one header more: "If-Match: \"3\"". */
struct answer ask_with(const struct caller *c, const char *method, const char *path,
		       const char *body, const char *header);

/* Fails the test, showing the answer, unless it is this; gives it back. */
struct answer answer_is(struct answer a, int status);

/* … an error with this code, about this field (NULL: whichever). */
struct answer answer_is_error(struct answer a, int status, const char *code, const char *path);

/* One of the error's issues is about this field. */
bool answer_has_issue(const struct answer *a, const char *path);

/* The value of a header, of a repeated one all with commas between; NULL when it is not there. */
const char *answer_header(const struct answer *a, const char *name);

/* What stands at a path of the body, "data.0.email"; false when there is no such place. */
bool answer_find(const struct answer *a, const char *path, const struct json **ret);

/* The same; another kind of value, or none, fails the test. */
const char *answer_text(struct answer a, const char *path);
int64_t answer_int(struct answer a, const char *path);
bool answer_bool(struct answer a, const char *path);
size_t answer_len(struct answer a, const char *path); /* of an array */

/*
 * Forgets all answers so far and gives their memory back: for tests that walk tables. Callers stay.
 */
void answers_forget(void);

/* An answer's bytes as they came from the wire, taken apart; for support/wire.h. */
struct answer answer_parse(struct str bytes, const char *asked);
