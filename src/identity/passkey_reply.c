/* What a browser is told to do with a device: see passkey_reply.h. */
#include "identity/passkey_reply.h"

#include "crypto/webauthn.h"
#include "db/rows.h"
#include "http/api.h"
#include "identity/passkey.h"

static void write_known(struct jsonwrite *w, const char *key, const struct rows *known)
{
	size_t n = known ? rows_len(known) : 0;

	jsonwrite_key(w, key);
	jsonwrite_array(w);
	for (size_t row = 0; row < n; row++) {
		struct str id = rows_str(known, row, 0), *transports;
		size_t len = rows_array(known, row, 1, w->out->arena, &transports);

		jsonwrite_object(w);
		jsonwrite_member_text(w, "type", "public-key");
		jsonwrite_member_text(w, "id", str_base64url(w->out->arena, id.ptr, id.len));
		jsonwrite_key(w, "transports");
		jsonwrite_array(w);
		for (size_t i = 0; i < len; i++)
			jsonwrite_str(w, transports[i]);
		jsonwrite_array_end(w);
		jsonwrite_object_end(w);
	}
	jsonwrite_array_end(w);
}

static void write_algorithms(struct jsonwrite *w)
{
	jsonwrite_key(w, "pubKeyCredParams");
	jsonwrite_array(w);
	for (size_t i = 0; i < webauthn_algorithms_len; i++) {
		jsonwrite_object(w);
		jsonwrite_member_text(w, "type", "public-key");
		jsonwrite_member_i64(w, "alg", webauthn_algorithms[i]);
		jsonwrite_object_end(w);
	}
	jsonwrite_array_end(w);
}

static void write_owner(struct jsonwrite *w, const struct rows *owner)
{
	struct uuid id = rows_get_uuid(owner, "id");

	jsonwrite_key(w, "user");
	jsonwrite_object(w);
	jsonwrite_member_text(w, "id", str_base64url(w->out->arena, id.bytes, sizeof(id.bytes)));
	jsonwrite_member_text(w, "name", rows_get_text(owner, "email"));
	jsonwrite_member_text(w, "displayName", rows_get_text(owner, "name"));
	jsonwrite_object_end(w);
}

int passkey_reply_creation(struct request *r, const struct passkey_options *o)
{
	struct jsonwrite w;

	reply_begin(r, &w);
	jsonwrite_member_text(&w, "challenge", o->challenge);
	jsonwrite_member_i64(&w, "timeout", PASSKEY_TIMEOUT_MS);
	jsonwrite_key(&w, "rp");
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "id", o->rp_id);
	jsonwrite_member_text(&w, "name", "Zygo");
	jsonwrite_object_end(&w);
	write_owner(&w, o->owner);
	write_algorithms(&w);
	write_known(&w, "excludeCredentials", o->known);
	jsonwrite_key(&w, "authenticatorSelection");
	jsonwrite_object(&w);
	jsonwrite_member_text(&w, "residentKey", "preferred");
	jsonwrite_member_text(&w, "userVerification", "preferred");
	jsonwrite_object_end(&w);
	jsonwrite_member_text(&w, "attestation", "none");

	return reply_end(r, &w);
}

int passkey_reply_request(struct request *r, const struct passkey_options *o)
{
	struct jsonwrite w;

	reply_begin(r, &w);
	jsonwrite_member_text(&w, "challenge", o->challenge);
	jsonwrite_member_i64(&w, "timeout", PASSKEY_TIMEOUT_MS);
	jsonwrite_member_text(&w, "rpId", o->rp_id);
	write_known(&w, "allowCredentials", o->known);
	jsonwrite_member_text(&w, "userVerification", o->user_verified ? "required" : "preferred");

	return reply_end(r, &w);
}
