/* The types of events as a page and as webhooks of the OpenAPI document: see types.h. */
#include "events/types.h"

#include "base/buf.h"
#include "base/jsonwrite.h"
#include "http/openapi.h"
#include "http/print.h"
#include "http/shape.h"

void event_write_data_schema(struct jsonwrite *w, const struct event_type *t)
{
	static const char *const sides[] = { "before", "after" };

	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "object");
	jsonwrite_key(w, "properties");
	jsonwrite_object(w);
	for (size_t i = 0; t->subject && i < ARRAY_LEN(sides); i++) {
		const struct field side = {
			.name = sides[i], .type = T_OBJECT, .need = OPTIONAL, .shape = t->subject
		};

		jsonwrite_key(w, sides[i]);
		field_write_schema(w, &side, false);
	}
	for (size_t i = 0; t->extra && i < t->extra->fields_len; i++) {
		jsonwrite_key(w, t->extra->fields[i].name);
		field_write_schema(w, &t->extra->fields[i], false);
	}
	jsonwrite_object_end(w);
	jsonwrite_member_bool(w, "additionalProperties", false);
	jsonwrite_object_end(w);
}

/* As far as it changed: the fields that have an example. */
static void write_side(struct jsonwrite *w, const char *side, const struct shape *s)
{
	jsonwrite_key(w, side);
	jsonwrite_object(w);
	for (size_t i = 0; i < s->fields_len; i++) {
		if (!s->fields[i].example)
			continue;
		jsonwrite_key(w, s->fields[i].name);
		field_write_example(w, &s->fields[i]);
	}
	jsonwrite_object_end(w);
}

void event_write_data_example(struct jsonwrite *w, const struct event_type *t)
{
	bool is_new = str_ends(str_of(t->name), ".created");

	jsonwrite_object(w);
	if (t->subject && !is_new)
		write_side(w, "before", t->subject);
	if (t->subject)
		write_side(w, "after", t->subject);
	for (size_t i = 0; t->extra && i < t->extra->fields_len; i++) {
		jsonwrite_key(w, t->extra->fields[i].name);
		field_write_example(w, &t->extra->fields[i]);
	}
	jsonwrite_object_end(w);
}

/* The members of a message that do not differ from type to type: what webhook_payload() in
 * sql/migrations/0011 writes. */
static const struct field message_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "The event's; the same when it is delivered again" },
	{ "timestamp", T_DATETIME, REQUIRED, .about = "When it happened" },
	{ "tenantId", T_UUID, REQUIRED, .about = "Where it happened" },
	{ "subjectId", T_UUID, NULLABLE, .about = "What it happened to" },
	{ "userId", T_UUID, NULLABLE,
	  .about = "The user who did it; null: the platform, or nobody" },
};

static void write_message_schema(struct jsonwrite *w, const struct event_type *t)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "object");
	jsonwrite_key(w, "properties");
	jsonwrite_object(w);
	jsonwrite_key(w, "type");
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", "string");
	jsonwrite_member_text(w, "const", t->name);
	jsonwrite_object_end(w);
	for (size_t i = 0; i < ARRAY_LEN(message_fields); i++) {
		jsonwrite_key(w, message_fields[i].name);
		field_write_schema(w, &message_fields[i], false);
	}
	jsonwrite_key(w, "data");
	event_write_data_schema(w, t);
	jsonwrite_object_end(w);
	jsonwrite_key(w, "required");
	jsonwrite_raw(
		w,
		STR("[\"type\",\"id\",\"timestamp\",\"tenantId\",\"subjectId\",\"userId\",\"data\"]"));
	jsonwrite_member_bool(w, "additionalProperties", false);
	jsonwrite_object_end(w);
}

void event_write_example(struct jsonwrite *w, const struct event_type *t)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "type", t->name);
	for (size_t i = 0; i < ARRAY_LEN(message_fields); i++) {
		jsonwrite_key(w, message_fields[i].name);
		field_write_example(w, &message_fields[i]);
	}
	jsonwrite_key(w, "data");
	event_write_data_example(w, t);
	jsonwrite_object_end(w);
}

static void write_webhook(struct jsonwrite *w, const struct event_type *t)
{
	jsonwrite_key(w, t->name);
	jsonwrite_object(w);
	jsonwrite_key(w, "post");
	jsonwrite_object(w);
	jsonwrite_member_text(w, "summary", t->summary);
	jsonwrite_member_text(w, "operationId", t->name);
	jsonwrite_key(w, "security");
	jsonwrite_raw(w, STR("[]"));
	jsonwrite_key(w, "requestBody");
	jsonwrite_object(w);
	jsonwrite_member_bool(w, "required", true);
	jsonwrite_key(w, "content");
	jsonwrite_object(w);
	jsonwrite_key(w, "application/json");
	jsonwrite_object(w);
	jsonwrite_key(w, "schema");
	write_message_schema(w, t);
	jsonwrite_key(w, "example");
	event_write_example(w, t);
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
	jsonwrite_key(w, "responses");
	jsonwrite_raw(w, STR("{\"2XX\":{\"description\":\"It has come; anything else is tried "
			     "again\"}}"));
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
}

static void write_webhooks(struct jsonwrite *w)
{
	for (const struct event_type *t = event_types; t->name; t++)
		if (t->is_hookable)
			write_webhook(w, t);
}

/* What is there twice is met twice. */
static const struct shape *shape_at(size_t i)
{
	for (const struct event_type *t = event_types; t->name; t++)
		if (t->is_hookable && t->subject && i-- == 0)
			return t->subject;

	return NULL;
}

const struct openapi_also event_webhooks = { write_webhooks, shape_at };

/*
 * docs/events.md
 */

static void write_names(struct buf *out, const struct shape *s)
{
	for (size_t i = 0; s && i < s->fields_len; i++)
		buf_printf(out, "%s`%s`", i ? ", " : "", s->fields[i].name);
}

static void write_rows(struct buf *out, const struct event_type *types)
{
	for (const struct event_type *t = types; t->name; t++) {
		const char *perm = permissions[t->perm].name;

		buf_printf(out, "| `%s` | %s | %s | ", t->name, t->summary,
			   t->subject ? t->subject->name : "");
		write_names(out, t->extra);
		buf_printf(out, " | %s | %s |\n", perm ? perm : "any member",
			   t->is_hookable ? "yes" : "");
	}
}

void print_events(struct buf *out)
{
	buf_str(out,
		"# Events\n\nPrinted by `zygo print events`; change the tables, not this page.\n\n"
		"What happens in a tenant. `data` has `before` and `after` of the subject, as far as "
		"it changed, and what\nstands in the fourth column; the schemas are in the OpenAPI "
		"document, under `webhooks`. Secrets are `[redacted]`,\nand what is longer than "
		"4,000 bytes is `[long]`: as text, as an array's only item, as an object's only "
		"member.\n\n"
		"| type | what | before and after | beside | told live to holders of | webhooks |\n"
		"|---|---|---|---|---|---|\n");
	write_rows(out, event_types);
	buf_str(out,
		"\nWhat happens to an account. It is told to no tenant, live or by webhook.\n\n"
		"| type | what |\n|---|---|\n");
	for (const struct event_type *t = account_event_types; t->name; t++)
		buf_printf(out, "| `%s` | %s |\n", t->name, t->summary);
}
