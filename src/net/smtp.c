/* SMTP by libcurl: see smtp.h. */
#include "net/smtp.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"

#include <curl/curl.h>

#define CONNECT_MS 10000L

/* What is left of the message. */
static size_t read_message(char *p, size_t size, size_t n, void *message)
{
	struct str *rest = message;
	size_t len = size * n;

	if (len > rest->len)
		len = rest->len;
	memcpy(p, rest->ptr, len);
	*rest = (struct str){ rest->ptr + len, rest->len - len };

	return len;
}

static bool is_tls_from_the_start(const struct config *conf)
{
	return conf->smtp_security == SMTP_TLS ||
	       (conf->smtp_security == SMTP_BY_PORT && conf->smtp_port == 465);
}

/* In square brackets where it is an IPv6 address. */
static const char *url_of(struct ctx *c, const struct config *conf)
{
	bool is_v6 = strchr(conf->smtp_host, ':') != NULL;

	return arena_printf(c->arena, "%s://%s%s%s:%lld",
			    is_tls_from_the_start(conf) ? "smtps" : "smtp", is_v6 ? "[" : "",
			    conf->smtp_host, is_v6 ? "]" : "", (long long)conf->smtp_port);
}

static void set_server(CURL *curl, struct ctx *c)
{
	const struct config *conf = config();
	bool is_clear = conf->smtp_security == SMTP_CLEAR;

	curl_easy_setopt(curl, CURLOPT_URL, url_of(c, conf));
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
			 (long)(is_clear ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	if (conf->smtp_ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, conf->smtp_ca_file);
	if (conf->smtp_user) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, conf->smtp_user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, conf->smtp_pass ? conf->smtp_pass : "");
	}
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* SIGALRM is the worker's own */
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(conf->smtp_timeout_us / US_PER_MS));
}

/*
 * 550 to 559 is about the mailbox or what was sent to it (RFC 5321 section 4.2.2); a refused log-in
 * is a setting that somebody will mend.
 */
static bool is_final(CURLcode failed, long said)
{
	return failed != CURLE_LOGIN_DENIED && said >= 550 && said <= 559;
}

static int refused(struct ctx *c, CURL *curl, CURLcode failed, const char *why,
		   bool *ret_is_hopeless)
{
	long said = 0;
	int err;

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &said);
	*ret_is_hopeless = is_final(failed, said);
	err = fail(c, ERR_SERVICE_UNAVAILABLE, NULL,
		   *ret_is_hopeless ? "The mail server refuses this mail for good"
				    : "The mail could not be sent");
	if (!*why)
		why = curl_easy_strerror(failed);
	if (said)
		errdetail_log(c, "%s:%lld: %s (the server's last code: %ld)", config()->smtp_host,
			      (long long)config()->smtp_port, why, said);
	else
		errdetail_log(c, "%s:%lld: %s", config()->smtp_host, (long long)config()->smtp_port,
			      why);

	return err;
}

int smtp_send(struct ctx *c, const char *from, const char *to, struct str message,
	      bool *ret_is_hopeless)
{
	char why[CURL_ERROR_SIZE] = "";
	struct curl_slist *rcpt;
	CURLcode failed;
	CURL *curl = curl_easy_init();
	int err = OK;

	rcpt = curl_slist_append(NULL, arena_printf(c->arena, "<%s>", to));
	BUG_IF(!curl || !rcpt); /* no memory */
	set_server(curl, c);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, arena_printf(c->arena, "<%s>", from));
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, rcpt);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
	curl_easy_setopt(curl, CURLOPT_READDATA, &message);

	*ret_is_hopeless = false;
	failed = curl_easy_perform(curl);
	if (failed)
		err = refused(c, curl, failed, why, ret_is_hopeless);
	curl_slist_free_all(rcpt);
	curl_easy_cleanup(curl);

	return err;
}
