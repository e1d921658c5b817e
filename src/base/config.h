/*
 * Settings: one table (settings.c) of everything that the environment or /etc/zygo/zygo.env may
 * say.
 *
 * The table validates at start and every mistake is printed at once; `zygo print settings` prints
 * docs/settings.md and etc/zygo.env.example from it. After config_set() the values are read-only.
 */
#pragma once

#include "base/base.h"

struct buf;

enum app_env { APP_DEVELOPMENT, APP_STAGING, APP_PRODUCTION, APP_TEST };
enum smtp_security { SMTP_BY_PORT, SMTP_STARTTLS, SMTP_TLS, SMTP_CLEAR };
enum email_verification { EMAIL_VERIFICATION_OPTIONAL, EMAIL_VERIFICATION_REQUIRED };

/* Strings live as long as the process; NULL when not set and without a default. */
struct config {
	int64_t env;              /* enum app_env: APP_ENV, or NODE_ENV where that is not set */
	const char *app_url;      /* the dashboard's; no slash at the end */
	const char *api_url;      /* where this API is reached from outside; no slash at the end */
	const char *cors_origins; /* comma-separated exact origins; NULL: none */

	const char *database_url;
	const char *database_replica_url;
	const char *database_migrate_url; /* the owner's; NULL: `zygo migrate` asks for it */
	int64_t database_pool_max;
	bool database_prepare;       /* false behind PgBouncer's transaction pooling */
	int64_t database_timeout_us; /* statement time-out of the fast class */

	const char *redis_url; /* redis:// or unix:// */
	const char *redis_prefix;
	int64_t redis_timeout_us;

	const char *jwt_issuer;
	const char *jwt_audience;
	const char *jwt_secret;          /* keys the hashes of opaque tokens */
	const char *jwt_secret_previous; /* did so before, for what is found by both; NULL: none */
	int64_t jwt_expires_us;
	int64_t refresh_expires_us;
	int64_t session_idle_us;
	int64_t session_max_us;
	const char *totp_issuer; /* what authenticator apps call us */
	uint8_t encryption_key[32];
	uint8_t encryption_key_previous[32]; /* opens too; all zero: there is none */

	const char *socket_fast, *socket_slow; /* paths of the FastCGI sockets */
	int64_t workers_fast, workers_slow;    /* at least 1 */
	int64_t workers_jobs;                  /* at least 1 */
	const char *socket_realtime;           /* path */
	int64_t workers_realtime;              /* at least 1 */
	int64_t realtime_connections_max;      /* of a process */
	int64_t realtime_tenant_max;           /* connections of a tenant in a process */
	int64_t realtime_rooms_max;            /* of a connection */
	int64_t realtime_message_max;          /* bytes from a client */
	int64_t realtime_queue_max;            /* bytes that wait for a client */
	int64_t realtime_ping_us;              /* silence after which a client is asked */
	bool realtime_compression;             /* permessage-deflate */
	int64_t worker_requests_max;           /* then the worker is replaced */
	int64_t worker_memory_max_mb;          /* likewise */
	int64_t request_timeout_us; /* a worker that works longer on one request is killed */
	int64_t slow_request_timeout_us;
	int64_t drain_timeout_us;

	int64_t body_max;            /* bytes */
	const char *trusted_proxies; /* whose X-Forwarded-For is believed; NULL: nobody's */
	const char *metrics_allow;   /* comma-separated addresses and networks */
	int64_t workers_webhooks;    /* 0: this host sends none */
	int64_t webhook_timeout_us;  /* of one attempt */
	const char *outbound_allow;  /* the same: those that net/guard allows though not public */
	int64_t rate_read, rate_write, rate_auth, rate_search; /* requests a minute and subject */

	int64_t events_keep_days;

	int64_t log_level;  /* enum log_level */
	int64_t log_format; /* enum log_format */

