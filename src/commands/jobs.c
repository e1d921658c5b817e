/*
 * `zygo jobs`: what the superadmin tier can do with jobs and queues, for an admin at the host.
 */
#include "commands/commands.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "db/page.h"
#include "domains/jobs/jobs.h"
#include "identity/commands.h"

/* A column's value as text. */
static const char *cell(struct ctx *c, const struct rows *r, size_t row, size_t col)
{
	char *text = arena_alloc(c->arena, RFC3339_SIZE + UUID_TEXT_SIZE);

	if (rows_is_null(r, row, col))
		return "-";
	switch (rows_column_type(r, col)) {
	case COL_BOOL: return rows_bool(r, row, col) ? "yes" : "no";
	case COL_INT: return arena_printf(c->arena, "%lld", (long long)rows_int(r, row, col));
	case COL_UUID: uuid_format(rows_uuid(r, row, col), text); return text;
	case COL_TIME: clock_rfc3339(rows_time(r, row, col), text); return text;
	case COL_TEXT:
	case COL_JSON: return rows_str(r, row, col).ptr;
	case COL_BYTES:
	case COL_TEXT_ARRAY: break;
	}

	return "…";
}

/* One line a row; columns as wide as they are said. */
struct column {
	const char *name;
	const char *title;
	int width;
};

static void print_table(struct ctx *c, const struct rows *r, size_t len,
			const struct column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%-*s%s", columns[i].width, columns[i].title, i + 1 < n ? "  " : "\n");
	for (size_t row = 0; row < len; row++)
		for (size_t i = 0; i < n; i++)
			printf("%-*s%s", columns[i].width,
			       cell(c, r, row, (size_t)rows_find(r, columns[i].name)),
			       i + 1 < n ? "  " : "\n");
}

/* All that is known of one row. */
static void print_row(struct ctx *c, const struct rows *r)
{
	for (size_t i = 0; i < rows_columns(r); i++)
		printf("%-18s %s\n", rows_column_name(r, i), cell(c, r, 0, i));
}

/*
 * Verbs
 */

static bool is_state(const char *word)
{
	for (const char *const *s = job_states; *s; s++)
		if (strcmp(*s, word) == 0)
			return true;

	(void)fprintf(stderr, "zygo: a job's state is one of");
	for (const char *const *s = job_states; *s; s++)
		(void)fprintf(stderr, "%s %s", s == job_states ? "" : ",", *s);
	(void)fprintf(stderr, "\n");

	return false;
}

static bool is_id(const char *word, struct uuid *ret)
{
	if (uuid_parse(str_of(word), ret))
		return true;

	(void)fprintf(stderr, "zygo: %s is no id, such as 018f6f2c-8a1e-7c3b-9d52-4e1f0a6b7c8d\n",
		      word);

	return false;
}

/* --tenant T, --queue Q, --state S, --kind K: into the filter. */
static bool read_filter(int argc, char **argv, struct job_admin_filter *ret)
{
	const char *tenant = NULL;
	const struct {
		const char *name;
		const char **value;
	} options[] = { { "--tenant", &tenant },
			{ "--queue", &ret->queue },
			{ "--state", &ret->state },
			{ "--kind", &ret->kind } };

	for (int i = 0; i < argc; i += 2) {
		size_t k = 0;

		while (k < ARRAY_LEN(options) && strcmp(argv[i], options[k].name) != 0)
			k++;
		if (k == ARRAY_LEN(options) || i + 1 == argc)
			return false;
		*options[k].value = argv[i + 1];
	}
	if (ret->state && !is_state(ret->state))
		return false;

	return !tenant || is_id(tenant, &ret->tenant.u);
}

static int list(struct ctx *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "id", "ID", 36 },           { "kind", "KIND", 22 },
		{ "state", "STATE", 16 },     { "progress", "%", 3 },
		{ "attempts", "TRIES", 5 },   { "createdAt", "CREATED", 24 },
		{ "error", "LAST ERROR", 0 },
	};
	const struct paging newest = { .page = 1, .limit = 100 };
	struct job_admin_filter filter = { 0 };
	const struct page *page;

	if (!read_filter(argc, argv, &filter))
		return 2;
	if (jobs_admin_list(c, &filter, &newest, &page))
		return command_failed(c, "the jobs could not be read");
	print_table(c, page->rows, page->len, columns, ARRAY_LEN(columns));
	if (!page->len)
		printf("There are none.\n");
	if (page->total > (int64_t)page->len)
		printf("The newest %zu of %lld.\n", page->len, (long long)page->total);

	return 0;
}

