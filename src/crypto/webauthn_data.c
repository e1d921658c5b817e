/*
 * Bytes of WebAuthn taken apart: authenticator data, attestation objects and COSE keys.
 *
 * The CBOR is CTAP2's canonical form (FIDO CTAP 2.0 section 6): lengths are stated, nothing is
 * tagged. libcbor is used item by item, so that it allocates nothing, however long a length claims
 * to be.
 */
#include "crypto/webauthn_impl.h"

#include <cbor.h>

#define FLAG_USER_PRESENT  0x01
#define FLAG_USER_VERIFIED 0x04
#define FLAG_ATTESTED      0x40
#define FLAG_EXTENSIONS    0x80

#define AAGUID_BYTES 16

/*
 * Items of CBOR
 */

enum item_kind {
	ITEM_NONE, /* none that canonical CBOR has here */
	ITEM_INT,
	ITEM_BYTES,
	ITEM_TEXT,
	ITEM_ARRAY,
	ITEM_MAP,
	ITEM_SIMPLE,
};

struct item {
	enum item_kind kind;
	int64_t number;  /* of INT */
	size_t children; /* items that follow and belong to an ARRAY or a MAP */
	struct str text; /* of BYTES and TEXT */
};

static void on_number(void *p, uint64_t n, bool is_negative)
{
	if (n <= INT64_MAX)
		*(struct item *)p =
			(struct item){ .kind = ITEM_INT,
				       .number = is_negative ? -1 - (int64_t)n : (int64_t)n };
}

static void on_u8(void *p, uint8_t n)
{
	on_number(p, n, false);
}

static void on_u16(void *p, uint16_t n)
{
	on_number(p, n, false);
}

static void on_u32(void *p, uint32_t n)
{
	on_number(p, n, false);
}

static void on_u64(void *p, uint64_t n)
{
	on_number(p, n, false);
}

static void on_negative8(void *p, uint8_t n)
{
	on_number(p, n, true);
}

static void on_negative16(void *p, uint16_t n)
{
	on_number(p, n, true);
}

static void on_negative32(void *p, uint32_t n)
{
	on_number(p, n, true);
}

static void on_negative64(void *p, uint64_t n)
{
	on_number(p, n, true);
}

static void on_bytes(void *p, cbor_data bytes, size_t len)
{
	*(struct item *)p =
		(struct item){ .kind = ITEM_BYTES, .text = { (const char *)bytes, len } };
}

static void on_text(void *p, cbor_data bytes, size_t len)
{
	*(struct item *)p =
		(struct item){ .kind = ITEM_TEXT, .text = { (const char *)bytes, len } };
}

static void on_array(void *p, size_t len)
{
	*(struct item *)p = (struct item){ .kind = ITEM_ARRAY, .children = len };
}

/* More pairs than there can be bytes are refused by whoever counts them down. */
static void on_map(void *p, size_t pairs)
{
	if (pairs <= SIZE_MAX / 2)
		*(struct item *)p = (struct item){ .kind = ITEM_MAP, .children = 2 * pairs };
}

static void on_bool(void *p, UNUSED bool value)
{
	*(struct item *)p = (struct item){ .kind = ITEM_SIMPLE };
}

static void on_null(void *p)
{
	*(struct item *)p = (struct item){ .kind = ITEM_SIMPLE };
}

static const struct cbor_callbacks *callbacks(void)
{
	static struct cbor_callbacks table;

	if (table.uint8)
		return &table;

	table = cbor_empty_callbacks; /* what is not named below leaves ITEM_NONE */
	table.uint8 = on_u8;
	table.uint16 = on_u16;
	table.uint32 = on_u32;
	table.uint64 = on_u64;
	table.negint8 = on_negative8;
	table.negint16 = on_negative16;
	table.negint32 = on_negative32;
	table.negint64 = on_negative64;
	table.byte_string = on_bytes;
	table.string = on_text;
	table.array_start = on_array;
	table.map_start = on_map;
	table.boolean = on_bool;
	table.null = on_null;

	return &table;
}

/* Takes one item off *rest: a string whole, of an array or a map its head. */
static bool next(struct str *rest, struct item *ret)
{
	struct cbor_decoder_result result;

	*ret = (struct item){ .kind = ITEM_NONE };
	if (rest->len == 0)
		return false;

	result = cbor_stream_decode((cbor_data)rest->ptr, rest->len, callbacks(), ret);
	if (result.status != CBOR_DECODER_FINISHED || ret->kind == ITEM_NONE)
		return false;

	rest->ptr += result.read;
	rest->len -= result.read;

	return ret->children <= rest->len; /* each is a byte at least */
}

/* Takes off what belongs to an item whose head was taken. */
static bool skip_children(struct str *rest, size_t n)
{
	struct item item;

	for (; n > 0; n--) {
		if (!next(rest, &item))
			return false;
		n += item.children; /* no more than there are bytes, which only get fewer */
	}

	return true;
}

