// One change, made through the API, is one event: in the audit, in a webhook that the library of Standard Webhooks verifies, on a page in a
// browser, in a notification and in a mail. Prints a line a test and, last, "N passed, N failed".

import assert from "node:assert/strict";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { openBrowser } from "./chromium.mjs";
import { ask, dir, home, mailTo, openReceiver, password, runTests, tokenTo, until, word } from "./site.mjs";

const ann = { email: `everywhere-${word}@example.com`, password, tenantName: "Acme" };
const receiver = await openReceiver();
const browser = await openBrowser();
const page = await browser.newPage();

// From before to after the change: everything that may be told of it is there to hear it.
async function change() {
	const { accessToken: token } = await ask("POST", "/api/auth/signup", ann);
	await ask("POST", "/api/auth/email/verify", { token: await tokenTo(ann.email, "/verify-email") });
	const { secret } = await ask("POST", "/api/v1/webhooks", { url: receiver.url, eventTypes: ["apiKey.*"] }, token);

	await page.goto(`${home}/example/realtime.html`);
	await page.fill("input[name=email]", ann.email);
	await page.fill("input[name=password]", ann.password);
	await page.click("text=Log in");
	await page.locator("#present", { hasText: "Here: 1" }).waitFor();

	const key = await ask("POST", "/api/v1/api-keys", { name: `Deploy ${word}`, scopes: ["canViewUsers"] }, token);
	const { data } = await ask("GET", `/api/v1/audit?type=apiKey.created`, null, token);
	return { token, secret, key, event: data.find(({ subjectId }) => subjectId === key.id) };
}

const tests = {
	"the audit has it": async ({ event }) => {
		assert.equal(event.type, "apiKey.created");
	},

	"a webhook is sent it": async ({ secret, event }) => {
		const { headers, body } = await until("a webhook", () => receiver.got[0]);
		const message = new Webhook(secret).verify(body, headers);
		assert.equal(message.id, event.id);
		assert.equal(message.type, event.type);
		assert.equal(message.subjectId, event.subjectId);
	},

	"a page in a browser shows it": async ({ key }) => {
		await page.locator("#events li", { hasText: "apiKey.created" }).filter({ hasText: key.hint }).waitFor();
		await page.locator("#events li", { hasText: "notification.created" }).waitFor();
		await page.screenshot({ path: join(dir, "everywhere.png") });
	},

	"its user has a notification of it": async ({ token, event }) => {
		const [told] = await until("a notification", async () => {
			const { data } = await ask("GET", "/api/v1/notifications", null, token);
			return data.length > 0 && data;
		});
		assert.equal(told.eventId, event.id);
	},

	"and a mail": async () => {
		assert.match(await mailTo(ann.email, `Deploy ${word}`), /^Subject: An API key was made in your name\r$/m);
	},
};

try {
	await runTests(tests, await change());
} finally {
	await browser.close();
	receiver.close();
}
