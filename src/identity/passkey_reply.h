/*
 * What passkeys' routes take and give, as WebAuthn's own JSON (Level 3 section 5.1).
 */
#pragma once

#include "http/shape.h"

struct passkey_options;
struct request;

extern const struct shape passkey_shape;
extern const struct shape passkey_new_shape, passkey_patch_shape;
extern const struct shape passkey_login_ask_shape, passkey_login_shape, passkey_step_up_shape;

/* PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON. */
extern const struct shape passkey_creation_shape, passkey_request_shape;
int passkey_reply_creation(struct request *r, const struct passkey_options *o);
int passkey_reply_request(struct request *r, const struct passkey_options *o);
