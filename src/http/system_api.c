/*
 * Health, metrics, documents. All are public and none is counted: probes must be answered
 * when everything else is refused.
 */
#include "http/system.h"

#include "base/buf.h"
#include "base/clock.h"
#include "cache/redis.h"
#include "db/conn.h"
#include "http/api.h"
#include "http/docs_page.h"
#include "http/metrics.h"
#include "http/openapi.h"
#include "http/problem.h"

#define PAGE_BYTES_MAX MIB(8)

/*
 * Shapes
 */

/* clang-format off */
static const char *const ok_words[] = { "ok", NULL };
static const char *const dependency_words[] = { "ok", "unavailable", NULL };

static const struct field health_fields[] = {
	{ "status", T_ENUM, REQUIRED, .words = ok_words, .about = "The process answers" },
	{ "version", T_STRING, REQUIRED, .about = "Of the program", .example = PACKAGE_VERSION },
	{ "timestamp", T_DATETIME, REQUIRED, .about = "Its clock" },
};
static const struct shape health = REPLY_SHAPE("Health", health_fields);

static const struct field dependency_fields[] = {
	{ "database", T_ENUM, REQUIRED, .words = dependency_words, .about = "PostgreSQL" },
	{ "redis", T_ENUM, REQUIRED, .words = dependency_words,
	  .about = "Redis; without it requests are slower and still answered" },
};
static const struct shape dependencies = REPLY_SHAPE("Dependencies", dependency_fields);

static const struct field readiness_fields[] = {
	{ "status", T_ENUM, REQUIRED, .words = ok_words, .about = "Requests can be served" },
	{ "checks", T_OBJECT, REQUIRED, .shape = &dependencies },
};
static const struct shape readiness = REPLY_SHAPE("Readiness", readiness_fields);
/* clang-format on */

/*
 * Handlers
 */

static int live(struct request *r)
{
	struct jsonwrite w;

	reply_begin(r, &w);
	jsonwrite_member_text(&w, "status", "ok");
	jsonwrite_member_text(&w, "version", PACKAGE_VERSION);
	jsonwrite_key(&w, "timestamp");
	jsonwrite_time(&w, clock_now_us());

	return reply_end(r, &w);
}

static void write_checks(struct jsonwrite *w, bool database, bool redis)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "database", dependency_words[!database]);
	jsonwrite_member_text(w, "redis", dependency_words[!redis]);
	jsonwrite_object_end(w);
}

/* Redis holds what may be lost, so without it the process is still ready. */
static int ready(struct request *r)
{
	bool database = db_ping(r->ctx) == OK, redis = redis_ping(r->ctx) == OK;
	struct jsonwrite w;

	reply_begin(r, &w);
	if (database) {
		jsonwrite_member_text(&w, "status", "ok");
		jsonwrite_key(&w, "checks");
		write_checks(&w, database, redis);
		return reply_end(r, &w);
	}

	reply_status(r, 503);
	reply_header(r, "Retry-After", "1");
	problem_write(&w, r->ctx, ERR_SERVICE_UNAVAILABLE, "The database is not reachable");
	jsonwrite_key(&w, "details");
	jsonwrite_object(&w);
	jsonwrite_key(&w, "checks");
	write_checks(&w, database, redis);
	jsonwrite_object_end(&w);

	return reply_end(r, &w);
}

static int metrics(struct request *r)
{
	struct buf text;

	if (!metrics_may_be_read(r->ctx->actor.ip, request_header(r, "X_FORWARDED_FOR")))
		return fail(
			r->ctx, ERR_AUTH_FORBIDDEN, NULL,
			"This address may not read the metrics; METRICS_ALLOW lists those that may");

	buf_init(&text, r->ctx->arena, PAGE_BYTES_MAX);
	metrics_write(&text);
	metrics_write_others(r->ctx, &text);

	return reply_body(r, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
}

/* Printed once a process: the tables do not change. */
static int document(struct request *r, struct buf *text, unsigned tiers)
{
	if (!text->data) {
		buf_init_heap(text, PAGE_BYTES_MAX);
		openapi_write(text, tiers, false);
	}
	r->reply.is_resource = true;
	reply_header(r, "Cache-Control", "public, no-cache");

	return reply_body(r, NULL, text->data, text->len);
}

static int document_of_all(struct request *r)
{
	static struct buf text;

	return document(r, &text, TIER_API | TIER_ADMIN | TIER_SUPER | TIER_AUTH | TIER_SYSTEM);
}

static int document_of_api(struct request *r)
{
	static struct buf text;

	return document(r, &text, TIER_API);
}

static int page(struct request *r)
{
	reply_header(r, "Content-Security-Policy", DOCS_CONTENT_SECURITY_POLICY);

	return reply_body(r, "text/html; charset=utf-8", docs_page, strlen(docs_page));
}

static int script(struct request *r)
{
	return reply_body(r, "text/javascript; charset=utf-8", docs_script, strlen(docs_script));
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/health", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT,
	  .reply = &health, .tag = "System",
	  .summary = "Is the API there", .handle = live },

	{ GET, "/health/live", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT,
	  .reply = &health, .tag = "System",
	  .summary = "Does the process answer", .about = "Asks nothing of any other server", .handle = live },

	{ GET, "/health/ready", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT,
	  .reply = &readiness, .tag = "System",
	  .summary = "Can requests be served", .about = "503 without PostgreSQL; Redis may be away", .handle = ready },

	{ GET, "/metrics", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT,
	  .errors = ERRORS(ERR_AUTH_FORBIDDEN), .flags = ROUTE_HIDDEN,
	  .summary = "Metrics as Prometheus reads them", .handle = metrics },

	{ GET, "/api/openapi.json", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT, .flags = ROUTE_HIDDEN,
	  .summary = "The API as OpenAPI", .handle = document_of_all },

	{ GET, "/api/v1/openapi.json", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT, .flags = ROUTE_HIDDEN,
	  .summary = "The public tier as OpenAPI", .handle = document_of_api },

	{ GET, "/api/docs", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT, .flags = ROUTE_HIDDEN,
	  .summary = "A page to read and try the API", .handle = page },

	{ GET, "/api/docs/start.js", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT, .flags = ROUTE_HIDDEN,
	  .summary = "What the page runs", .handle = script },

	{ 0 },
};
/* clang-format on */

const struct mount system_mount = { "system", routes, NULL,
				    "Whether the service is there and can serve" };
