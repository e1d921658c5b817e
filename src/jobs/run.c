/*
 * One job: its payload read, its handler run in its tenant's name, its end told.
 *
 * A handler that does not come back in its kind's time ends the process: SIGALRM does what nothing
 * else could do to code that waits or loops. The master puts another worker in place, and the
 * keeper sees to the jobs.
 */
#include "jobs/crew.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonread.h"
#include "base/jsonwrite.h"
#include "base/log.h"
#include "db/act.h"
#include "db/batch.h"
#include "http/shape.h"
#include "prefork/supervisor.h"

#include <sys/time.h>

#define ERROR_BYTES_MAX KIB(16)
#define TEXT_BYTES_MAX  2000 /* of an error's message or detail */

/* 0: no limit. */
static void limit(int64_t us)
{
	struct itimerval t = { .it_value = { us / US_PER_S, us % US_PER_S } };

	BUG_IF(setitimer(ITIMER_REAL, &t, NULL) != 0);
}

static struct uuid uuid_at(const struct rows *r, size_t row, const char *name)
{
	size_t col = (size_t)rows_find(r, name);

	return rows_is_null(r, row, col) ? (struct uuid){ 0 } : rows_uuid(r, row, col);
}

static int64_t int_at(const struct rows *r, size_t row, const char *name)
{
	return rows_int(r, row, (size_t)rows_find(r, name));
}

static struct job job_at(const struct crew *w, struct ctx *c, const struct rows *r, size_t row)
{
	return (struct job){
		.c = c,
		.kind = book_kind(w->book, rows_str(r, row, (size_t)rows_find(r, "kind"))),
		.id.u = uuid_at(r, row, "id"),
		.tenant.u = uuid_at(r, row, "tenant_id"),
		.parent.u = uuid_at(r, row, "parent_id"),
		.payload_text = rows_str(r, row, (size_t)rows_find(r, "payload")),
		.attempt = (unsigned)int_at(r, row, "attempts"),
		.attempts_max = (unsigned)int_at(r, row, "max_attempts"),
		.is_resumed = rows_bool(r, row, (size_t)rows_find(r, "is_resumed")),
		.worker = w->name,
	};
}

/* A payload that its shape refuses will not be better the next time. */
static int read_payload(struct job *j)
{
	const struct json *json;
	const char *why;
	size_t at;
	void *payload;
	int err;

	if (!j->kind->payload)
		return OK;
	if (!jsonread_parse(j->c->arena, j->payload_text, &json, &why, &at))
		BUG("jsonb that is not JSON");
	j->is_hopeless = true;
	err = shape_read(j->c, j->kind->payload, json, "", &payload);
	if (err)
		return err;

	j->payload = payload;
	j->is_hopeless = false;

	return OK;
}

/* A member of at most TEXT_BYTES_MAX bytes, cut between characters. */
static void write_text(struct jsonwrite *w, const char *key, const char *text)
{
	struct str s = str_of(text);

	if (!text)
		return;
	if (s.len > TEXT_BYTES_MAX)
		s.len = TEXT_BYTES_MAX;
	s.len = str_utf8_prefix(s);
	jsonwrite_key(w, key);
	jsonwrite_str(w, s);
}

static const char *error_json(struct arena *a, const struct job *j)
{
	const struct fault *f = &j->c->fault;
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, a, ERROR_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_object(&w);
	jsonwrite_member_i64(&w, "attempt", j->attempt);
	jsonwrite_key(&w, "at");
	jsonwrite_time(&w, clock_now_us());
	jsonwrite_member_text(&w, "code", err_info(f->err)->code);
	write_text(&w, "message", f->message ? f->message : err_info(f->err)->message);
	write_text(&w, "path", f->issues_len ? f->issues[0].path : f->path);
	write_text(&w, "detail", f->detail);
	jsonwrite_object_end(&w);
	BUG_IF(out.overflow);

	return out.data;
}

