/* The routes of /api/auth, as mount.c names them. */
#pragma once

#include "http/route.h"

extern const struct mount auth_mount;    /* login_api.c: coming and going */
extern const struct mount account_mount; /* me_api.c: who one is, sessions */
