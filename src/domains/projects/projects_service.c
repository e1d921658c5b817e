/*
 * The rules of projects. Every change is one batch: the statement and its event.
 */
#include "domains/projects/projects.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "db/page.h"
#include "events/event.h"
#include "gen/sql_projects.h"

const struct conflict projects_conflicts[] = {
	{ "projects_tenant_id_slug_key", ERR_RESOURCE_CONFLICT, "slug",
	  "A project with this slug exists" },
	{ 0 },
};

int projects_create(struct ctx *c, const struct project_new *in, const struct rows **ret)
{
	struct project_id id = { uuid_v7() };
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, ret, &sql_projects_create,
		  ARGS(arg_uuid(id.u), arg_text(in->slug), arg_text(in->name),
		       arg_text(in->description)));
	batch_event(b, c, "project.created", id.u, NULL);

	return batch_run(b);
}

int projects_get(struct ctx *c, struct project_id id, const struct rows **ret)
{
	return db_read(c, ret, &sql_projects_get, ARGS(arg_uuid(id.u)));
}

int projects_list(struct ctx *c, const struct project_filter *f, const struct paging *p,
		  const struct page **ret)
{
	return page_run(c, &sql_projects_list,
			ARGS(arg_contains(c, f->search), arg_text(f->status)), p, ret);
}

int projects_update(struct ctx *c, struct project_id id, const struct project_patch *in,
		    const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, ret, &sql_projects_update,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_bool(in->has_slug), arg_text(in->slug),
		       arg_bool(in->has_name), arg_text(in->name), arg_bool(in->has_description),
		       arg_text(in->description)));
	batch_event(b, c, "project.updated", id.u, NULL);

	return batch_run(b);
}

static int set_status(struct ctx *c, struct project_id id, const char *status, const char *event,
		      const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, ret, &sql_projects_set_status,
		  ARGS(arg_uuid(id.u), arg_if_match(c), arg_text(status)));
	batch_event(b, c, event, id.u, NULL);

	return batch_run(b);
}

int projects_archive(struct ctx *c, struct project_id id, const struct rows **ret)
{
	return set_status(c, id, "archived", "project.archived", ret);
}

int projects_restore(struct ctx *c, struct project_id id, const struct rows **ret)
{
	return set_status(c, id, "active", "project.restored", ret);
}

int projects_delete(struct ctx *c, struct project_id id)
{
	struct batch *b = batch_new(c, BATCH_WRITE);

	batch_add(b, NULL, &sql_projects_delete, ARGS(arg_uuid(id.u), arg_if_match(c)));
	batch_event(b, c, "project.deleted", id.u, NULL);

	return batch_run(b);
}
