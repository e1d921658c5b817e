#include "cache/subscriber.h"

#include "base/clock.h"
#include "base/config.h"
#include "cache/redis.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* A port that takes connections, as Redis would: without a password nothing is said at first. */
static int listen_somewhere(char url[64])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	void *p = &at;

	cr_assert(fd >= 0 && bind(fd, p, len) == 0 && listen(fd, 1) == 0 &&
		  getsockname(fd, p, &len) == 0);
	(void)snprintf(url, 64, "redis://127.0.0.1:%d", ntohs(at.sin_port));

	return fd;
}

/* It says nothing for hours, and so does whoever has forgotten it. */
Test(subscriber, a_connection_that_is_forgotten_on_the_way_is_found_out)
{
	struct config c = { .redis_prefix = "test", .redis_timeout_us = US_PER_S };
	int redis, fd, is_kept_alive = 0;
	socklen_t len = sizeof(is_kept_alive);
	char url[64];

	redis = listen_somewhere(url);
	c.redis_url = url;
	config_set(&c);
	subscriber_init();
	fd = subscriber_connect();
	cr_assert_geq(fd, 0);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &is_kept_alive, &len), 0);
	cr_assert(is_kept_alive);
	subscriber_done();
	(void)close(redis);
}
