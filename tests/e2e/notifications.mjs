// Somebody is invited to a tenant and joins; its owner hears of it live, by the API and by mail, reads it, and
// ends such mails with one click. Prints a line a test and, last, "N passed, N failed".

import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";
import { ask, home, mailTo, password, patience, runTests, send, tokenTo, word } from "./site.mjs";

const owner = { email: `owner-${word}@example.com` };
const bob = { email: `bob-${word}@example.com` };
let socket;
let told;
let unsubscribe;

// The next message.
const next = async () => JSON.parse((await once(socket, "message", { signal: AbortSignal.timeout(patience) }))[0]);

await runTests({
	"an owner signs up, verifies the email and listens": async () => {
		const signup = await ask("POST", "/api/auth/signup", { email: owner.email, password, tenantName: "Acme" });
		const token = await tokenTo(owner.email, "/verify-email");
		await ask("POST", "/api/auth/email/verify", { token });
		owner.token = signup.accessToken;

		socket = new WebSocket(`${home.replace("https", "wss")}/ws?token=${owner.token}`);
		assert.equal((await next()).type, "connected");
		socket.send(JSON.stringify({ type: "subscribe", room: `user:${signup.user.userId}` }));
		assert.equal((await next()).type, "subscribed");
	},

	"somebody is invited and joins, and the owner hears of it live": async () => {
		const heard = next();
		await ask("POST", "/api/v1/users", { email: bob.email, roles: ["member"] }, owner.token);
		const token = await tokenTo(bob.email, "/invitation");
		await ask("POST", `/api/auth/invitations/${token}/accept`, { password, firstName: "Bob" });

		const { event, data } = await heard;
		assert.equal(event, "notification.created");
		assert.equal(data.notification.kind, "invitation.accepted");
		assert.equal(data.notification.title, "Bob has joined Acme");
		assert.equal(data.unread, 1);
		told = data.notification;
	},

	"finds it in the list": async () => {
		const list = await ask("GET", "/api/v1/notifications?unread=true", null, owner.token);
		assert.deepEqual(list.data, [told]);
	},

	"gets it by mail": async () => {
		const mail = await mailTo(owner.email, "Bob has joined Acme");
		assert.match(mail, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
		unsubscribe = mail.match(/^List-Unsubscribe: <https:\/\/[^/]+(\/[^>]+)>\r$/m)[1];
	},

	"reads it, and other pages hear of that": async () => {
		const heard = next();
		await ask("POST", `/api/v1/notifications/${told.id}/read`, null, owner.token);
		const { event, data } = await heard;
		assert.deepEqual({ event, data }, { event: "notification.unread", data: { unread: 0 } });
	},

	"ends such mails with one click": async () => {
		const { status } = await send("POST", unsubscribe, new URLSearchParams("List-Unsubscribe=One-Click"));
		assert.equal(status, 200);
		const list = await ask("GET", "/api/v1/notifications/preferences", null, owner.token);
		assert.equal(list.data.find(({ kind }) => kind === "invitation.accepted").email, "off");
	},
});
socket?.terminate();
