/*
 * The rows of one statement's result. They live until the ctx's arena is reset; values are read in
 * place from libpq's result, in PostgreSQL's binary format.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"

struct rows;
struct arena;

/* The column types that this product uses; another type in a result is a BUG() found by tests. */
enum col_type {
	COL_BOOL,
	COL_INT,  /* int2, int4, int8 */
	COL_TEXT, /* text, varchar, name, citext, enums; inet and cidr must be cast to text */
	COL_UUID,
	COL_TIME, /* timestamptz: microseconds since 1970 */
	COL_JSON, /* json, jsonb: the text */
	COL_BYTES,
	COL_TEXT_ARRAY,
};

size_t rows_len(const struct rows *r);
size_t rows_columns(const struct rows *r);
const char *rows_column_name(const struct rows *r, size_t col);
enum col_type rows_column_type(const struct rows *r, size_t col);

/* The column with that name, or -1. */
int rows_find(const struct rows *r, const char *name);

bool rows_is_null(const struct rows *r, size_t row, size_t col);

/* Each wants a column of its type and a value that is not NULL; anything else is a BUG(). */
bool rows_bool(const struct rows *r, size_t row, size_t col);
int64_t rows_int(const struct rows *r, size_t row, size_t col);
struct str rows_str(const struct rows *r, size_t row,
		    size_t col); /* TEXT, JSON, BYTES; NUL-terminated */
struct uuid rows_uuid(const struct rows *r, size_t row, size_t col);
int64_t rows_time(const struct rows *r, size_t row, size_t col);
size_t rows_array(const struct rows *r, size_t row, size_t col, struct arena *a, struct str **ret);

/* By name, of the first row: rows_get_int(r, "total"). NULL is 0, NULL, nil. */
bool rows_get_bool(const struct rows *r, const char *name);
int64_t rows_get_int(const struct rows *r, const char *name);
const char *rows_get_text(const struct rows *r, const char *name);
struct str rows_get_str(const struct rows *r, const char *name);
struct uuid rows_get_uuid(const struct rows *r, const char *name);
int64_t rows_get_time(const struct rows *r, const char *name); /* 0 when NULL */
