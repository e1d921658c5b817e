/*
 * Structured logs: one line an event, on standard error (systemd, or the file that nginx' neighbour
 * uses, takes it from there). JSON, or coloured text for people when APP_ENV is development and the
 * output is a terminal (LOG_FORMAT decides).
 *
 * Only the dispatcher, the worker loop, the supervisor and commands log; library code returns
 * errors. A line is a fact with fields; never a secret.
 */
#pragma once

#include "base/base.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_FATAL
};
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_PRETTY };

/* One field. Exactly one kind: text (NULL is printed as null) or number. */
struct log_field {
	const char *name;
	const char *text;
	int64_t number;
	bool is_number;
};

#define LOG_S(name, value) ((struct log_field){ (name), (value), 0, false })
#define LOG_I(name, value) ((struct log_field){ (name), NULL, (int64_t)(value), true })
#define LOG_END            ((struct log_field){ NULL, NULL, 0, false })

/* role: "serve", "migrate", … is written in each line. Lines below the level are dropped. */
void log_init(enum log_level level, enum log_format format, const char *role);

/* log_info("Server running", LOG_S("url", url), LOG_I("workers", 4)) */
#define log_debug(...) log_fields(LOG_LEVEL_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...)  log_fields(LOG_LEVEL_INFO, __VA_ARGS__, LOG_END)
#define log_warn(...)  log_fields(LOG_LEVEL_WARN, __VA_ARGS__, LOG_END)
#define log_error(...) log_fields(LOG_LEVEL_ERROR, __VA_ARGS__, LOG_END)
#define log_fatal(...) log_fields(LOG_LEVEL_FATAL, __VA_ARGS__, LOG_END)

/* Fields end with LOG_END. One write(2) a line of at most 16 KiB, so lines of processes do not mix.
 */
void log_fields(enum log_level level, const char *message, ...);

/* The same from an array, for callers that assemble their fields. */
void log_array(enum log_level level, const char *message, const struct log_field *fields, size_t n);
