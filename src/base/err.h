/*
 * Errors as numbers: 0 is success, everything else one of these. What a person or an admin needs
 * beside the number rides in the ctx's fault (base/ctx.h).
 */
#pragma once

#include "base/base.h"

enum err {
	OK = 0,
#define ERR(status, name, message) ERR_##name,
#include "base/errors.def"
#undef ERR
	ERR_COUNT
};

struct err_info {
	int status;          /* HTTP */
	const char *code;    /* "RESOURCE_CONFLICT" */
	const char *message; /* said when the place that failed has nothing better to say */
};

/* The row of an error; e is one of enum err, not 0. */
const struct err_info *err_info(int e);

/*
 * What the caller did wrong when a named constraint of the database is violated. A domain's table
 * of these ends with a row without constraint.
 */
struct conflict {
	const char *constraint; /* "projects_tenant_id_slug_key" */
	int err;
	const char *path; /* the field it concerns */
	const char *message;
};
