/*
 * JSON Schema (2020-12), as much of it as the OpenAPI document uses: does a value fit?
 *
 * Stricter than the standard in two ways: a keyword that is not known here is a mismatch, and so is
 * a member that an object's schema does not name. A field that the document hides cannot leak.
 */
#pragma once

#include "base/base.h"

struct json;

/*
 * NULL when value fits; else what does not and where, "data.0.email: not an email". $ref is looked
 * up in document.
 */
const char *schema_mismatch(const struct json *document, const struct json *schema,
			    const struct json *value);