static const char *id_text(struct ctx *c, struct uuid u)
{
	char *text = arena_alloc(c->arena, UUID_TEXT_SIZE);

	if (uuid_is_nil(u))
		return NULL;
	uuid_format(u, text);

	return text;
}

static void tell_failure(const struct job *j)
{
	const struct fault *f = &j->c->fault;

	log_warn("A job failed", LOG_S("kind", j->kind->name), LOG_S("id", id_text(j->c, j->id.u)),
		 LOG_S("tenantId", id_text(j->c, j->tenant.u)), LOG_I("attempt", j->attempt),
		 LOG_I("attempts", j->attempts_max),
		 LOG_S("reason", f->message ? f->message : err_info(f->err)->message),
		 LOG_S("detail", f->detail), LOG_S("where", f->where));
}

/* Of a queue whose jobs are short and many, nobody wants a line for each. */
static void tell_completion(const struct job *j, const struct job_queue *q, int64_t run_us)
{
	log_fields(q->batch > 1 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "A job is completed",
		   LOG_S("kind", j->kind->name), LOG_S("id", id_text(j->c, j->id.u)),
		   LOG_S("tenantId", id_text(j->c, j->tenant.u)), LOG_I("attempt", j->attempt),
		   LOG_I("runMs", run_us / US_PER_MS), LOG_END);
}

/* What PostgreSQL would refuse fails one job here; in settle() it would fail the whole haul. */
static int check_result(const struct job *j)
{
	const struct json *json;
	const char *why;
	size_t at;

	if (!j->result.ptr || jsonread_parse(j->c->arena, j->result, &json, &why, &at))
		return OK;

	return fail_internal(j->c, "the handler left a result that is no JSON: %s", why);
}

static int run_handler(struct job *j)
{
	int err;

	if (!uuid_is_nil(j->tenant.u))
		act_for_tenant(j->c, j->tenant);
	j->c->actor.kind = ACTOR_SYSTEM;

	limit(j->kind->limit_us);
	err = read_payload(j);
	if (!err)
		err = j->kind->run(j);
	if (!err && !j->is_done)
		err = check_result(j);
	db_end(j->c);
	limit(0);

	/* A handler that returns an error without its reason has still failed. */
	return err && !j->c->fault.err ? fail(j->c, err, NULL, NULL) : err;
}

static enum end end_of(const struct job *j, int err)
{
	if (j->is_done)
		return END_SETTLED;
	if (err)
		return END_FAILED;

	if (j->put_off_us > 0)
		return END_PUT_OFF;

	return j->awaits_children ? END_AWAITS : END_DONE;
}

void run_job(struct crew *w, const struct haul *h, struct outcome *ret)
{
	int64_t began_us = clock_monotonic_us();
	struct ctx c;
	struct job j;
	int err;

	arena_reset(w->of_job);
	ctx_reset(&c, w->of_job);
	j = job_at(w, &c, h->rows, h->begun);
	*ret = (struct outcome){ .end = END_UNKNOWN,
				 .kind = j.kind,
				 .tenant = j.tenant,
				 .id = j.id,
				 .parent.u = uuid_at(h->rows, h->begun, "parent_id") };
	if (!j.kind)
		return;

	slot_begin(w->worker->slot);
	err = run_handler(&j);
	ret->end = end_of(&j, err);
	ret->run_us = clock_monotonic_us() - began_us;
	slot_end(w->worker->slot, err ? 500 : 200, ret->run_us);

	if (ret->end == END_FAILED) {
		ret->error = error_json(w->of_haul, &j);
		ret->may_retry = !j.is_hopeless;
		tell_failure(&j);
		return;
	}
	ret->delay_us = j.put_off_us;
	if (j.result.ptr)
		ret->result = (struct str){ str_dup(w->of_haul, j.result), j.result.len };
	if (ret->end == END_DONE || ret->end == END_SETTLED)
		tell_completion(&j, h->queue, ret->run_us);
}
