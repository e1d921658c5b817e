/* The routes of identity, as mount.c names them. */
#pragma once

#include "http/route.h"

extern const struct mount auth_mount;    /* login_api.c: coming and going */
extern const struct mount account_mount; /* me_api.c: who one is, sessions */
extern const struct mount keys_mount;    /* keys_api.c: what others verify tokens with */

extern const struct shape seat_shape; /* me_api.c: one's place in a tenant */
