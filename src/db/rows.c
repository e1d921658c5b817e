/*
 * Rows: libpq's result, read in place. Values are in PostgreSQL's binary formats: numbers
 * big-endian, times as microseconds since 2000, arrays with a header (src/backend/utils/adt/
 * *_send() in PostgreSQL).
 */
#include "db/conn_impl.h"

#include "base/arena.h"
#include "base/clock.h"

#include <endian.h>

struct rows {
	PGresult *result;
	size_t len, columns; /* that are shown: a list has two more */
	enum col_type *types;
};

/* The built-in types' OIDs never change (src/include/catalog/pg_type.dat). */
static const struct {
	Oid oid;
	enum col_type type;
} builtin_types[] = {
	{ 16, COL_BOOL },         /* bool */
	{ 17, COL_BYTES },        /* bytea */
	{ 19, COL_TEXT },         /* name */
	{ 20, COL_INT },          /* int8 */
	{ 21, COL_INT },          /* int2 */
	{ 23, COL_INT },          /* int4 */
	{ 25, COL_TEXT },         /* text */
	{ 114, COL_JSON },        /* json */
	{ 1009, COL_TEXT_ARRAY }, /* text[] */
	{ 1015, COL_TEXT_ARRAY }, /* varchar[] */
	{ 1042, COL_TEXT },       /* char(n) */
	{ 1043, COL_TEXT },       /* varchar */
	{ 1184, COL_TIME },       /* timestamptz */
	{ 2278, COL_TEXT },       /* void, which is always empty */
	{ 2950, COL_UUID },       /* uuid */
	{ 3802, COL_JSON },       /* jsonb */
};

#define OID_JSONB 3802
#define OID_FIRST_OF_OURS                                                                          \
	16384 /* enums and extensions' types (citext): their binary form is the text */

/* From PostgreSQL's epoch, 2000-01-01, to ours. */
#define EPOCH_US (INT64_C(946684800) * US_PER_S)

static bool type_of(Oid oid, enum col_type *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(builtin_types); i++) {
		if (builtin_types[i].oid == oid) {
			*ret = builtin_types[i].type;
			return true;
		}
	}
	*ret = COL_TEXT;

	return oid >= OID_FIRST_OF_OURS;
}

const struct rows *rows_new(struct arena *a, const struct step *s)
{
	struct rows *r = arena_make(a, struct rows);
	int columns = PQnfields(s->result);

	r->result = s->result;
	r->len = (size_t)PQntuples(s->result);
	r->columns = (size_t)columns;
	r->types = arena_make_n(a, enum col_type, r->columns);
	for (int i = 0; i < columns; i++)
		if (!type_of(PQftype(s->result, i), &r->types[i]))
			BUG(arena_printf(a, "%s: column %s has a type that rows.c does not know",
					 s->sql->name, PQfname(s->result, i)));

	/* What scripts/sqlgen.awk added to a list, for its page, is found by name alone. */
	while (r->columns > 0 && strncmp(PQfname(s->result, (int)r->columns - 1), "page_", 5) == 0)
		r->columns--;

	return r;
}

size_t rows_len(const struct rows *r)
{
	return r->len;
}

size_t rows_columns(const struct rows *r)
{
	return r->columns;
}

const char *rows_column_name(const struct rows *r, size_t col)
{
	BUG_IF(col >= r->columns);
	return PQfname(r->result, (int)col);
}

enum col_type rows_column_type(const struct rows *r, size_t col)
{
	BUG_IF(col >= r->columns);
	return r->types[col];
}

/* PQfnumber() would fold the case of names that are not quoted. */
int rows_find(const struct rows *r, const char *name)
{
	int n = PQnfields(r->result);

	for (int i = 0; i < n; i++)
		if (strcmp(PQfname(r->result, i), name) == 0)
			return i;

	return -1;
}

bool rows_is_null(const struct rows *r, size_t row, size_t col)
{
	BUG_IF(row >= r->len || col >= (size_t)PQnfields(r->result));
	return PQgetisnull(r->result, (int)row, (int)col);
}

/* The bytes of a value that must be there and of that type. */
static struct str value(const struct rows *r, size_t row, size_t col, enum col_type type)
{
	BUG_IF(rows_is_null(r, row, col));
	BUG_IF(r->types[col] != type);

	return (struct str){
		PQgetvalue(r->result, (int)row, (int)col),
		(size_t)PQgetlength(r->result, (int)row, (int)col),
	};
}

