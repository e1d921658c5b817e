/*
 * Settings: one table (config.c) of everything that the environment or /etc/zygo/zygo.env may say.
 *
 * The table validates at start and prints every mistake at once; `zygo print settings` prints
 * docs/settings.md and etc/zygo.env.example from it. After config_load() the values are read-only.
 */
#pragma once

#include "base/base.h"

enum app_env { APP_DEVELOPMENT, APP_STAGING, APP_PRODUCTION, APP_TEST };

/* Strings live as long as the process; NULL when not set and without a default. */
struct config {
	enum app_env env;         /* APP_ENV, or NODE_ENV where that is not set */
	const char *app_url;      /* the dashboard's origin */
	const char *api_url;      /* the public origin of this API */
	const char *cors_origins; /* comma-separated exact origins */
	const char *database_url;
	const char *database_replica_url;
	const char *database_migrate_url; /* the owner's; NULL: `zygo migrate` asks for it */
	int64_t database_pool_max;
	bool database_prepare;       /* false behind PgBouncer's transaction pooling */
	int64_t database_timeout_us; /* statement time-out of the fast class */
	const char *redis_url;       /* redis:// or unix:// */
	const char *redis_prefix;
	const char *jwt_issuer; /* default: api_url */
	const char *jwt_audience;
	const char *jwt_secret; /* keys the hashes of opaque tokens */
	int64_t jwt_expires_us;
	int64_t refresh_expires_us;
	int64_t session_idle_us;
	int64_t session_max_us;
	uint8_t encryption_key[32];
	const char *socket_fast, *socket_slow; /* paths of the FastCGI sockets */
	int64_t workers_fast, workers_slow;
	int64_t worker_requests_max; /* then the worker is replaced */
	int64_t worker_memory_max_mb;
	int64_t request_timeout_us; /* a worker that works longer on one request is killed */
	int64_t slow_request_timeout_us;
	int64_t drain_timeout_us;
	int64_t body_max;            /* bytes */
	const char *trusted_proxies; /* whose X-Forwarded-For is believed */
	const char *metrics_allow;
	int64_t rate_read, rate_write, rate_auth, rate_search; /* requests a minute and subject */
	int64_t log_level;                                     /* enum log_level */
	int64_t log_format;                                    /* enum log_format */
	const char *smtp_host, *smtp_user, *smtp_pass, *email_from;
	int64_t smtp_port;
	const char *stripe_secret_key, *stripe_webhook_secret, *hetzner_api_key;
};

enum setting_type {
	SETTING_TEXT,
	SETTING_URL,  /* http or https */
	SETTING_ENUM, /* choices, comma-separated, in the order of the C enum */
	SETTING_INT,
	SETTING_BOOL,     /* true, false, 1, 0, on, off */
	SETTING_DURATION, /* clock_parse_duration */
	SETTING_HEX,      /* min == max == number of bytes */
	SETTING_EMAIL,
};

struct setting {
	const char *name; /* "DATABASE_URL" */
	enum setting_type type;
	bool required;
	const char *fallback;    /* as it would be written; NULL: none */
	int64_t min, max;        /* of the number, the microseconds, or the length */
	const char *choices;     /* SETTING_ENUM */
	bool secret;             /* never printed */
	const char *development; /* stands in when not set; only in development and test */
	size_t offset;           /* in struct config */
	const char *section;     /* heading in the example file */
	const char *about;
	const char *example;
};

extern const struct setting settings[]; /* ends with a NULL name */

/*
 * Reads the file (KEY=value lines, # comments, optional quotes) when path is not NULL and exists,
 * then the environment, which wins. On mistakes prints "Invalid environment variables:" and a line
 * each, with the expected form, to standard error and returns false.
 */
bool config_load(const char *path, struct config *ret) MUST_CHECK;

/* The same from name/value pairs, for tests; mistakes go to the buffer. */
struct buf;
bool config_read(const char *(*get)(const char *name, void *p), void *p, struct config *ret,
		 struct buf *ret_mistakes) MUST_CHECK;

/* The process's configuration, after config_set(). */
const struct config *config(void);
void config_set(const struct config *c);

bool config_is_development(void);
bool config_is_production(void);
bool config_is_test(void);
