/*
 * Who is where, over all processes: sets in Redis whose members end by themselves when nobody says
 * again that they are there. Without Redis nothing is known.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ctx;

/* Longer than ATTENDANCE_AGAIN_S, after which whoever is there says so again. */
#define ATTENDANCE_TTL_S   60
#define ATTENDANCE_AGAIN_S 20

/* More are not listed. */
#define ATTENDANCE_MAX 1000

/*
 * The member is there from now on, for ATTENDANCE_TTL_S, or is there no more; then who is there, in
 * c's arena. False: Redis did not say. One round trip.
 */
bool attendance_note(struct ctx *c, const char *key, struct str member, bool is_there,
		     struct str **ret, size_t *ret_len);

/* Many are there still, as attendance_note() says it of one, and nobody is listed. One round trip;
 * false: Redis did not say that it knows. */
struct attendance {
	const char *key;
	struct str member;
};
bool attendance_renew(struct ctx *c, const struct attendance *these, size_t n);

/* Who is there. */
bool attendance_list(struct ctx *c, const char *key, struct str **ret, size_t *ret_len);
