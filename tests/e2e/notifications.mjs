// Somebody is invited to a tenant and joins; its owner hears of it live, by the API and by mail, reads it, and
// ends such mails with one click. Prints a line a step and, last, "N passed, N failed".
//
//     ZYGO_TEST_DIR=… ZYGO_TEST_URL=… node notifications.mjs

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const dir = process.env.ZYGO_TEST_DIR;
const api = process.env.ZYGO_TEST_URL;
const agent = new Agent({ ca: readFileSync(join(dir, "tls/ca.pem")) });
const password = "a long and unusual passphrase";
const run = `${process.pid}-${Date.now()}`;
const owner = { email: `owner-${run}@example.com` };
const bob = { email: `bob-${run}@example.com` };

// -- asking ---------------------------------------------------------------------------------------------

// { status, body } of a request, with the owner's token once there is one.
async function call(method, path, body, type = "application/json") {
	const sent = request(new URL(path, api), {
		method,
		agent,
		headers: {
			...(body && { "Content-Type": type }),
			...(owner.token && { Authorization: `Bearer ${owner.token}` }),
		},
	});
	sent.end(typeof body === "object" ? JSON.stringify(body) : body);
	const [answer] = await once(sent, "response");
	const chunks = await answer.setEncoding("utf8").toArray();
	const text = chunks.join("");
	return { status: answer.statusCode, body: text.startsWith("{") ? JSON.parse(text) : text };
}

// The newest mail to that address about that, waited for.
async function mailTo({ email }, about) {
	for (const end = Date.now() + 180_000; Date.now() < end; await sleep(50)) {
		const found = readdirSync(join(dir, "mail")).sort().reverse()
			.filter((name) => name.startsWith(`${email}.`) && name.endsWith(".eml"))
			.map((name) => readFileSync(join(dir, "mail", name), "utf8"))
			.find((mail) => mail.includes(about));
		if (found) return found;
	}
	assert.fail(`no mail to ${email} about ${about}`);
}

const tokenOf = (mail) => mail.match(/#token=([\w-]+)/)[1];

// -- a WebSocket, as far as texts of it go (RFC 6455 section 5) ------------------------------------------

async function connect(token) {
	const sent = request(new URL(`/ws?token=${token}`, api), {
		agent: new Agent({ ca: agent.options.ca }),
		headers: {
			Connection: "Upgrade",
			Upgrade: "websocket",
			"Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": randomBytes(16).toString("base64"),
		},
	});
	sent.end();
	const [, socket, head] = await once(sent, "upgrade");
	const ws = { socket, bytes: head };
	socket.on("data", (more) => (ws.bytes = Buffer.concat([ws.bytes, more]))); // also while nobody waits for it
	return ws;
}

function send({ socket }, message) {
	const text = Buffer.from(JSON.stringify(message));
	assert.ok(text.length < 126);
	socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text])); // masked by zeros
}

// The next message; whoever waits longer than three minutes has failed.
async function next(ws) {
	for (;;) {
		const long = (ws.bytes[1] & 0x7f) === 126;
		const from = long ? 4 : 2;
		const length = long ? ws.bytes.length >= 4 && ws.bytes.readUInt16BE(2) : ws.bytes[1] & 0x7f;
		if (ws.bytes.length >= from && ws.bytes.length >= from + length) {
			const opcode = ws.bytes[0] & 0x0f;
			const text = ws.bytes.subarray(from, from + length).toString();
			ws.bytes = ws.bytes.subarray(from + length);
			if (opcode === 1) return JSON.parse(text);
			assert.notEqual(opcode, 8, "the server has closed");
			continue;
		}
		await once(ws.socket, "data", { signal: AbortSignal.timeout(180_000) });
	}
}

// -- steps ------------------------------------------------------------------------------------------------

let passed = 0;
let failed = 0;
async function step(name, run) {
	try {
		if (!failed) await run(); // each stands on the one before
		console.log(`${failed ? "not ok" : "ok"} - ${name}`);
		failed ? failed++ : passed++;
	} catch (error) {
		console.log(`not ok - ${name}: ${error.stack}`);
		failed++;
	}
}

let ws;
let told;
let unsubscribe;

await step("an owner signs up, verifies the email and listens", async () => {
	const { status, body } = await call("POST", "/api/auth/signup", { email: owner.email, password, tenantName: "Acme" });
	assert.equal(status, 201);
	const token = tokenOf(await mailTo(owner, "#token="));
	assert.equal((await call("POST", "/api/auth/email/verify", { token })).status, 204);
	owner.token = body.accessToken;
	owner.userId = body.user.userId;

	ws = await connect(owner.token);
	assert.equal((await next(ws)).type, "connected");
	send(ws, { type: "subscribe", room: `user:${owner.userId}` });
	assert.equal((await next(ws)).type, "subscribed");
});

await step("somebody is invited and joins", async () => {
	assert.equal((await call("POST", "/api/v1/users", { email: bob.email, roles: ["member"] })).status, 201);
	const token = tokenOf(await mailTo(bob, "#token="));
	const path = `/api/auth/invitations/${token}/accept`;
	assert.equal((await call("POST", path, { password, firstName: "Bob" })).status, 200);
});

await step("the owner hears of it live", async () => {
	const { event, data } = await next(ws);
	assert.equal(event, "notification.created");
	assert.equal(data.notification.kind, "invitation.accepted");
	assert.equal(data.notification.title, "Bob has joined Acme");
	assert.equal(data.unread, 1);
	told = data.notification;
});

await step("finds it in the list", async () => {
	const { body } = await call("GET", "/api/v1/notifications?unread=true");
	assert.deepEqual(body.data, [told]);
});

await step("gets it by mail", async () => {
	const mail = await mailTo(owner, "Bob has joined Acme");
	assert.match(mail, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
	unsubscribe = mail.match(/^List-Unsubscribe: <https:\/\/[^/]+(\/[^>]+)>\r$/m)[1];
});

await step("reads it, and other pages hear of that", async () => {
	assert.equal((await call("POST", `/api/v1/notifications/${told.id}/read`)).status, 200);
	const { event, data } = await next(ws);
	assert.deepEqual({ event, data }, { event: "notification.unread", data: { unread: 0 } });
});

await step("ends such mails with one click", async () => {
	const { status } = await call("POST", unsubscribe, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded");
	assert.equal(status, 200);
	const { body } = await call("GET", "/api/v1/notifications/preferences");
	assert.equal(body.data.find(({ kind }) => kind === "invitation.accepted").email, "off");
});

ws?.socket.destroy();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
