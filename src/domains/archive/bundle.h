/*
 * Bundles: files that a tenant is kept in. README.md says how one is made up.
 *
 * A bundle is lines of text, each with a kind before it, deflated, sealed (crypto/sealstream.h),
 * written and read in one go from beginning to end with the same little memory however long it is.
 */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "base/str.h"

struct ctx;
struct bundle_writer;
struct bundle_reader;

#define BUNDLE_LINE_BYTES_MAX MIB(32)

/* What a line is. */
enum bundle_line {
	LINE_HEAD = 'H',     /* JSON: what the bundle is of */
	LINE_REALM = 'L',    /* JSON of its own realm's row */
	LINE_ACCOUNT = 'A',  /* JSON of an account's row */
	LINE_TABLE = 'T',    /* a table's name: its rows follow */
	LINE_ROW = 'R',      /* JSON of a row */
	LINE_END = 'E',      /* JSON: rows, digest and SHA-256 of the table that ends here */
	LINE_MANIFEST = 'M', /* JSON: all tables again; the last line */
};

/* Writes to fd; both live in c's arena, and end with it. */
struct bundle_writer *bundle_begin(struct ctx *c, int fd, struct tenant_id tenant);
int bundle_add(struct bundle_writer *w, enum bundle_line kind, struct str line) MUST_CHECK;

/* The end of the file; its length and SHA-256 (hex, in c's arena). */
int bundle_end(struct bundle_writer *w, int64_t *ret_bytes, const char **ret_sha256) MUST_CHECK;

/*
 * Reads from the beginning of fd. ERR_RULE_VIOLATED, with words for the admin, when it is no
 * bundle, was sealed under another ENCRYPTION_KEY, or was changed.
 */
int bundle_open(struct ctx *c, int fd, struct bundle_reader **ret) MUST_CHECK;
struct tenant_id bundle_tenant(const struct bundle_reader *r);

/* The next line, which lives until the one after; *ret_kind is 0 behind the last. */
int bundle_next(struct bundle_reader *r, int *ret_kind, struct str *ret_line) MUST_CHECK;
