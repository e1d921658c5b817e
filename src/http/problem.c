/* The error body: see problem.h and docs/errors.md. */
#include "http/problem.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/jsonwrite.h"
#include "http/reply.h"
#include "http/request.h"

void problem_write(struct jsonwrite *w, const struct ctx *c, int err, const char *message)
{
	const struct err_info *info = err_info(err);

	jsonwrite_member_text(w, "error", info->code);
	jsonwrite_member_text(w, "message", message ? message : info->message);
	jsonwrite_member_i64(w, "statusCode", info->status);
	jsonwrite_key(w, "timestamp");
	jsonwrite_time(w, clock_now_us());
	jsonwrite_member_text(w, "requestId", c->request_id ? c->request_id : "unknown");
}

static void write_issue(struct jsonwrite *w, const char *path, const char *message,
			const char *code)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "path", path);
	jsonwrite_member_text(w, "message", message);
	jsonwrite_member_text(w, "code", code);
	jsonwrite_object_end(w);
}

/* A validation failure without a list of issues is one issue, of the field it names. */
static void write_issues(struct jsonwrite *w, const struct fault *f)
{
	jsonwrite_key(w, "issues");
	jsonwrite_array(w);
	for (size_t i = 0; i < f->issues_len; i++)
		write_issue(w, f->issues[i].path, f->issues[i].message, f->issues[i].code);
	if (!f->issues_len)
		write_issue(w, f->path, f->message ? f->message : "Invalid input", "custom");
	jsonwrite_array_end(w);
}

static void write_details(struct jsonwrite *w, const struct fault *f)
{
	bool has_issues = f->err == ERR_VALIDATION_ERROR && (f->issues_len || f->path);
	bool has_retry = f->err == ERR_RATE_LIMIT_EXCEEDED;

	if (!has_issues && !has_retry && !f->path && !f->required)
		return;

	jsonwrite_key(w, "details");
	jsonwrite_object(w);
	if (has_issues)
		write_issues(w, f);
	else if (f->path)
		jsonwrite_member_text(w, "path", f->path);
	if (f->required)
		jsonwrite_member_text(w, "required", f->required);
	if (has_retry)
		jsonwrite_member_i64(w, "retryAfter", f->retry_after_s);
	jsonwrite_object_end(w);
}

/* RFC 6750 section 3: says "invalid_token" only to who sent one. */
static void say_scheme(struct request *r)
{
	bool has_token = request_header(r, "AUTHORIZATION") != NULL;

	reply_header(r, "WWW-Authenticate",
		     has_token ? "Bearer realm=\"zygo\", error=\"invalid_token\""
			       : "Bearer realm=\"zygo\"");
}

static void say_headers(struct request *r, const struct fault *f)
{
	int status = err_info(f->err)->status;

	if (status == 401)
		say_scheme(r);
	if (status == 405)
		reply_header(r, "Allow", methods_text(r->ctx->arena, r->match.allowed));
	if (status == 429)
		reply_header(r, "Retry-After",
			     arena_printf(r->ctx->arena, "%lld", (long long)f->retry_after_s));
	if (status == 503)
		reply_header(r, "Retry-After", "1");
}

void problem_reply(struct request *r)
{
	const struct fault *f = &r->ctx->fault;
	struct jsonwrite w;
	const char *message = f->message;

	/* Issues have words of their own; the whole is always said alike. */
	if (f->err == ERR_VALIDATION_ERROR && (f->issues_len || f->path))
		message = NULL;

	r->reply = (struct reply){ .version = -1 };
	reply_status(r, err_info(f->err)->status);
	say_headers(r, f);
	reply_begin(r, &w);
	problem_write(&w, r->ctx, f->err, message);
	write_details(&w, f);
	(void)reply_end(r, &w);
}
