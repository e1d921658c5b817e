/* What every HTTP transfer of ours has in common: see transfer_impl.h. */
#include "net/transfer_impl.h"

#include "net/guard.h"

#include "base/clock.h"
#include "base/str.h"

#include <sys/socket.h>

/* The only place where a connection begins, with the address that it goes to. */
static curl_socket_t open_socket(void *p, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct watch *w = p;

	if (purpose != CURLSOCKTYPE_IPCXN || !guard_allows(&address->addr, w->is_clear)) {
		w->is_refused = true;
		return CURL_SOCKET_BAD;
	}

	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void transfer_prepare(CURL *curl, const char *url, struct watch *w, int64_t connect_us,
		      int64_t timeout_us)
{
	*w = (struct watch){ .is_clear = !str_starts(str_of(url), "https:") };
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* nobody waits for a resolver's thread */
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_us / US_PER_MS));
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(timeout_us / US_PER_MS));
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, w);
}
