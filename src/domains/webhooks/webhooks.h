/*
 * Webhooks: events of a tenant, sent to addresses that it names. README.md has the idea; what
 * sending does by itself is in webhooks_sender.h.
 *
 * *ret is the row as sql/queries/webhooks.sql names its columns, in c's arena.
 */
#pragma once

#include "base/err.h"
#include "base/id.h"
#include "base/list.h"
#include "jobs/job.h"

struct buf;
struct ctx;
struct job_kind;
struct mount;
struct page;
struct paging;
struct rows;

struct webhook_id {
	struct uuid u;
};
struct delivery_id {
	struct uuid u;
};

/* Sent beside ours; values are shown to nobody. */
struct webhook_header {
	const char *name, *value;
};

struct webhook_new {
	const char *url;
	const char *description;
	struct list event_types; /* const char *: "project.created", "project.*"; empty: all */
	struct list headers;     /* const struct webhook_header * */
	int64_t rate_limit;      /* deliveries a second; 0: any number */
	bool ordered;            /* the next only when the former was delivered or given up */
	bool enabled;            /* else nothing is sent yet */
};

/* What is not given stays as it is. */
struct webhook_patch {
	const char *url, *description;
	struct list event_types, headers;
	int64_t rate_limit;
	bool ordered, enabled;
	bool has_url, has_description, has_event_types, has_headers, has_rate_limit, has_ordered,
		has_enabled;
};

struct webhook_rotation {
	int64_t grace_s; /* so long the old secret signs too */
};

struct webhook_filter {
	const char *search;     /* somewhere in url or description, in either case; NULL: all */
	const char *event_type; /* those that get it; NULL: all */
	bool enabled, has_enabled;
};

struct webhook_ping {
	const char *event_type; /* whose example is sent; NULL: "webhook.test", {"test":true} */
};

struct delivery_filter {
	const char *status, *event_type; /* NULL: all */
	int64_t since_us, until_us;      /* 0: no bound */
	struct uuid message;             /* nil: all */
};

/* What is sent again: "failed": what was given up or cancelled; "all": that and what was delivered;
 * "missed": events that no delivery was made for, since the webhook was disabled or not there. */
struct webhook_replay {
	const char *which;
	int64_t since_us, until_us; /* until 0: now */
};

struct stats_filter {
	int64_t since_us, until_us; /* 0: the last seven days; until now */
};

extern const struct mount webhooks_mount, webhook_deliveries_mount;
extern const struct job_kind webhook_replay_job, webhook_stop_job, webhook_disable_job;

/*
 * With the event webhook.created; *ret_secret is for whoever verifies, and never shown again.
 * ERR_VALIDATION_ERROR for a URL that the guard refuses ("url"), a type of event that does not
 * exist ("eventTypes"), a header that is not to be set ("headers"); ERR_AUTH_FORBIDDEN for events
 * that the caller may not see; ERR_PLAN_LIMIT_EXCEEDED. Resolves a name: blocking.
 */
int webhooks_create(struct ctx *c, const struct webhook_new *in, const char **ret_secret,
		    const struct rows **ret) MUST_CHECK;

int webhooks_get(struct ctx *c, struct webhook_id id, const struct rows **ret) MUST_CHECK;
int webhooks_list(struct ctx *c, const struct webhook_filter *f, const struct paging *p,
		  const struct page **ret) MUST_CHECK;

/* These three want c's If-Match, when there is one, to be the webhook's version. What waits for one
 * that is disabled or deleted is cancelled; one that is enabled, or has another URL, begins anew. A
 * change of what is told, or to whom, wants that the caller may see it, as in webhooks_create(). */
int webhooks_update(struct ctx *c, struct webhook_id id, const struct webhook_patch *in,
		    const struct rows **ret) MUST_CHECK;
int webhooks_rotate_secret(struct ctx *c, struct webhook_id id, const struct webhook_rotation *in,
			   const char **ret_secret, const struct rows **ret) MUST_CHECK;
int webhooks_delete(struct ctx *c, struct webhook_id id) MUST_CHECK;

/* Sends it something now; *ret: the delivery. ERR_RESOURCE_CONFLICT when it is disabled. */
int webhooks_test(struct ctx *c, struct webhook_id id, const struct webhook_ping *in,
		  struct delivery_id *ret_id, const struct rows **ret) MUST_CHECK;

/* Of one webhook, or of all with a nil id. */
int webhooks_deliveries(struct ctx *c, struct webhook_id id, const struct delivery_filter *f,
			const struct paging *p, const struct page **ret) MUST_CHECK;

/* Without bodies where the caller may not see such events. */
int webhooks_delivery(struct ctx *c, struct delivery_id id, const struct rows **ret) MUST_CHECK;

/* Begins a delivery anew. ERR_RESOURCE_CONFLICT when it is under way, or its webhook is disabled.
 */
int webhooks_replay(struct ctx *c, struct delivery_id id, const struct rows **ret) MUST_CHECK;

/* The same of many, by a job. */
int webhooks_replay_many(struct ctx *c, struct webhook_id id, const struct webhook_replay *in,
			 struct job_id *ret) MUST_CHECK;

int webhooks_stats(struct ctx *c, struct webhook_id id, const struct stats_filter *f,
		   const struct rows **ret) MUST_CHECK;

/* What Prometheus reads; nothing when the database is away. */
void webhooks_metrics(struct ctx *c, struct buf *out);