/*
 * COSE keys
 */

static bool store_number(struct cose_key *key, int64_t label, int64_t value)
{
	switch (label) {
	case 1: key->type = value; break;
	case 3: key->algorithm = value; break;
	case -1: key->curve = value; break;
	default: break;
	}

	return true;
}

/* The labels mean one thing on a curve and another with RSA; who uses them knows which it is. */
static bool store_bytes(struct cose_key *key, int64_t label, struct str value)
{
	switch (label) {
	case -1: key->n = value; break;
	case -2: key->x = key->e = value; break;
	case -3: key->y = value; break;
	default: break;
	}

	return true;
}

static bool read_cose_pair(struct str *rest, struct cose_key *ret)
{
	struct item label, value;

	if (!next(rest, &label) || label.kind != ITEM_INT || !next(rest, &value))
		return false;
	if (value.kind == ITEM_INT)
		return store_number(ret, label.number, value.number);
	if (value.kind == ITEM_BYTES)
		return store_bytes(ret, label.number, value.text);

	return skip_children(rest, value.children);
}

/* The key that *rest begins with. */
static bool take_cose_key(struct str *rest, struct cose_key *ret)
{
	struct item map;

	*ret = (struct cose_key){ 0 };
	if (!next(rest, &map) || map.kind != ITEM_MAP)
		return false;
	for (size_t n = map.children; n > 0; n -= 2)
		if (!read_cose_pair(rest, ret))
			return false;

	return true;
}

bool cose_key_read(struct str bytes, struct cose_key *ret)
{
	struct str rest = bytes;

	return take_cose_key(&rest, ret) && rest.len == 0;
}

/*
 * Authenticator data
 */

/* n bytes off *rest; NULL when there are fewer. */
static const uint8_t *take(struct str *rest, size_t n)
{
	const uint8_t *p = (const uint8_t *)rest->ptr;

	if (rest->len < n)
		return NULL;
	rest->ptr += n;
	rest->len -= n;

	return p;
}

/* Section 6.5.1: AAGUID, length, credential id, public key. */
static bool take_credential(struct str *rest, struct authenticator_data *ret)
{
	const uint8_t *length, *id, *key;
	struct cose_key ignored;
	size_t id_len;

	if (!take(rest, AAGUID_BYTES))
		return false;
	length = take(rest, 2);
	if (!length)
		return false;
	id_len = (size_t)length[0] << 8 | length[1];
	id = take(rest, id_len);
	if (!id || id_len == 0 || id_len > WEBAUTHN_CREDENTIAL_ID_MAX)
		return false;

	key = (const uint8_t *)rest->ptr;
	if (!take_cose_key(rest, &ignored))
		return false;
	ret->credential_id = (struct str){ (const char *)id, id_len };
	ret->public_key =
		(struct str){ (const char *)key, (size_t)((const uint8_t *)rest->ptr - key) };

	return true;
}

static bool take_extensions(struct str *rest)
{
	struct item map;

	return next(rest, &map) && map.kind == ITEM_MAP && skip_children(rest, map.children);
}

bool authenticator_data_read(struct str bytes, struct authenticator_data *ret)
{
	struct str rest = bytes;
	const uint8_t *hash = take(&rest, WEBAUTHN_HASH_BYTES);
	const uint8_t *head = take(&rest, 5); /* flags and a counter of 32 bits */

	if (!hash || !head)
		return false;

	*ret = (struct authenticator_data){
		.rp_id_hash = hash,
		.user_present = head[0] & FLAG_USER_PRESENT,
		.user_verified = head[0] & FLAG_USER_VERIFIED,
		.sign_count = (int64_t)head[1] << 24 | head[2] << 16 | head[3] << 8 | head[4],
	};
	if (head[0] & FLAG_ATTESTED && !take_credential(&rest, ret))
		return false;
	if (head[0] & FLAG_EXTENSIONS && !take_extensions(&rest))
		return false;

	return rest.len == 0;
}

/*
 * Attestation objects
 */

bool attestation_read(struct str bytes, struct str *ret_authenticator_data)
{
	struct str rest = bytes;
	struct item map, key, value;

	*ret_authenticator_data = (struct str){ NULL, 0 };
	if (!next(&rest, &map) || map.kind != ITEM_MAP)
		return false;

	for (size_t n = map.children; n > 0; n -= 2) {
		if (!next(&rest, &key) || key.kind != ITEM_TEXT || !next(&rest, &value))
			return false;
		if (str_is(key.text, "authData") && value.kind == ITEM_BYTES)
			*ret_authenticator_data = value.text;
		if (!skip_children(&rest, value.children))
			return false;
	}

	return ret_authenticator_data->ptr && rest.len == 0;
}
