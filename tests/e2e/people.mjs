// What people do with their accounts, each in a browser of their own, with the mails that are sent to them: sign-up and verification,
// an invitation into a second tenant, one's sessions elsewhere. Prints a line a test and, last, "N passed, N failed".

import assert from "node:assert/strict";
import { call, openBrowser } from "./chromium.mjs";
import { home, password, runTests, tokenTo, word } from "./site.mjs";

// Somebody at a page of the API's own origin, in a browser of theirs.
async function person(name) {
	const browser = await openBrowser();
	const page = await browser.newPage();

	// What the API itself serves may ask for nothing; a dashboard beside it may.
	await (await browser.newCDPSession(page)).send("Page.setBypassCSP", { enabled: true });
	await page.goto(`${home}/health`);
	return {
		email: `${name}-${word}@example.com`, password, firstName: name,
		ask: (method, path, body) => call(page, home, method, path, body),
		close: () => browser.close(),
	};
}

const logIn = (who, { email, password }) => who.ask("POST", "/api/auth/login", { email, password });

const tests = {
	"somebody signs up and verifies the email": async ({ carol, dan }) => {
		for (const { ask, email, password, firstName } of [carol, dan]) {
			assert.equal((await ask("POST", "/api/auth/signup", { email, password, firstName })).status, 201);
			assert.equal((await ask("GET", "/api/auth/me")).body.user.emailVerified, false);
			const token = await tokenTo(email, "/verify-email");
			assert.equal((await ask("POST", "/api/auth/email/verify", { token })).status, 204);
			assert.equal((await ask("GET", "/api/auth/me")).body.user.emailVerified, true);
			assert.equal((await ask("POST", "/api/auth/email/verify", { token })).status, 401, "a link is good once");
		}
	},

	"is invited into a second tenant and works in either": async ({ carol, dan }) => {
		const invited = await dan.ask("POST", "/api/admin/users", { email: carol.email, roles: ["member"] });
		assert.equal(invited.status, 201);
		const token = await tokenTo(carol.email, "/invitation");
		assert.equal((await dan.ask("POST", `/api/auth/invitations/${token}/join`)).status, 403, "it is not for dan");
		const joined = await carol.ask("POST", `/api/auth/invitations/${token}/join`);
		assert.equal(joined.status, 200, JSON.stringify(joined.body));

		const tenants = (await carol.ask("GET", "/api/auth/me/tenants")).body.data;
		assert.equal(tenants.length, 2);
		const [own] = tenants.filter((tenant) => tenant.name === "carol's team");
		const [other] = tenants.filter((tenant) => tenant.name === "dan's team");
		for (const { tenant, users } of [{ tenant: other, users: 2 }, { tenant: own, users: 1 }]) {
			assert.equal((await carol.ask("POST", "/api/auth/switch-tenant", { tenantId: tenant.id })).status, 200);
			assert.equal((await carol.ask("GET", "/api/admin/users")).body.pagination.total, users);
			assert.equal((await carol.ask("GET", "/api/admin/tenant")).body.name, tenant.name);
		}
	},

	"ends a session from another browser": async ({ carol, dan }) => {
		assert.equal((await dan.ask("POST", "/api/auth/logout")).status, 204);
		assert.equal((await logIn(dan, carol)).status, 200); // carol, at dan's
		assert.equal((await dan.ask("GET", "/api/auth/me")).body.user.email, carol.email);

		const sessions = (await carol.ask("GET", "/api/auth/sessions")).body.data;
		assert.equal(sessions.length, 2);
		const [elsewhere] = sessions.filter((session) => !session.isCurrent);
		assert.match(elsewhere.device, /Chrom/);
		assert.equal((await carol.ask("DELETE", `/api/auth/sessions/${elsewhere.id}`)).status, 204);
		assert.equal((await dan.ask("GET", "/api/auth/me")).status, 401);
		assert.equal((await dan.ask("GET", "/api/admin/users")).status, 401);
		assert.equal((await carol.ask("GET", "/api/auth/me")).status, 200);
	},
};

const carol = await person("carol");
const dan = await person("dan");
try {
	await runTests(tests, { carol, dan });
} finally {
	await carol.close();
	await dan.close();
}
