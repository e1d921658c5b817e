// Webhooks before the verifier that their consumers use: standardwebhooks from npm. Signs up, makes a webhook
// of a receiver here, and lets things happen. Prints a line a test and, last, "N passed, N failed".

import assert from "node:assert/strict";
import { createHmac, timingSafeEqual } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { ask, openReceiver, password, runTests, until, word } from "./site.mjs";

const receiver = await openReceiver();
const nth = (n) => until(`delivery ${n}`, () => receiver.got[n]); // of all, from 0

// As docs/webhooks.md says it, for whoever has no library.
function isGenuine(secret, headers, body) {
	const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures } = headers;
	if (Math.abs(Date.now() / 1000 - Number(at)) > 300) return false;
	const key = Buffer.from(secret.slice("whsec_".length), "base64");
	const wanted = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest();
	return signatures.split(" ").some((signature) => {
		const given = Buffer.from(signature.replace(/^v1,/, ""), "base64");
		return given.length === wanted.length && timingSafeEqual(given, wanted);
	});
}

let token;
let webhook;
const makeProject = (n) =>
	ask("POST", "/api/v1/projects", { slug: `p${word}-${n}`, name: "Blau für Änderungen" }, token);

await runTests({
	"what is sent is verified by the library of Standard Webhooks": async () => {
		const person = { email: `webhooks-${word}@example.com`, password, tenantName: word };
		token = (await ask("POST", "/api/auth/signup", person)).accessToken;
		webhook = await ask("POST", "/api/v1/webhooks", { url: receiver.url, eventTypes: ["project.*"] }, token);
		const project = await makeProject(1);
		const { headers, body } = await nth(0);
		const message = new Webhook(webhook.secret).verify(body, headers);
		assert.equal(message.type, "project.created");
		assert.equal(message.subjectId, project.id);
		assert.equal(message.id, headers["webhook-id"]);
		assert.equal(message.data.after.name, "Blau für Änderungen");
		assert.ok(isGenuine(webhook.secret, headers, body));
	},

	"a changed body and another secret are not": async () => {
		const { headers, body } = await nth(0);
		const other = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
		assert.throws(() => new Webhook(webhook.secret).verify(`${body} `, headers));
		assert.throws(() => new Webhook(other).verify(body, headers));
		assert.ok(!isGenuine(other, headers, body));
	},

	"during a rotation both secrets verify": async () => {
		const rotated = await ask("POST", `/api/v1/webhooks/${webhook.id}/rotate-secret`, {}, token);
		assert.notEqual(rotated.secret, webhook.secret);
		await makeProject(2);
		const { headers, body } = await nth(1);
		for (const secret of [webhook.secret, rotated.secret]) {
			new Webhook(secret).verify(body, headers);
			assert.ok(isGenuine(secret, headers, body));
		}
	},
});
receiver.close();