static bool read_id(int argc, char **argv, struct job_id *ret)
{
	return argc == 1 && is_id(argv[0], &ret->u);
}

static int show(struct ctx *c, int argc, char **argv)
{
	const struct rows *row;
	struct job_id id;

	if (!read_id(argc, argv, &id))
		return 2;
	if (jobs_admin_get(c, id, &row))
		return command_failed(c, "the job could not be shown");
	print_row(c, row);

	return 0;
}

static int retry(struct ctx *c, int argc, char **argv)
{
	const struct rows *row;
	struct job_id id;

	if (!read_id(argc, argv, &id))
		return 2;
	if (jobs_admin_retry(c, id, &row))
		return command_failed(c, "the job was not retried");
	printf("It runs as soon as a worker is free.\n");

	return 0;
}

static int retry_failed(struct ctx *c, int argc, char **argv)
{
	struct job_admin_filter filter = { 0 };
	int64_t n;

	if (!read_filter(argc, argv, &filter) || filter.state)
		return 2;
	if (jobs_admin_retry_failed(c, &filter, &n))
		return command_failed(c, "the jobs were not retried");
	printf("%lld retried; they run as soon as workers are free.\n", (long long)n);

	return 0;
}

static int cancel(struct ctx *c, int argc, char **argv)
{
	const struct rows *row;
	struct job_id id;

	if (!read_id(argc, argv, &id))
		return 2;
	if (jobs_admin_cancel(c, id, &row))
		return command_failed(c, "the job was not cancelled");
	printf("%s\n", strcmp(rows_get_text(row, "state"), "active") == 0
			       ? "It runs, and stops when it next looks."
			       : "It is cancelled.");

	return 0;
}

static int discard(struct ctx *c, int argc, char **argv)
{
	struct job_id id;

	if (!read_id(argc, argv, &id))
		return 2;
	if (jobs_admin_discard(c, id))
		return command_failed(c, "the job was not discarded");
	printf("It is gone.\n");

	return 0;
}

static int set_paused(struct ctx *c, int argc, char **argv, bool is_paused)
{
	const struct rows *row;

	if (argc != 1)
		return 2;
	if (queues_pause(c, argv[0], is_paused, &row))
		return command_failed(c, "the queue was not changed");
	printf("%s %s.\n", argv[0],
	       is_paused ? "is paused: what runs goes on, nothing else begins" : "gives out jobs");

	return 0;
}

static int pause_queue(struct ctx *c, int argc, char **argv)
{
	return set_paused(c, argc, argv, true);
}

static int resume_queue(struct ctx *c, int argc, char **argv)
{
	return set_paused(c, argc, argv, false);
}

static int stats(struct ctx *c, int argc, char **argv UNUSED)
{
	static const struct column columns[] = {
		{ "name", "QUEUE", 20 },         { "waiting", "WAITING", 7 },
		{ "delayed", "DELAYED", 7 },     { "active", "ACTIVE", 6 },
		{ "failed", "FAILED", 6 },       { "completedLately", "DONE/5M", 7 },
		{ "failedLately", "ERR/5M", 6 }, { "waitMs", "WAIT MS", 7 },
		{ "runMs", "RUN MS", 6 },        { "pausedAt", "PAUSED SINCE", 0 },
	};
	const struct rows *queues;

	if (argc)
		return 2;
	if (queues_list(c, NULL, &queues))
		return command_failed(c, "the queues could not be read");
	print_table(c, queues, rows_len(queues), columns, ARRAY_LEN(columns));

	return 0;
}

const struct verb jobs_verbs[] = {
	{ "list", "[--tenant ID] [--queue QUEUE] [--state STATE] [--kind KIND]",
	  "the newest hundred; --state failed: those that were given up", list },
	{ "show", "ID", "all that is known of one: its payload and every error", show },
	{ "retry", "ID", "a failed, cancelled or delayed one begins at once", retry },
	{ "retry-failed", "[--tenant ID] [--queue QUEUE] [--kind KIND]",
	  "so do all that failed, once what failed them is mended", retry_failed },
	{ "cancel", "ID", "it does not run; if it runs, it stops when it next looks", cancel },
	{ "discard", "ID", "one that does not run is removed", discard },
	{ "pause", "QUEUE", "nothing of the queue begins any more", pause_queue },
	{ "resume", "QUEUE", "the queue goes on", resume_queue },
	{ "stats", "", "each queue: waiting, active, failed, throughput, latency", stats },
	{ 0 },
};
