// What these tests have in common: the site that scripts/test has started, somebody who asks its API, their mails, a receiver of
// webhooks, and how a run is told.
//
// ZYGO_TEST_DIR is the site's folder, ZYGO_TEST_URL its address; NODE_EXTRA_CA_CERTS lets Node believe its certificate.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const dir = process.env.ZYGO_TEST_DIR;
export const home = `https://localhost:${new URL(process.env.ZYGO_TEST_URL).port}`; // a passkey's host is localhost
export const tls = { key: readFileSync(join(dir, "tls/key.pem")), cert: readFileSync(join(dir, "tls/cert.pem")) };
export const patience = 180_000; // ms, of a machine that may stand still for a while; what goes well costs nothing
export const word = `${process.pid}-${Date.now()}`; // in names that have to be new
export const password = "a long and unusual passphrase";

// A second Zygo with settings of its own: secondSite("start", name, "SETTING=value", …) is its URL; secondSite("stop", name).
export const secondSite = (...args) =>
	execFileSync(fileURLToPath(new URL("../support/second-site", import.meta.url)), [dir, ...args], { encoding: "utf8" }).trim();

// Listens on a port of loopback; its number.
export async function listen(server) {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return server.address().port;
}

// An HTTPS server of a page that does nothing by itself, in which tests run their scripts; or of whatever handle does.
export async function servePage(handle = (request, response) => {
	response.setHeader("Content-Type", "text/html; charset=utf-8");
	response.end("<!doctype html><title>A dashboard</title><h1>A dashboard</h1>");
}) {
	const server = createTlsServer(tls, handle);
	return { server, origin: `https://localhost:${await listen(server)}` };
}

// Asks as who has that access token, if any: { status, body }.
export async function send(method, path, body, token) {
	const answer = await fetch(home + path, {
		method,
		headers: {
			...(body && !(body instanceof URLSearchParams) && { "Content-Type": "application/json" }),
			...(token && { Authorization: `Bearer ${token}` }),
		},
		body: body && !(body instanceof URLSearchParams) ? JSON.stringify(body) : body,
		signal: AbortSignal.timeout(patience),
	});
	const text = await answer.text();
	return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

// The same for what has to succeed: the reply's body.
export async function ask(method, path, body, token) {
	const answer = await send(method, path, body, token);
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
	return answer.body;
}

// What find() finds, as soon as it finds anything.
export async function until(what, find) {
	for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
		const found = await find();
		if (found) return found;
	}
	assert.fail(`waited in vain for ${what}`);
}

// The newest mail to an address that says this.
export const mailTo = (email, about) =>
	until(`a mail to ${email} that says ${about}`, () =>
		readdirSync(join(dir, "mail")).sort().reverse()
			.filter((name) => name.startsWith(`${email}.`) && name.endsWith(".eml"))
			.map((name) => readFileSync(join(dir, "mail", name), "utf8"))
			.find((mail) => mail.includes(about)));

// The token of the newest mail to an address that leads to this page of the dashboard.
export const tokenTo = async (email, page) => (await mailTo(email, `${page}#token=`)).split(`${page}#token=`)[1].match(/^[\w-]+/)[0];

// A receiver of webhooks: its url, and got, what came so far.
export async function openReceiver() {
	const got = [];
	const server = createServer(async (request, response) => {
		const body = Buffer.concat(await request.toArray());
		response.end("ok");
		got.push({ headers: request.headers, body });
	});
	const port = await listen(server);
	return { url: `http://127.0.0.1:${port}/`, got, close: () => server.close() };
}

// Runs all of { name: async (given) => … }, in order; prints a line each and, last, "N passed, N failed".
export async function runTests(tests, given) {
	let failed = 0;

	for (const [name, test] of Object.entries(tests)) {
		try {
			await test(given);
			console.log(`ok ${name}`);
		} catch (error) {
			failed++;
			console.log(`not ok ${name}: ${error.stack}`);
		}
	}
	console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
	process.exitCode = failed > 0 ? 1 : 0;
}
