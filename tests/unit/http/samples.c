/* Rows for the tests of the stages: see samples.h. */
#include "samples.h"

#include "base/arena.h"
#include "http/api.h"

struct thing {
	const char *name;
};

static int echo_handler(struct request *r)
{
	const struct thing *in = r->body;
	struct jsonwrite w;

	reply_begin(r, &w);
	jsonwrite_member_text(&w, "name", in ? in->name : "none");

	return reply_end(r, &w);
}

static int resource(struct request *r)
{
	r->reply.is_resource = true;
	r->reply.version = strstr(r->path, "hashed") ? -1 : 7;

	return echo_handler(r);
}

static int two_params(struct request *r)
{
	char id[UUID_TEXT_SIZE];
	struct jsonwrite w;

	uuid_format(request_id_param(r, "id"), id);
	reply_begin(r, &w);
	jsonwrite_member_text(&w, "id", id);
	jsonwrite_member_text(&w, "key", request_param(r, "key"));

	return reply_end(r, &w);
}

static int nothing(struct request *r)
{
	(void)r;
	return OK;
}

static int conflict(struct request *r)
{
	return fail(r->ctx, ERR_RESOURCE_CONFLICT, "name", "A thing with this name exists");
}

static int broken(struct request *r)
{
	return fail_internal(r->ctx, "the reason, for the log");
}

static int made_good(struct request *r)
{
	(void)fail(r->ctx, ERR_SERVICE_UNAVAILABLE, NULL, NULL);
	return echo_handler(r);
}

static int raw(struct request *r)
{
	return reply_body(r, "text/plain", r->body_text.ptr, r->body_text.len);
}

/* "/parts/<n>": as many parts as n says behind the first; "/parts/x": the second one fails. */
static int next_part(struct request *r, void *source, struct str *ret)
{
	int *n = source;

	if (*n < 0)
		return fail_internal(r->ctx, "the reason, for the log");
	*ret = *n ? str_of(arena_printf(r->ctx->arena, ",%d", *n)) : STR("");
	*n -= *n > 0;

	return OK;
}

static int parts(struct request *r)
{
	const char *how = request_param(r, "n");
	int *n = arena_make(r->ctx->arena, int);

	*n = *how == 'x' ? -1 : *how - '0';

	return reply_parts(r, "text/plain", STR("first"), next_part, n);
}

static int split_header(struct request *r)
{
	reply_header(r, "X-Thing", "a\r\nX-Other: b");
	return echo_handler(r);
}

/* clang-format off */
static const struct field thing_fields[] = {
	{ "name", T_STRING, REQUIRED, .offset = offsetof(struct thing, name), .min = 1, .max = 20 },
};
static const struct shape thing_new = SHAPE("ThingNew", struct thing, thing_fields);
static const struct shape thing = REPLY_SHAPE("Thing", thing_fields);

#define OPEN TIER_SYSTEM, PERM_PUBLIC
#define FREE OPEN, RATE_EXEMPT

static const struct route routes[] = {
	{ GET, "/things", FREE, .summary = "s", .handle = echo_handler, .reply = &thing },
	{ POST, "/things", FREE, .body = &thing_new, .reply = &thing, .status = 201, .summary = "s",
	  .handle = echo_handler },
	{ GET, "/things/special", FREE, .summary = "s", .handle = echo_handler },
	{ GET, "/things/:id", FREE, .summary = "s", .handle = resource },
	{ PATCH, "/things/:id", FREE, .body = &thing_new, .summary = "s", .handle = resource },
	{ GET, "/things/:id/keys/:key", FREE, .summary = "s", .handle = two_params },
	{ DELETE, "/things/:thingId", FREE, .summary = "s", .none = nothing },
	{ POST, "/things/:id/start", FREE, .summary = "s", .none = nothing },
	{ GET, "/hashed", FREE, .summary = "s", .handle = resource },
	{ POST, "/conflict", FREE, .summary = "s", .handle = conflict },
	{ GET, "/broken", FREE, .summary = "s", .handle = broken },
	{ GET, "/made-good", FREE, .summary = "s", .handle = made_good },
	{ POST, "/raw", FREE, .flags = ROUTE_RAW_BODY, .summary = "s", .handle = raw },
	{ GET, "/parts/:n", FREE, .flags = ROUTE_SLOW, .summary = "s", .handle = parts },
	{ GET, "/split", FREE, .summary = "s", .handle = split_header },
	{ GET, "/limited", OPEN, RATE_AUTH, .summary = "s", .handle = echo_handler },
	{ GET, "/old", FREE, .deprecated = "2026-01-01 2027-01-01 /things", .summary = "s", .handle = echo_handler },
	{ POST, "/sign-in", TIER_AUTH, PERM_PUBLIC, RATE_EXEMPT, .summary = "s", .none = nothing },
	{ POST, "/change", TIER_ADMIN, PERM_PUBLIC, RATE_EXEMPT, .summary = "s", .none = nothing },
	{ GET, "/change", TIER_ADMIN, PERM_PUBLIC, RATE_EXEMPT, .summary = "s", .none = nothing },
	{ POST, "/change", TIER_API, PERM_PUBLIC, RATE_EXEMPT, .summary = "s", .none = nothing },
	{ 0 },
};
/* clang-format on */

static const struct mount sample = { "samples", routes, NULL, NULL };

const struct mount *const sample_mounts[] = { &sample, NULL };
