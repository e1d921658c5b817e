/* The check of fcgihead.h: records first, then the pairs in them. */
#include "http/fcgihead.h"

#include <fastcgi.h>

#define RECORD_BYTES sizeof(FCGI_Header)

struct record {
	unsigned type, id;
	size_t content, padding; /* bytes */
};

/* False when the header is not there whole; a header of another version is a record of type 0. */
static bool read_record(const uint8_t *p, size_t len, struct record *ret)
{
	if (len < RECORD_BYTES)
		return false;

	*ret = (struct record){ .type = p[0] == FCGI_VERSION_1 ? p[1] : 0,
				.id = (unsigned)p[2] << 8 | p[3],
				.content = (size_t)p[4] << 8 | p[5],
				.padding = p[6] };

	return true;
}

static enum head_state look_begin(const uint8_t *p, size_t len, struct record *ret)
{
	const uint8_t *body = p + RECORD_BYTES;

	if (len && p[0] != FCGI_VERSION_1)
		return HEAD_WRONG;
	if (!read_record(p, len, ret))
		return HEAD_PART;
	if (ret->type != FCGI_BEGIN_REQUEST || ret->id == 0 ||
	    ret->content != sizeof(FCGI_BeginRequestBody))
		return HEAD_WRONG;
	if (len < RECORD_BYTES + ret->content + ret->padding)
		return HEAD_PART;

	return ((unsigned)body[0] << 8 | body[1]) == FCGI_RESPONDER ? HEAD_WHOLE : HEAD_WRONG;
}

/* One byte, or four of which the first has its top bit set. */
static bool read_length(const uint8_t **p, size_t *left, size_t *ret)
{
	const uint8_t *at = *p;
	size_t n = *left && at[0] & 0x80 ? 4 : 1;

	if (*left < n)
		return false;

	*ret = n == 1 ? at[0]
		      : (size_t)(at[0] & 0x7f) << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 |
				at[3];
	*p += n;
	*left -= n;

	return true;
}

static enum head_state look_pairs(const uint8_t *p, size_t left, struct fcgi_head *ret)
{
	size_t name, value;

	while (left) {
		if (!read_length(&p, &left, &name) || !read_length(&p, &left, &value) ||
		    name > left || value > left - name)
			return HEAD_WRONG;
		p += name + value;
		left -= name + value;
		ret->params++;
		ret->params_bytes += name + value;
	}

	return HEAD_WHOLE;
}

/* The records of a stream from at on, to its empty one; their contents move to *ret_content, NULL:
 * nowhere. */
static enum head_state look_stream(uint8_t *bytes, size_t len, size_t *at, struct record want,
				   size_t *ret_content)
{
	struct record r;

	while (read_record(bytes + *at, len - *at, &r)) {
		if (r.type != want.type || r.id != want.id)
			return HEAD_WRONG;
		*at += RECORD_BYTES;
		if (len - *at < r.content + r.padding)
			return HEAD_PART;
		if (ret_content) {
			memmove(bytes + *ret_content, bytes + *at, r.content);
			*ret_content += r.content;
		}
		*at += r.content + r.padding;
		if (!r.content)
			return HEAD_WHOLE;
	}

	return HEAD_PART;
}

enum head_state fcgi_head_look(uint8_t *bytes, size_t len, struct fcgi_head *ret)
{
	struct record begin, params, body;
	size_t at, pairs = 0; /* pairs: bytes of them, moved to the start */
	enum head_state state = look_begin(bytes, len, &begin);

	*ret = (struct fcgi_head){ 0 };
	if (state != HEAD_WHOLE)
		return state;

	at = RECORD_BYTES + begin.content + begin.padding;
	params = (struct record){ .type = FCGI_PARAMS, .id = begin.id };
	body = (struct record){ .type = FCGI_STDIN, .id = begin.id };
	state = look_stream(bytes, len, &at, params, &pairs);
	if (state == HEAD_PART && len == FCGI_HEAD_MAX)
		return HEAD_WRONG;
	if (state == HEAD_WHOLE)
		state = look_pairs(bytes, pairs, ret);
	if (state == HEAD_WHOLE)
		state = look_stream(bytes, len, &at, body, NULL);

	return state == HEAD_PART && len == FCGI_HEAD_MAX ? HEAD_WHOLE : state;
}
