/* Events, and waiting for what follows from them: see notified.h. */
#include "support/notified.h"

#include "base/arena.h"
#include "support/database.h"
#include "support/servers.h"
#include "support/world.h"

#include <unistd.h>

/* Of the events that this test makes. */
static const char *mark(void)
{
	return strf("notified %d", (int)getpid());
}

void notified_of(struct tenant_id t, const char *event, const char *subject, const char *actor,
		 const char *data)
{
	database_run(
		"INSERT INTO events (tenant_id, id, type, subject_id, actor_kind, user_id, data, request_id) "
		"VALUES ($1::uuid, $2::uuid, $3, nullif($4, '')::uuid, "
		"CASE WHEN $5 = '' THEN 'system' ELSE 'token' END, nullif($5, '')::uuid, "
		"$6::jsonb, $7)",
		id_text(t.u), id_text(uuid_v7()), event, subject ? subject : "", actor ? actor : "",
		data, mark(), NULL);
}

void notified_forget(void)
{
	database_run("DELETE FROM events WHERE request_id = $1", mark(), NULL);
}

static bool is_read(void *tenant)
{
	return database_number("SELECT (NOT EXISTS (SELECT FROM event_inbox WHERE tenant_id = "
			       "$1::uuid) AND coalesce((SELECT max(position) FROM event_log WHERE "
			       "tenant_id = $1::uuid), 0) <= (SELECT position FROM event_readers "
			       "WHERE name = 'notifications'))::int",
			       (const char *)tenant, NULL) == 1;
}

void notified_settle(struct tenant_id t)
{
	wait_until(is_read, arena_strdup(world_arena(), id_text(t.u)),
		   "the reader of notifications has read the tenant's events");
}

const char *notified_told(struct tenant_id t)
{
	const char *all;

	notified_settle(t);
	all = database_value("SELECT string_agg(u.first_name || ':' || n.kind, ' ' ORDER BY "
			     "u.first_name, n.kind) "
			     "FROM notifications n JOIN users u ON u.tenant_id = n.tenant_id AND "
			     "u.id = n.user_id WHERE n.tenant_id = $1::uuid",
			     id_text(t.u), NULL);
	return all ? all : "";
}

void notified_rewind(struct tenant_id t)
{
	database_run(
		"UPDATE event_readers SET position = least(position, (SELECT min(position) - 1 "
		"FROM event_log WHERE tenant_id = $1::uuid)) WHERE name = 'notifications'",
		id_text(t.u), NULL);
}

/* What another of its kind held meanwhile, it left to that one. */
static bool is_over(void *job)
{
	return database_number("SELECT count(*) FROM jobs j WHERE j.id = $1::uuid "
			       "AND j.state = 'completed' AND NOT EXISTS (SELECT FROM jobs o "
			       "WHERE o.kind = j.kind AND o.state = 'active' "
			       "AND o.started_at < j.finished_at)",
			       (const char *)job, NULL) == 1;
}

void notified_run(const char *queue, const char *kind)
{
	char *id = arena_strdup(world_arena(), id_text(uuid_v7()));

	database_run("INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts) "
		     "VALUES (platform_tenant(), $1::uuid, $2, $3, 'waiting', 3)",
		     id, queue, kind, NULL);
	wait_until(is_over, id, kind);
}
