/*
 * The table of settings.
 *
 * To add one: a field in struct config, a row here in its section, scripts/check --write (it prints
 * docs/settings.md and etc/zygo.env.example again). Tests that look: tests/unit/base/config.c holds
 * every default, development value and example against its own row.
 */
#include "base/config.h"

#include "base/clock.h"

#define FIELD(name) offsetof(struct config, name)
#define HOURS       (60 * US_PER_MINUTE)

/* clang-format off */
const struct setting settings[] = {
	{ "APP_ENV", SETTING_ENUM, FIELD(env), .section = "Application",
	  .written_out = true, .also = "NODE_ENV", .fallback = "development",
	  .choices = "development,staging,production,test",
	  .about = "Where this runs. Staging and production refuse development's secrets.",
	  .example = "production" },
	{ "APP_URL", SETTING_URL, FIELD(app_url), .required = true,
	  .about = "Where people open the dashboard: links in mails lead there.",
	  .example = "https://app.zygo.tech" },
	{ "API_URL", SETTING_URL, FIELD(api_url), .required = true,
	  .about = "Where clients reach this API, as nginx serves it.",
	  .example = "https://api.zygo.tech" },
	{ "CORS_ORIGINS", SETTING_ORIGINS, FIELD(cors_origins),
	  .development = "https://app.zygo.tech,https://admin.zygo.tech,http://localhost:5173",
	  .about = "Origins whose pages may call this API with credentials, and change things "
		   "with a session cookie. All others get no CORS headers.",
	  .example = "https://app.zygo.tech,https://admin.zygo.tech" },

	{ "DATABASE_URL", SETTING_URL, FIELD(database_url), .section = "Database",
	  .required = true, .secret = true, .choices = "postgres,postgresql",
	  .about = "PostgreSQL as the application's role, zygo_app. Connecting is given up after "
		   "2 s; a connection lives as long as its worker.",
	  .example = "postgresql://zygo_app@/zygo?host=/run/postgresql" },
	{ "DATABASE_REPLICA_URL", SETTING_URL, FIELD(database_replica_url),
	  .secret = true, .choices = "postgres,postgresql",
	  .about = "A streaming replica, for the reads that may be a little old.",
	  .example = "postgresql://zygo_app@replica.internal/zygo" },
	{ "DATABASE_MIGRATE_URL", SETTING_URL, FIELD(database_migrate_url),
	  .secret = true, .choices = "postgres,postgresql",
	  .about = "PostgreSQL as the role that owns the schema; only `zygo migrate` and "
		   "`zygo seed` use it.",
	  .example = "postgresql://zygo_owner@/zygo?host=/run/postgresql" },
	{ "DATABASE_POOL_MAX", SETTING_INT, FIELD(database_pool_max),
	  .fallback = "10", .min = 2, .max = 1000,
	  .about = "The most connections that this host's workers hold together. WORKERS_FAST and "
		   "WORKERS_SLOW may not add up to more.",
	  .example = "10" },
	{ "DATABASE_PREPARE", SETTING_BOOL, FIELD(database_prepare), .fallback = "true",
	  .about = "Whether statements are prepared once a connection. Set it to false behind "
		   "PgBouncer's transaction pooling before version 1.21.",
	  .example = "true" },
	{ "DATABASE_TIMEOUT", SETTING_DURATION, FIELD(database_timeout_us),
	  .fallback = "5s", .min = 100 * US_PER_MS, .max = 10 * US_PER_MINUTE,
	  .about = "How long a statement of an ordinary request may run.",
	  .example = "5s" },

	{ "REDIS_URL", SETTING_URL, FIELD(redis_url), .section = "Redis",
	  .required = true, .secret = true, .choices = "redis,unix",
	  .about = "Redis, over TCP or a Unix socket. What it holds may be lost.",
	  .example = "unix:///run/redis/redis-server.sock" },
	{ "REDIS_PREFIX", SETTING_TEXT, FIELD(redis_prefix),
	  .fallback = "zygo", .min = 1, .max = 32,
	  .about = "What every key starts with, so that several installations may share a server.",
	  .example = "zygo" },

	{ "JWT_SECRET", SETTING_TEXT, FIELD(jwt_secret), .section = "Tokens and sessions",
	  .required = true, .secret = true, .min = 32, .max = 1024,
	  .development = "development-only-jwt-secret-0123456789",
	  .about = "Keys the hashes under which refresh tokens, sessions and one-time tokens are "
		   "stored. When it changes, everybody logs in again.",
	  .example = "what `openssl rand -base64 48` prints" },
	{ "JWT_ISSUER", SETTING_TEXT, FIELD(jwt_issuer), .fallback = "$API_URL",
	  .about = "The claim iss of access tokens.",
	  .example = "https://api.zygo.tech" },
	{ "JWT_AUDIENCE", SETTING_TEXT, FIELD(jwt_audience), .fallback = "$API_URL",
	  .about = "The claim aud of access tokens.",
	  .example = "https://api.zygo.tech" },
	{ "JWT_EXPIRES_IN", SETTING_DURATION, FIELD(jwt_expires_us),
	  .fallback = "15m", .min = US_PER_MINUTE, .max = 30 * US_PER_DAY,
	  .about = "How long an access token lives. A revoked one is refused at once all the same.",
	  .example = "15m" },
	{ "REFRESH_EXPIRES_IN", SETTING_DURATION, FIELD(refresh_expires_us),
	  .fallback = "30d", .min = HOURS, .max = 366 * US_PER_DAY,
	  .about = "How long a refresh token lives; each use gives a new one.",
	  .example = "30d" },
	{ "SESSION_IDLE", SETTING_DURATION, FIELD(session_idle_us),
	  .fallback = "7d", .min = US_PER_MINUTE, .max = 366 * US_PER_DAY,
	  .about = "How long a browser's session outlives its last request.",
	  .example = "7d" },
	{ "SESSION_MAX", SETTING_DURATION, FIELD(session_max_us),
	  .fallback = "30d", .min = US_PER_MINUTE, .max = 366 * US_PER_DAY,
	  .about = "How long a browser's session lives at most.",
	  .example = "30d" },

	{ "ENCRYPTION_KEY", SETTING_HEX, FIELD(encryption_key), .section = "Sealing",
	  .required = true, .secret = true, .min = 32, .max = 32,
	  .development = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  .about = "Seals secrets, MFA seeds and signing keys in the database. Keep a copy apart "
		   "from the database's backups: without it they cannot be opened.",
	  .example = "what `openssl rand -hex 32` prints" },

	{ "SOCKET_FAST", SETTING_TEXT, FIELD(socket_fast), .section = "FastCGI workers",
	  .fallback = "/run/zygo/fast.sock", .min = 1, .max = 107,
	  .about = "The Unix socket of the fast pool, which serves ordinary routes.",
	  .example = "/run/zygo/fast.sock" },
	{ "SOCKET_SLOW", SETTING_TEXT, FIELD(socket_slow),
	  .fallback = "/run/zygo/slow.sock", .min = 1, .max = 107,
	  .about = "The Unix socket of the slow pool, for routes that hash passwords or call other "
		   "services.",
	  .example = "/run/zygo/slow.sock" },
	{ "WORKERS_FAST", SETTING_INT, FIELD(workers_fast),
	  .fallback = "0", .min = 0, .max = 256,
	  .about = "Processes of the fast pool. 0: one for each core, as far as DATABASE_POOL_MAX "
		   "allows. More than two a core cost speed.",
	  .example = "4" },
	{ "WORKERS_SLOW", SETTING_INT, FIELD(workers_slow),
	  .fallback = "4", .min = 1, .max = 256,
	  .about = "Processes of the slow pool.",
	  .example = "4" },
	{ "WORKERS_JOBS", SETTING_INT, FIELD(workers_jobs),
	  .fallback = "4", .min = 1, .max = 128,
	  .about = "Processes of `zygo work` that run jobs, each one job at a time. Each holds two "
		   "connections to PostgreSQL, beside those of DATABASE_POOL_MAX.",
	  .example = "4" },
	{ "WORKER_REQUESTS_MAX", SETTING_INT, FIELD(worker_requests_max),
	  .fallback = "100000", .min = 0, .max = 1000000000,
	  .about = "After so many requests a worker is replaced by a new process. 0: never.",
	  .example = "100000" },
	{ "WORKER_MEMORY_MAX_MB", SETTING_INT, FIELD(worker_memory_max_mb),
	  .fallback = "256", .min = 32, .max = 65536,
	  .about = "A worker whose memory grows past so many MiB is replaced after its request.",
	  .example = "256" },
	{ "REQUEST_TIMEOUT", SETTING_DURATION, FIELD(request_timeout_us),
	  .fallback = "30s", .min = US_PER_S, .max = HOURS,
	  .about = "A worker of the fast pool that works longer on one request is killed and "
		   "replaced; nginx answers 502.",
	  .example = "30s" },
	{ "SLOW_REQUEST_TIMEOUT", SETTING_DURATION, FIELD(slow_request_timeout_us),
	  .fallback = "60s", .min = US_PER_S, .max = HOURS,
	  .about = "The same for the slow pool.",
	  .example = "60s" },
	{ "DRAIN_TIMEOUT", SETTING_DURATION, FIELD(drain_timeout_us),
	  .fallback = "30s", .min = US_PER_S, .max = HOURS,
	  .about = "How long a process that was told to end may finish what it has begun.",
	  .example = "30s" },

	{ "BODY_MAX", SETTING_INT, FIELD(body_max), .section = "Limits",
	  .fallback = "1048576", .min = 1024, .max = 16777216,
	  .about = "The largest body of a request, in bytes. nginx has a limit of its own, "
		   "client_max_body_size, which should be the same.",
	  .example = "1048576" },
	{ "TRUSTED_PROXIES", SETTING_ADDRESSES, FIELD(trusted_proxies),
	  .about = "Load balancers in front of nginx: X-Forwarded-For is believed from these "
		   "alone. Without them the client is whoever connects to nginx.",
	  .example = "10.0.0.0/8,fd00::/8" },
	{ "METRICS_ALLOW", SETTING_ADDRESSES, FIELD(metrics_allow), .fallback = "127.0.0.1,::1",
	  .about = "Who may read /metrics.",
	  .example = "127.0.0.1,::1,10.0.0.5" },
	{ "RATE_READ", SETTING_INT, FIELD(rate_read),
	  .fallback = "600", .min = 1, .max = 1000000,
	  .about = "Reads a minute for each user, API key or address.",
	  .example = "600" },
	{ "RATE_WRITE", SETTING_INT, FIELD(rate_write),
	  .fallback = "120", .min = 1, .max = 1000000,
	  .about = "Changes a minute for each user, API key or address.",
	  .example = "120" },
	{ "RATE_AUTH", SETTING_INT, FIELD(rate_auth),
	  .fallback = "10", .min = 1, .max = 1000000,
	  .about = "Attempts to log in, sign up or reset a password a minute, for each account "
		   "and each address.",
	  .example = "10" },
	{ "RATE_SEARCH", SETTING_INT, FIELD(rate_search),
	  .fallback = "60", .min = 1, .max = 1000000,
	  .about = "Searches and exports a minute for each user, API key or address.",
	  .example = "60" },

	{ "LOG_LEVEL", SETTING_ENUM, FIELD(log_level), .section = "Logs",
	  .fallback = "info", .choices = "debug,info,warn,error,fatal",
	  .about = "The least important lines that are still written.",
	  .example = "info" },
	{ "LOG_FORMAT", SETTING_ENUM, FIELD(log_format), .choices = "json,pretty",
	  .about = "JSON lines for machines, or coloured text for people. When it is not set: "
		   "pretty in development on a terminal, else json.",
	  .example = "json" },

	{ "SMTP_HOST", SETTING_TEXT, FIELD(smtp_host), .section = "Mail",
	  .min = 1, .max = 255,
	  .about = "The mail server. Without it mails are not sent.",
	  .example = "smtp.zygo.tech" },
	{ "SMTP_PORT", SETTING_INT, FIELD(smtp_port),
	  .fallback = "587", .min = 1, .max = 65535,
	  .about = "Its port: 465 speaks TLS from the start, the others by STARTTLS.",
	  .example = "587" },
	{ "SMTP_USER", SETTING_TEXT, FIELD(smtp_user),
	  .about = "The user to log in to it as.",
	  .example = "zygo" },
	{ "SMTP_PASS", SETTING_TEXT, FIELD(smtp_pass), .secret = true,
	  .about = "That user's password.",
	  .example = "the-password-of-that-user" },
	{ "EMAIL_FROM", SETTING_EMAIL, FIELD(email_from),
	  .about = "Whom mails come from. Needed with SMTP_HOST.",
	  .example = "noreply@zygo.tech" },

	{ "STRIPE_SECRET_KEY", SETTING_TEXT, FIELD(stripe_secret_key), .section = "Billing",
	  .secret = true,
	  .about = "Stripe's API key. Without it billing shows plans and usage, and sells nothing.",
	  .example = "sk_live_..." },
	{ "STRIPE_WEBHOOK_SECRET", SETTING_TEXT, FIELD(stripe_webhook_secret), .secret = true,
	  .about = "Proves that an incoming webhook is Stripe's.",
	  .example = "whsec_..." },

	{ "HETZNER_API_KEY", SETTING_TEXT, FIELD(hetzner_api_key), .section = "Infrastructure",
	  .secret = true,
	  .about = "Hetzner Cloud's API token. Without it servers cannot be created.",
	  .example = "a-token-with-read-and-write-access" },
	{ 0 },
};

const struct unused_setting unused_settings[] = {
	{ "PORT", "nginx listens for clients; Zygo's own sockets are SOCKET_FAST and SOCKET_SLOW" },
	{ "BETTER_AUTH_SECRET", "Zygo has its own identity; what it hashes is keyed by JWT_SECRET" },
	{ "SUPABASE_URL", "Zygo uses PostgreSQL directly: DATABASE_URL" },
	{ "SUPABASE_ANON_KEY", "Zygo uses PostgreSQL directly: DATABASE_URL" },
	{ "SUPABASE_SERVICE_KEY", "Zygo uses PostgreSQL directly: DATABASE_URL" },
	{ 0 },
};
/* clang-format on */
