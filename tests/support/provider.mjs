// A provider that answers as it is told, for the failures that a real one does not have: an OpenID issuer, and
// GitHub below /github and /github-api. It remembers nothing: a code is base64url of JSON that says what becomes of it.
//
//     node provider.mjs PORT
//
// Of an OpenID code: claims (of the ID token, over the usual ones), alg, kid, challenge (PKCE), userinfo, error.
// Of a GitHub code: user, emails, challenge, error. GitHub's replies are those of docs.github.com, "Authorizing OAuth
// apps", "Troubleshooting OAuth app access token request errors" and the REST API's users.

import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";

const issuer = `http://127.0.0.1:${process.argv[2]}`;
const client = { id: "zygo test/client", secret: "a secret: with + and %" };

// -- keys ---------------------------------------------------------------------------------------------

const keys = {
	r1: generateKeyPairSync("rsa", { modulusLength: 2048 }),
	e1: generateKeyPairSync("ec", { namedCurve: "P-256" }),
	late: generateKeyPairSync("ec", { namedCurve: "P-256" }), // published when it has been used
	unknown: generateKeyPairSync("ec", { namedCurve: "P-256" }), // never
};
const published = new Set(["r1", "e1"]);

const base64url = (data) => Buffer.from(data).toString("base64url");
const jwk = (kid) => ({ ...keys[kid].publicKey.export({ format: "jwk" }), kid, use: "sig" });

const signers = {
	RS256: (text, kid) => sign("sha256", Buffer.from(text), keys[kid].privateKey),
	ES256: (text, kid) => sign("sha256", Buffer.from(text), { key: keys[kid].privateKey, dsaEncoding: "ieee-p1363" }),
	HS256: (text, kid) => createHmac("sha256", keys[kid].publicKey.export({ type: "spki", format: "pem" })).update(text).digest(),
	none: () => "",
};

function idToken({ claims, alg = "ES256", kid = alg === "RS256" ? "r1" : "e1" }) {
	const now = Math.floor(Date.now() / 1000);
	const usual = { iss: issuer, aud: client.id, iat: now, exp: now + 300 };
	const text = [{ alg, kid }, { ...usual, ...claims }].map((part) => base64url(JSON.stringify(part))).join(".");
	if (kid === "late") published.add(kid);
	return `${text}.${base64url(signers[alg](text, kid))}`;
}

// -- codes --------------------------------------------------------------------------------------------

const decode = (code) => JSON.parse(Buffer.from(code ?? "", "base64url"));
const isProven = (script, form) =>
	script.challenge === createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");

function isOurClient(authorization) {
	const [id, secret] = Buffer.from(authorization.replace("Basic ", ""), "base64").toString().split(":").map(decodeURIComponent);
	return id === client.id && secret === client.secret;
}

const pages = {
	"GET /.well-known/openid-configuration": () => [200, {
		issuer,
		authorization_endpoint: `${issuer}/authorize?tenant=test`,
		token_endpoint: `${issuer}/token`,
		userinfo_endpoint: `${issuer}/userinfo`,
		jwks_uri: `${issuer}/jwks`,
		authorization_response_iss_parameter_supported: true,
		token_endpoint_auth_methods_supported: ["client_secret_basic"],
	}],

	// Another issuer's document, under this address.
	"GET /impostor/.well-known/openid-configuration": () => pages["GET /.well-known/openid-configuration"](),

	"GET /jwks": () => [200, { keys: [...published].map(jwk) }],

	"POST /token": ({ headers, form }) => {
		const script = decode(form.get("code"));
		if (!isOurClient(headers.authorization)) return [401, { error: "invalid_client" }];
		if (!isProven(script, form)) return [400, { error: "invalid_grant", error_description: "PKCE verification failed" }];
		if (script.error) return [400, { error: script.error }];
		return [200, { access_token: form.get("code"), token_type: "Bearer", expires_in: 60, id_token: idToken(script) }];
	},

	"GET /userinfo": ({ headers }) => [200, decode(headers.authorization.replace("Bearer ", "")).userinfo ?? {}],

	"POST /github/login/oauth/access_token": ({ headers, form }) => {
		const script = decode(form.get("code"));
		assert.equal(headers.accept, "application/json", "without it GitHub answers with a form");
		if (form.get("client_id") !== client.id || form.get("client_secret") !== client.secret)
			return [200, { error: "incorrect_client_credentials",
				error_description: "The client_id and/or client_secret passed are incorrect." }];
		if (script.error || !isProven(script, form))
			return [200, { error: script.error ?? "bad_verification_code",
				error_description: "The code passed is incorrect or expired." }];
		return [200, { access_token: form.get("code"), scope: "read:user,user:email", token_type: "bearer" }];
	},

	"GET /github-api/user": (request) => [200, github(request).user],
	"GET /github-api/user/emails?per_page=100": (request) => [200, github(request).emails],
};

// GitHub refuses who does not say what it is (REST API, "Getting started").
function github({ headers }) {
	assert.ok(headers["user-agent"]);
	assert.equal(headers.accept, "application/vnd.github+json");
	return decode(headers.authorization.replace("Bearer ", ""));
}

createServer((request, response) => {
	let body = "";
	request.on("data", (piece) => (body += piece));
	request.on("end", () => {
		let status = 404, reply = {};
		try {
			const page = pages[`${request.method} ${request.url}`];
			if (page) [status, reply] = page({ headers: request.headers, form: new URLSearchParams(body) });
		} catch (error) {
			[status, reply] = [500, { error: String(error) }];
			console.error(error);
		}
		response.writeHead(status, { "Content-Type": "application/json" });
		response.end(JSON.stringify(reply));
	});
}).listen(Number(process.argv[2]), "127.0.0.1");