	const char *smtp_host, *smtp_user, *smtp_pass, *email_from;
	const char *smtp_ca_file, *email_from_name;
	const char *mail_dir;       /* where mails are written without smtp_host; NULL: nowhere */
	const char *mail_templates; /* folder of an admin's own; NULL: none */
	int64_t smtp_port;
	int64_t smtp_security; /* enum smtp_security */
	int64_t smtp_timeout_us;
	int64_t mail_interval_us;   /* between two mails of one kind to one address */
	int64_t email_verification; /* enum email_verification */
	bool sign_up;               /* false: by invitation alone */
	bool magic_link, email_otp, new_device_notice, welcome_mail;
	int64_t digest_hour; /* 0…23, UTC: when a day's notifications are mailed */
	/* How long what a mail carries is good. */
	int64_t email_verify_expires_us, password_reset_expires_us, email_change_expires_us;
	int64_t magic_link_expires_us, email_otp_expires_us, invitation_expires_us;
	int64_t invitations_max;                         /* an hour and tenant */
	int64_t account_tenants_max;                     /* that an account owns and founds */
	const char *captcha_secret, *captcha_verify_url; /* NULL secret: none is wanted */
	const char *breached_passwords; /* folder of range files; NULL: not looked at */

	int64_t tenant_deletion_grace_us, account_deletion_grace_us;
	const char *archive_url; /* file:///folder, or a bucket; no slash at the end */
	const char *archive_s3_region, *archive_s3_key_id, *archive_s3_secret;

	/* Other providers to log in through: one is on when its client's id is set. */
	const char *oauth_google_client_id, *oauth_google_client_secret;
	const char *oauth_github_client_id, *oauth_github_client_secret;
	const char *oauth_github_url, *oauth_github_api_url; /* no slash at the end */
	const char *oauth_oidc_name, *oauth_oidc_title, *oauth_oidc_issuer;
	const char *oauth_oidc_client_id, *oauth_oidc_client_secret;
	bool oauth_sign_up;

	const char *stripe_secret_key, *stripe_webhook_secret, *hetzner_api_key;
};

/* Beside each, the type of its field in struct config. */
enum setting_type {
	SETTING_TEXT,      /* const char * */
	SETTING_URL,       /* const char *; choices: its schemes, else http and https */
	SETTING_ORIGINS,   /* const char *: http or https origins, comma-separated */
	SETTING_ADDRESSES, /* const char *: IP addresses and networks, comma-separated */
	SETTING_EMAIL,     /* const char * */
	SETTING_ENUM,      /* int64_t: index in choices, which follow the order of the C enum */
	SETTING_INT,       /* int64_t */
	SETTING_BOOL,      /* bool: true, false, 1, 0, on, off */
	SETTING_DURATION,  /* int64_t microseconds: clock_parse_duration */
	SETTING_HEX,       /* uint8_t[min] */
};

struct setting {
	const char *name; /* "DATABASE_URL" */
	enum setting_type type;
	size_t offset;        /* in struct config */
	const char *section;  /* heading; in the first row of each section, else NULL */
	bool required;        /* mistake when it is not set and has no value to stand in */
	bool secret;          /* never printed */
	bool written_out;     /* stands in the example file as if it were required */
	const char *also;     /* another name, read when this one is not set */
	const char *fallback; /* as it would be written; "$NAME": that of a text above */
	/* Stands in before fallback in development and test; elsewhere a secret may not have it. */
	const char *development;
	int64_t min, max;    /* of the number, the microseconds, the bytes; both 0: any */
	const char *choices; /* comma-separated */
	const char *about;
	const char *example;
};

extern const struct setting settings[]; /* ends with a NULL name */

/* Names of products that this one replaces: read by nobody, reported by `zygo doctor`. */
struct unused_setting {
	const char *name;
	const char *why;
};

extern const struct unused_setting unused_settings[]; /* ends with a NULL name */

/*
 * Reads the file (KEY=value lines, # comments, optional quotes) when path is not NULL and exists,
 * then the environment, which wins. On mistakes prints "Invalid environment variables:" and a line
 * each, with the expected form and never a secret's value, to standard error and returns false; of
 * a file that cannot be read only that.
 */
bool config_load(const char *path, struct config *ret) MUST_CHECK;

/*
 * The same from name/value pairs: get gives a value, NULL or "" for one that is not set; it is
 * copied. Mistakes go to the buffer, a line each; *ret is filled as far as it is right.
 */
bool config_read(const char *(*get)(const char *name, void *p), void *p, struct config *ret,
		 struct buf *ret_mistakes) MUST_CHECK;

/* The process's configuration, after config_set(). */
const struct config *config(void);
void config_set(const struct config *c);

bool config_is_development(void);
bool config_is_production(void);

/* docs/settings.md and etc/zygo.env.example. */
void config_print_markdown(struct buf *out);
void config_print_example(struct buf *out);
