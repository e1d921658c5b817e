/*
 * Any bytes as a body, and as a query, against a shape with every type: nothing crashes, what is
 * taken is within its bounds, and what is refused says why.
 */
#include "base/arena.h"
#include "base/ctx.h"
#include "base/id.h"
#include "base/jsonread.h"
#include "http/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
	const char *city;
	struct list words;
};

struct all {
	const char *string, *email, *password, *uri, *slug, *ip, *cidr, *cron, *hostname, *word,
		*phone;
	struct uuid id;
	int64_t when, count;
	double number;
	bool flag, has_note;
	const char *note;
	struct list names, parts;
	const struct part *part;
	struct str json;
};

/* clang-format off */
static const char *const words[] = { "a", "b", NULL };
static const struct field word_field = { .type = T_ENUM, .words = words };
static const struct field name_field = { .type = T_STRING, .min = 1, .max = 5 };

static const struct field part_fields[] = {
	{ "c", T_STRING, REQUIRED, .offset = offsetof(struct part, city), .min = 1, .max = 10 },
	{ "w", T_ARRAY, OPTIONAL, .offset = offsetof(struct part, words), .of = &word_field },
};
static const struct shape part = SHAPE("Part", struct part, part_fields);
static const struct field part_field = { .type = T_OBJECT, .shape = &part };

#define TEXTS                                                                                           \
	{ "s", T_STRING, OPTIONAL, .offset = offsetof(struct all, string), .min = 2, .max = 4 },        \
	{ "email", T_EMAIL, OPTIONAL, .offset = offsetof(struct all, email) },                          \
	{ "pw", T_PASSWORD, OPTIONAL, .offset = offsetof(struct all, password) },                       \
	{ "uri", T_URI, OPTIONAL, .offset = offsetof(struct all, uri) },                                \
	{ "slug", T_SLUG, OPTIONAL, .offset = offsetof(struct all, slug) },                             \
	{ "ip", T_IP, OPTIONAL, .offset = offsetof(struct all, ip) },                                   \
	{ "cidr", T_CIDR, OPTIONAL, .offset = offsetof(struct all, cidr) },                             \
	{ "cron", T_CRON, OPTIONAL, .offset = offsetof(struct all, cron) },                             \
	{ "host", T_HOSTNAME, OPTIONAL, .offset = offsetof(struct all, hostname) },                     \
	{ "word", T_ENUM, OPTIONAL, .offset = offsetof(struct all, word), .words = words },             \
	{ "phone", T_STRING, OPTIONAL, .offset = offsetof(struct all, phone), .pattern = "phone" },     \
	{ "id", T_UUID, OPTIONAL, .offset = offsetof(struct all, id) },                                 \
	{ "when", T_DATETIME, OPTIONAL, .offset = offsetof(struct all, when) },                         \
	{ "count", T_INT, OPTIONAL, .offset = offsetof(struct all, count), .min = -5, .max = 100 },     \
	{ "number", T_NUMBER, OPTIONAL, .offset = offsetof(struct all, number) },                       \
	{ "flag", T_BOOL, OPTIONAL, .offset = offsetof(struct all, flag) },                             \
	{ "note", T_STRING, OPTIONAL_NULLABLE, .offset = offsetof(struct all, note),                    \
	  .has = offsetof(struct all, has_note) },                                                      \
	{ "names", T_ARRAY, OPTIONAL, .offset = offsetof(struct all, names), .max = 3, .of = &name_field }

static const struct field query_fields[] = { TEXTS };
static const struct field body_fields[] = {
	TEXTS,
	{ "parts", T_ARRAY, OPTIONAL, .offset = offsetof(struct all, parts), .of = &part_field },
	{ "part", T_OBJECT, OPTIONAL, .offset = offsetof(struct all, part), .shape = &part },
	{ "json", T_JSON, OPTIONAL, .offset = offsetof(struct all, json), .max = 20 },
};
/* clang-format on */

static const struct shape query = SHAPE("Query", struct all, query_fields);
static const struct shape body = SHAPE("Body", struct all, body_fields);

static void check(const struct all *a)
{
	BUG_IF(a->count < -5 || a->count > 100);
	BUG_IF(a->string && (str_chars(str_of(a->string)) < 2 || str_chars(str_of(a->string)) > 4));
	BUG_IF(a->word && a->word != words[0] && a->word != words[1]);
	BUG_IF(a->email && !strchr(a->email, '@'));
	BUG_IF(a->names.len > 3 || a->json.len > 20);
}

static void check_fault(const struct ctx *c)
{
	BUG_IF(c->fault.err != ERR_VALIDATION_ERROR || !c->fault.issues_len);
	for (size_t i = 0; i < c->fault.issues_len; i++)
		BUG_IF(!str_is_utf8(str_of(c->fault.issues[i].message)) ||
		       !str_is_utf8(str_of(c->fault.issues[i].path)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct arena *a = arena_new();
	const struct json *json;
	const char *why;
	struct ctx c;
	void *read;
	size_t at;

	ctx_reset(&c, a);
	if (!shape_read_query(&c, &query, text, &read))
		check(read);
	else
		check_fault(&c);

	ctx_reset(&c, a);
	if (jsonread_parse(a, text, &json, &why, &at)) {
		if (!shape_read(&c, &body, json, "", &read))
			check(read);
		else
			check_fault(&c);
	}
	arena_free(a);

	return 0;
}
