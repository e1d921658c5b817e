/* The routes of identity, as mount.c names them. */
#pragma once

#include "http/route.h"

extern const struct mount auth_mount;     /* login_api.c: coming and going */
extern const struct mount account_mount;  /* me_api.c: who one is, sessions */
extern const struct mount recovery_mount; /* recovery_api.c: verification, reset, change of email */
extern const struct mount maillogin_mount; /* maillogin_api.c: links and codes to log in with */
extern const struct mount invite_mount;    /* invite_api.c: accepting invitations */
extern const struct mount oauth_mount;     /* oauth_api.c: logging in through other providers */
extern const struct mount keys_mount;      /* keys_api.c: what others verify tokens with */
extern const struct mount ticket_mount;    /* ticket_api.c: what a WebSocket is opened with */

extern const struct mount mfa_mount;        /* mfa_api.c: one-time and recovery codes */
extern const struct mount mfa_policy_mount; /* mfa_policy_api.c: who needs a second factor */
extern const struct mount passkeys_mount;   /* passkey_api.c */

extern const struct shape seat_shape; /* me_api.c: one's place in a tenant */