/* A signed big-endian number of 2, 4 or 8 bytes. */
static int64_t number(struct str s)
{
	uint16_t n2;
	uint32_t n4;
	uint64_t n8;

	switch (s.len) {
	case sizeof(n2): memcpy(&n2, s.ptr, sizeof(n2)); return (int16_t)be16toh(n2);
	case sizeof(n4): memcpy(&n4, s.ptr, sizeof(n4)); return (int32_t)be32toh(n4);
	case sizeof(n8): memcpy(&n8, s.ptr, sizeof(n8)); return (int64_t)be64toh(n8);
	default: BUG("a number of a size that PostgreSQL does not have");
	}
}

bool rows_bool(const struct rows *r, size_t row, size_t col)
{
	return value(r, row, col, COL_BOOL).ptr[0] != 0;
}

int64_t rows_int(const struct rows *r, size_t row, size_t col)
{
	return number(value(r, row, col, COL_INT));
}

struct str rows_str(const struct rows *r, size_t row, size_t col)
{
	struct str s = value(r, row, col, r->types[col]);

	BUG_IF(r->types[col] != COL_TEXT && r->types[col] != COL_JSON &&
	       r->types[col] != COL_BYTES);
	if (PQftype(r->result, (int)col) == OID_JSONB) /* a version byte, then the text */
		return (struct str){ s.ptr + 1, s.len - 1 };

	return s;
}

struct uuid rows_uuid(const struct rows *r, size_t row, size_t col)
{
	struct str s = value(r, row, col, COL_UUID);
	struct uuid u;

	BUG_IF(s.len != sizeof(u.bytes));
	memcpy(u.bytes, s.ptr, sizeof(u.bytes));

	return u;
}

/* 'infinity' is the last moment and '-infinity' the first. */
int64_t rows_time(const struct rows *r, size_t row, size_t col)
{
	int64_t us = number(value(r, row, col, COL_TIME));

	if (us == INT64_MIN || us > INT64_MAX - EPOCH_US)
		return us;

	return us + EPOCH_US;
}

/* Cuts the next n bytes off. */
static struct str cut(struct str *rest, size_t n)
{
	struct str head = { rest->ptr, n };

	BUG_IF(n > rest->len);
	*rest = (struct str){ rest->ptr + n, rest->len - n };

	return head;
}

/* Dimensions, flag, element type; length, lower bound; each element's length and bytes. */
size_t rows_array(const struct rows *r, size_t row, size_t col, struct arena *a, struct str **ret)
{
	struct str rest = value(r, row, col, COL_TEXT_ARRAY);
	int64_t dimensions = number(cut(&rest, 4));
	size_t n;

	BUG_IF(dimensions > 1);
	(void)cut(&rest, 8);
	n = dimensions ? (size_t)number(cut(&rest, 4)) : 0;
	if (n)
		(void)cut(&rest, 4);

	*ret = arena_make_n(a, struct str, n);
	for (size_t i = 0; i < n; i++) {
		int64_t len = number(cut(&rest, 4)); /* -1: NULL, which stays { NULL, 0 } */

		if (len < 0)
			continue;
		(*ret)[i].ptr = arena_strndup(a, cut(&rest, (size_t)len).ptr, (size_t)len);
		(*ret)[i].len = (size_t)len;
	}

	return n;
}

/* The column of the first row by its name; -1 when it is NULL there. */
static int column_of_first(const struct rows *r, const char *name)
{
	int col = rows_find(r, name);

	if (col < 0)
		BUG(name);

	return rows_is_null(r, 0, (size_t)col) ? -1 : col;
}

bool rows_get_bool(const struct rows *r, const char *name)
{
	int col = column_of_first(r, name);

	return col < 0 ? false : rows_bool(r, 0, (size_t)col);
}

int64_t rows_get_int(const struct rows *r, const char *name)
{
	int col = column_of_first(r, name);

	return col < 0 ? 0 : rows_int(r, 0, (size_t)col);
}

const char *rows_get_text(const struct rows *r, const char *name)
{
	return rows_get_str(r, name).ptr;
}

struct str rows_get_str(const struct rows *r, const char *name)
{
	int col = column_of_first(r, name);

	return col < 0 ? (struct str){ 0 } : rows_str(r, 0, (size_t)col);
}

struct uuid rows_get_uuid(const struct rows *r, const char *name)
{
	int col = column_of_first(r, name);

	return col < 0 ? (struct uuid){ 0 } : rows_uuid(r, 0, (size_t)col);
}

int64_t rows_get_time(const struct rows *r, const char *name)
{
	int col = column_of_first(r, name);

	return col < 0 ? 0 : rows_time(r, 0, (size_t)col);
}
