/* IP addresses: see address.h. */
#include "base/address.h"

#include "base/arena.h"

#include <arpa/inet.h>

#define SUBJECT_BITS 64 /* of an IPv6 address */

/* An address, or the network of its first `bits` bits. IPv4 is kept mapped (::ffff:0:0/96). */
struct network {
	uint8_t bytes[16];
	unsigned bits;
};

#define MAPPED_BITS 96

static bool read_address(struct str s, struct network *ret)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (!s.len || s.len >= sizeof(text))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';

	*ret = (struct network){ .bits = 128 };
	if (inet_pton(AF_INET6, text, ret->bytes) == 1)
		return true;
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;

	ret->bytes[10] = ret->bytes[11] = 0xff;
	memcpy(ret->bytes + 12, &v4, 4);

	return true;
}

static bool is_v4(struct str s)
{
	size_t at;

	return !str_find(s, ':', &at);
}

static bool bit(const struct network *n, unsigned i)
{
	return n->bytes[i / 8] & (0x80 >> i % 8);
}

/* An address alone is a network of one. */
static bool read_network(struct str s, struct network *ret)
{
	struct str address = str_cut(&s, '/');
	unsigned before = is_v4(address) ? MAPPED_BITS : 0;
	int64_t bits;

	if (!read_address(address, ret))
		return false;
	if (!s.ptr)
		return true;
	if (!str_to_i64(s, 0, 128 - before, &bits))
		return false;

	ret->bits = before + (unsigned)bits;
	for (unsigned i = ret->bits; i < 128; i++)
		if (bit(ret, i))
			return false;

	return true;
}

bool is_ip(struct str s)
{
	struct network n;

	return read_address(s, &n);
}

bool is_cidr(struct str s)
{
	struct network n;
	size_t at;

	return str_find(s, '/', &at) && read_network(s, &n);
}

static bool contains(const struct network *n, const struct network *address)
{
	for (unsigned i = 0; i < n->bits; i++)
		if (bit(n, i) != bit(address, i))
			return false;

	return true;
}

bool address_is_in(const char *ip, const char *list)
{
	struct str rest = str_of(list);
	struct network address, n;

	if (!read_address(str_of(ip), &address))
		return false;

	for (struct str item = str_cut(&rest, ','); item.ptr; item = str_cut(&rest, ','))
		if (read_network(str_trim(item), &n) && contains(&n, &address))
			return true;

	return false;
}

const char *address_subject(struct arena *a, const char *ip)
{
	static const uint8_t mapped[MAPPED_BITS / 8] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];
	struct network n;
	bool is_mapped;

	if (!read_address(str_of(ip), &n))
		return "ip:unknown";

	is_mapped = !memcmp(n.bytes, mapped, sizeof(mapped));
	if (!is_mapped)
		memset(n.bytes + SUBJECT_BITS / 8, 0, sizeof(n.bytes) - SUBJECT_BITS / 8);
	if (!inet_ntop(is_mapped ? AF_INET : AF_INET6, n.bytes + (is_mapped ? sizeof(mapped) : 0),
		       text, sizeof(text)))
		BUG("an address has no text");

	return arena_printf(a, "ip:%s", text);
}

/* Cuts the part behind the last comma off *rest. */
static struct str cut_last(struct str *rest)
{
	struct str last = { rest->ptr + rest->len, 0 };

	while (rest->len && rest->ptr[rest->len - 1] != ',') {
		rest->len--;
		last.ptr--;
		last.len++;
	}
	if (rest->len)
		rest->len--;

	return str_trim(last);
}

const char *address_of_client(struct arena *a, const char *peer, const char *forwarded,
			      const char *trusted)
{
	struct str rest = str_of(forwarded);

	while (rest.len && address_is_in(peer, trusted)) {
		struct str last = cut_last(&rest);

		if (!is_ip(last))
			break;
		peer = str_dup(a, last);
	}

	return peer;
}
