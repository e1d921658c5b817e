/*
 * Notifications: what users are told of, in a list of their own and by mail. kinds.h says what and
 * whom; events make them (reader.c), jobs send and show them (notifications_jobs.c).
 *
 * Everything here is about the notifications of the seat that acts. *ret is what
 * sql/queries/notifications.sql names its columns; it lives in c's arena.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/list.h"

struct batch;
struct ctx;
struct job_kind;
struct mount;
struct page;
struct paging;
struct rows;
struct shape;

struct notification_id {
	struct uuid u;
};

struct notification_filter {
	bool unread;      /* only those */
	const char *kind; /* NULL: all */
};

/* Which ones are marked read. */
struct notification_range {
	int64_t up_to_us; /* created by then; 0: so far */
};

/* What is not given stays as it is. */
struct notification_preference {
	const char *kind;
	const char *email; /* "instant", "digest", "off"; NULL: not given */
	bool in_app, has_in_app;
};

struct notification_preferences {
	struct list preferences; /* of struct notification_preference; of a kind, the last word on
				    each channel holds */
};

extern const struct mount notifications_mount;
extern const struct mount unsubscribe_mount;
extern const struct shape notification_shape; /* how one is shown */

/* What the spine's reader "notifications" does (events/reader.h). */
void notifications_read(struct batch *b, struct ctx *c);

/* For the book of jobs. */
extern const struct job_kind notification_mail_kind, notification_digest_kind;
extern const struct job_kind notification_live_kind, notification_hourly_kind;

int notifications_list(struct ctx *c, const struct notification_filter *f, const struct paging *p,
		       const struct page **ret) MUST_CHECK;
int notifications_unread(struct ctx *c, const struct rows **ret) MUST_CHECK;

/* To mark what is marked already is no error. Each tells the person's other pages live. */
int notifications_mark(struct ctx *c, struct notification_id id, bool read, const struct rows **ret)
	MUST_CHECK;
int notifications_mark_all(struct ctx *c, const struct notification_range *in,
			   const struct rows **ret) MUST_CHECK;
/* Out of the list, for good. */
int notifications_archive(struct ctx *c, struct notification_id id) MUST_CHECK;

/* Of every kind, what holds: chosen, or else the kind's own. */
int notifications_preferences(struct ctx *c, const struct rows **ret) MUST_CHECK;

/* ERR_VALIDATION_ERROR for a kind that there is not; ERR_RULE_VIOLATED for a notice of security.
 * All preferences, as they are from now on. */
int notifications_prefer(struct ctx *c, const struct notification_preferences *in,
			 const struct rows **ret) MUST_CHECK;
