/*
 * Replies, written straight from a result into the output buffer. Each of these makes the reply and
 * returns 0.
 */
#pragma once

#include "base/base.h"
#include "base/jsonwrite.h"

struct request;
struct rows;
struct page;
struct shape;

/* The first row, as the route's reply shape; its "version" column becomes the ETag. */
int reply_row(struct request *r, const struct rows *rows);

/* The same with one member more, which no column holds: what is shown this once. s is the shape of
 * the row alone. */
int reply_row_and(struct request *r, const struct shape *s, const struct rows *rows,
		  const char *name, const char *value);

/* {"data": […], "pagination": {…}} of a page, each row as the route's reply shape. */
int reply_page(struct request *r, const struct page *page);

/* {"data": […]} of all rows: short lists that have no pages. */
int reply_rows(struct request *r, const struct rows *rows);

/* 204. */
int reply_none(struct request *r);

/* 302, to an address of another page; copied. */
int reply_redirect(struct request *r, const char *url);

/*
 * For replies of several parts: opens the object; write members, then reply_end(). A row inside it
 * is written by reply_write_row with the shape it has.
 */
void reply_begin(struct request *r, struct jsonwrite *ret);
void reply_write_row(struct jsonwrite *w, const struct shape *s, const struct rows *rows,
		     size_t row);
int reply_end(struct request *r, struct jsonwrite *w);

/* A body that is made already: JSON (content_type NULL), a page, text. */
int reply_body(struct request *r, const char *content_type, const char *body, size_t len);

/*
 * A body of any length, of which first is the beginning. more gives the next part, "" at its end;
 * it is called when the one before has been sent, with r->ctx's arena another one that is reset
 * after each. When it fails, the transfer breaks off: the client sees that it is not whole. Both
 * live as long as the request. Rows of such replies are ROUTE_SLOW: the worker is theirs meanwhile.
 */
int reply_parts(struct request *r, const char *content_type, struct str first,
		int (*more)(struct request *r, void *source, struct str *ret_part), void *source);

void reply_status(struct request *r, int status);
/* value is copied. */
void reply_header(struct request *r, const char *name, const char *value);
