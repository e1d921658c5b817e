// Webhooks before the verifier that their consumers use: standardwebhooks from npm. Signs up, makes a webhook
// of a receiver here, and lets things happen. Prints a line a test and, last, "N passed, N failed".
//
//     NODE_EXTRA_CA_CERTS=… ZYGO_TEST_URL=… node webhooks.mjs

import assert from "node:assert/strict";
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

// -- the receiver ---------------------------------------------------------------------------------------

const received = [];
const waiting = [];
const receiver = createServer(async (request, response) => {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	response.end("ok");
	received.push({ headers: request.headers, body: Buffer.concat(chunks) });
	waiting.shift()?.();
});
receiver.listen(0, "127.0.0.1");
await once(receiver, "listening");

// The n-th of all, from 0.
async function nth(n) {
	while (received.length <= n) await new Promise((resolve) => waiting.push(resolve));
	return received[n];
}

// -- the API --------------------------------------------------------------------------------------------

const api = process.env.ZYGO_TEST_URL;
let token;

async function ask(method, path, body) {
	const response = await fetch(api + path, {
		method,
		headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
		body: body && JSON.stringify(body),
	});
	const answer = await response.json();
	assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
	return answer;
}

const word = `w${process.pid}x${Date.now()}`;
const makeProject = (n) => ask("POST", "/api/v1/projects", { slug: `${word}-${n}`, name: "Blau für Änderungen" });

// -- tests ----------------------------------------------------------------------------------------------

let passed = 0;
let failed = 0;
async function test(name, run) {
	try {
		await run();
		passed++;
		console.log(`ok ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${name}: ${error.stack}`);
	}
}

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

let webhook;
let secret;
await test("what is sent is verified by the library of Standard Webhooks", async () => {
	const person = { email: `${word}@example.com`, password: "correct horse battery 9", tenantName: word };
	token = (await ask("POST", "/api/auth/signup", person)).accessToken;
	webhook = await ask("POST", "/api/v1/webhooks", {
		url: `http://127.0.0.1:${receiver.address().port}/`,
		eventTypes: ["project.*"],
	});
	secret = webhook.secret;
	const project = await makeProject(1);
	const { headers, body } = await nth(0);
	const message = new Webhook(secret).verify(body, headers);
	assert.equal(message.type, "project.created");
	assert.equal(message.subjectId, project.id);
	assert.equal(message.id, headers["webhook-id"]);
	assert.equal(message.data.after.name, "Blau für Änderungen");
	assert.ok(isGenuine(secret, headers, body));
});

await test("a changed body and another secret are not", async () => {
	const { headers, body } = await nth(0);
	const other = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
	assert.throws(() => new Webhook(secret).verify(`${body} `, headers));
	assert.throws(() => new Webhook(other).verify(body, headers));
	assert.ok(!isGenuine(other, headers, body));
});

await test("during a rotation both secrets verify", async () => {
	const rotated = await ask("POST", `/api/v1/webhooks/${webhook.id}/rotate-secret`, {});
	assert.notEqual(rotated.secret, secret);
	await makeProject(2);
	const { headers, body } = await nth(1);
	for (const each of [secret, rotated.secret]) {
		new Webhook(each).verify(body, headers);
		assert.ok(isGenuine(each, headers, body));
	}
});

receiver.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
