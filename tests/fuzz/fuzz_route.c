/*
 * Any bytes as a request: the first line is the target, the others are headers, what follows an
 * empty line is the body. Whatever comes is answered, with one status and a head of whole lines.
 */
#include "base/arena.h"
#include "base/config.h"
#include "http/api.h"
#include "http/stages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
	"REQUEST_URI",  "REQUEST_METHOD", "HTTP_ORIGIN", "HTTP_COOKIE",       "HTTP_IF_MATCH",
	"CONTENT_TYPE", "CONTENT_LENGTH", "REMOTE_ADDR", "HTTP_X_REQUEST_ID", "HTTP_IF_NONE_MATCH",
};

struct peer {
	const char *values[ARRAY_LEN(names)];
	struct str body;
	bool answered;
};

static const char *param(const void *p, const char *name)
{
	const struct peer *peer = p;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name))
			return peer->values[i];

	return NULL;
}

static bool params_fit(const void *p)
{
	(void)p;
	return true;
}

static bool read_body(void *p, char *to, size_t max, size_t *ret_len)
{
	struct peer *peer = p;
	size_t n = peer->body.len < max ? peer->body.len : max;

	*ret_len = n;
	if (!n)
		return true;

	memcpy(to, peer->body.ptr, n);
	peer->body = (struct str){ peer->body.ptr + n, peer->body.len - n };

	return true;
}

static void write_reply(void *p, struct str head, struct str body)
{
	struct peer *peer = p;

	(void)body;
	BUG_IF(peer->answered || !str_starts(head, "Status: ") || !str_ends(head, "\r\n\r\n"));
	peer->answered = true;
}

struct thing {
	const char *name;
};

static int answer(struct request *r)
{
	struct jsonwrite w;

	r->reply.is_resource = true;
	reply_begin(r, &w);
	if (r->match.params_len > 1)
		jsonwrite_member_text(&w, "key", request_param(r, "key"));

	return reply_end(r, &w);
}

static int nothing(struct request *r)
{
	(void)r;
	return OK;
}

/* clang-format off */
static const struct field fields[] = {
	{ "name", T_STRING, REQUIRED, .offset = offsetof(struct thing, name), .min = 1, .max = 20 },
};
static const struct shape thing = SHAPE("Thing", struct thing, fields);

#define FREE PERM_PUBLIC, RATE_EXEMPT

static const struct route rows[] = {
	{ GET, "/things", TIER_SYSTEM, FREE, .sorts = "a b", .query = &thing, .summary = "s", .handle = answer },
	{ POST, "/things", TIER_SYSTEM | TIER_AUTH, FREE, .body = &thing, .summary = "s", .handle = answer },
	{ GET, "/things/:id/keys/:key", TIER_SYSTEM, FREE, .summary = "s", .handle = answer },
	{ PATCH, "/things/:id", TIER_ADMIN, FREE, .body = &thing, .summary = "s", .none = nothing },
	{ POST, "/raw", TIER_SYSTEM, FREE, .flags = ROUTE_RAW_BODY, .summary = "s", .none = nothing },
	{ 0 },
};
/* clang-format on */

static const struct mount mount = { "fuzz", rows, NULL, NULL };
static const struct mount *const mounts[] = { &mount, NULL };

static void init(void)
{
	static const struct config set = { .app_url = "https://a", .body_max = 4096 };

	config_set(&set);
	if (!routes_init(mounts))
		BUG("the fuzzer's own rows are wrong");
}

/* Each line is a parameter's value; an empty one leaves it out. */
static void read_peer(struct arena *a, struct str text, struct peer *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(names) && text.ptr; i++) {
		struct str line = str_cut(&text, '\n');

		ret->values[i] = line.len ? str_dup(a, line) : NULL;
	}
	ret->body = text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct transport transport = {
		.param = param, .params_fit = params_fit, .read = read_body, .write = write_reply
	};
	static bool is_ready;
	struct peer peer = { 0 };
	struct arena *a = arena_new();
	struct ctx c;
	struct request r = { .ctx = &c, .transport = &transport, .peer = &peer };

	if (!is_ready)
		init();
	is_ready = true;

	ctx_reset(&c, a);
	read_peer(a, (struct str){ (const char *)data, size }, &peer);
	stages_run(&r);
	BUG_IF(!peer.answered);
	arena_free(a);

	return 0;
}
