/* What an event's before and after show, and what some types have beside (events/types.h). */
#pragma once

struct shape;

extern const struct shape tenant_state;
extern const struct shape user_state;
extern const struct shape invitation_state;
extern const struct shape role_state;
extern const struct shape api_key_state;
extern const struct shape project_state;
extern const struct shape webhook_state;

extern const struct shape refusal_extra, impersonation_extra, expiry_extra, job_end_extra,
	erasure_extra;
extern const struct shape webhook_extra;
