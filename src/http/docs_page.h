/* /api/docs: a page that shows the OpenAPI document with Swagger UI, whose files nginx serves. */
#pragma once

extern const char docs_page[];   /* HTML */
extern const char docs_script[]; /* JavaScript that starts it, or says how to get its files */

/* Everything from this origin; Swagger UI sets style attributes and shows images as data. */
#define DOCS_CONTENT_SECURITY_POLICY                                                               \
	"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "                \
	"img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; "       \
	"form-action 'none'; frame-ancestors 'none'"
