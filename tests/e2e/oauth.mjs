// Logging in through a real OpenID provider (oidc-provider, from npm), in a real browser, with its forms for
// log-in and consent. What no real provider does is in tests/integration/identity_oauth_provider.c.
//
// The API is a second site, behind a proxy of this test: so its address is known before it starts.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Agent, request as ask } from "node:https";
import Provider from "oidc-provider";
import { call, openBrowser } from "./chromium.mjs";
import { listen, runTests, secondSite, servePage, word } from "./site.mjs";

const secret = "a secret of forty characters, as they are";

// -- the servers --------------------------------------------------------------------------------------

const agent = new Agent({ rejectUnauthorized: false }); // between this test and its own site
let hold; // is given the next callback's path, which goes no further
const passOn = (request, response) => {
	const { method, headers, url: path } = request;
	if (hold && path.includes("/callback?")) {
		hold(path);
		hold = null;
		response.writeHead(204).end(); // the browser stays where it is
		return;
	}
	const on = ask(target + path, { method, headers, agent }, (answer) => {
		response.writeHead(answer.statusCode, answer.headers);
		answer.pipe(response);
	});
	on.on("error", () => response.destroy());
	request.pipe(on);
};

// People are called as they log in; their email is verified.
function makeProvider(issuer, api) {
	return new Provider(issuer, {
		clients: [{
			client_id: "zygo", client_secret: secret, response_types: ["code"], grant_types: ["authorization_code"],
			redirect_uris: [`${api}/api/auth/oauth/oidc/callback`],
		}],
		claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name", "family_name"] },
		findAccount: (ctx, accountId) => ({
			accountId,
			claims: () => ({ sub: accountId, email: `${accountId}@example.com`, email_verified: true, given_name: "Ann" }),
		}),
		pkce: { required: () => true },
		cookies: { keys: ["one of the test's"] },
	});
}

// -- what a person does -------------------------------------------------------------------------------

const open = (page, url) => page.goto(url, { waitUntil: "commit" });
const name = `ann-${word}`;

async function logInThere(page, who) {
	await page.locator("input[name=login]").fill(who);
	await page.locator("input[name=password]").fill("any");
	await page.locator("button[type=submit]").click({ noWaitAfter: true });
	await page.locator("input[name=prompt][value=consent]").waitFor({ state: "attached" });
}
const consent = (page) => page.locator("button[type=submit]").click({ noWaitAfter: true });

const me = (page) => call(page, api, "GET", "/api/auth/me");

const tests = {
	"a person logs in there, consents, and is in the dashboard": async ({ page }) => {
		await open(page, `${api}/api/auth/oauth/oidc?redirect=/projects?new=1`);
		await logInThere(page, name);
		await consent(page);
		await page.waitForURL(`${app}/projects?new=1`);
		const { status, body } = await me(page);
		assert.equal(status, 200);
		const { user } = body;
		assert.equal(user.email, `${name}@example.com`);
		assert.equal(user.firstName, "Ann");
		assert.ok(user.emailVerified);
		assert.equal(user.role, "owner");
	},

	"by the cookie that a log-in sets": async ({ browser }) => {
		const cookie = (await browser.cookies(api)).find((one) => one.name === "__Host-zygo_session");
		assert.ok(cookie.secure && cookie.httpOnly);
		assert.equal(cookie.sameSite, "Lax");
	},

	"again it is the same account, and nothing is asked": async ({ page }) => {
		const { user } = (await me(page)).body;
		assert.equal((await call(page, api, "POST", "/api/auth/logout")).status, 204);
		assert.equal((await me(page)).status, 401);
		await open(page, `${api}/api/auth/oauth/oidc`);
		await page.waitForURL(`${app}/`);
		assert.equal((await me(page)).body.user.id, user.id);
	},

	"who does not consent is told so by the dashboard": async ({ browser, page }) => {
		await browser.clearCookies();
		await open(page, `${api}/api/auth/oauth/oidc`);
		await logInThere(page, `${name}-2`);
		await page.locator("a[href$=abort]").click({ noWaitAfter: true });
		await page.waitForURL(`${app}/auth/callback?error=AUTH_FORBIDDEN&requestId=*`);
		assert.equal((await me(page)).status, 401);
	},

	"a code that the provider knows no more logs nobody in": async ({ browser, page }) => {
		const held = new Promise((resolve) => (hold = resolve));
		await browser.clearCookies();
		await open(page, `${api}/api/auth/oauth/oidc`);
		await logInThere(page, name);
		await consent(page);
		const url = api + await held;

		const code = await provider.AuthorizationCode.find(new URL(url).searchParams.get("code"));
		await code.destroy();
		await open(page, url);
		await page.waitForURL(`${app}/auth/callback?error=AUTH_TOKEN_EXPIRED&requestId=*`);
		assert.equal((await me(page)).status, 401);
	},
};

// -- the run --------------------------------------------------------------------------------------------

let target;
const { server: dashboard, origin: app } = await servePage();
const { server: front, origin: api } = await servePage(passOn);
const issuing = createServer();
const issuer = `http://127.0.0.1:${await listen(issuing)}`;
const provider = makeProvider(issuer, api);
issuing.on("request", provider.callback());
const browser = await openBrowser();

try {
	target = secondSite("start", "oauth", `API_URL=${api}`, `APP_URL=${app}`, "OUTBOUND_ALLOW=127.0.0.1",
		`OAUTH_OIDC_ISSUER=${issuer}`, "OAUTH_OIDC_CLIENT_ID=zygo", `OAUTH_OIDC_CLIENT_SECRET=${secret}`);
	await runTests(tests, { browser, page: await browser.newPage() });
} finally {
	await browser.close();
	secondSite("stop", "oauth");
	for (const server of [dashboard, front, issuing]) {
		server.close();
		server.closeAllConnections();
	}
}
