/* Words and descriptors over SOCK_SEQPACKET: see channel.h, unix(7), cmsg(3). */
#include "prefork/channel.h"

#include <errno.h>
#include <sys/socket.h>

/* Room for one descriptor beside a message, aligned as cmsg(3) wants. */
union beside {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

bool channel_make(int ret_ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) == 0;
}

bool channel_send(int end, enum word word, int passed)
{
	unsigned char byte = (unsigned char)word;
	struct iovec iov = { &byte, 1 };
	union beside beside = { { 0 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (passed >= 0) {
		struct cmsghdr *c;

		m.msg_control = beside.bytes;
		m.msg_controllen = sizeof(beside.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(int));
	}

	do
		n = sendmsg(end, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);

	return n == 1;
}

enum word channel_receive(int end, int *ret_passed)
{
	unsigned char byte = 0;
	struct iovec iov = { &byte, 1 };
	union beside beside;
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = beside.bytes,
			    .msg_controllen = sizeof(beside.bytes) };
	struct cmsghdr *c;
	ssize_t n;

	*ret_passed = -1;
	do
		n = recvmsg(end, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return WORD_NONE;
	if (n <= 0)
		return WORD_CLOSED;

	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_passed, CMSG_DATA(c), sizeof(int));

	return (enum word)byte;
}
