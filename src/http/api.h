/*
 * All that an X_api.c may see of this folder: rows, shapes, the request, replies.
 */
#pragma once

#include "base/ctx.h"
#include "http/permissions.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/route.h"
#include "http/shape.h"
