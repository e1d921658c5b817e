// A dashboard in a real browser: signs up, logs in, works and logs out over HTTPS, with cookies and CORS;
// a page of another origin gets nothing; /api/docs shows the API. Prints a line a test and, last,
// "N passed, N failed".
//
// The pages are served here, on localhost but other ports than the API: same site, other origins, so that
// the session's cookie (SameSite=Lax) is sent and CORS decides. The API is a second site whose CORS_ORIGINS
// names one of the two pages. The browser trusts this one certificate and no other. Passkeys are tried on the
// first site (home), which knows its own address: they are for its host, and take answers of its pages.

import assert from "node:assert/strict";
import { join } from "node:path";
import { call, openBrowser } from "./chromium.mjs";
import { dir, home, password, runTests, secondSite, servePage, word } from "./site.mjs";

// -- what a dashboard does ------------------------------------------------------------------------------

const ann = {
	email: `ann-${word}@example.com`,
	password,
	firstName: "Ann",
	tenantName: "Acme",
};

// A device with a screen lock, as Chromium plays it for tests; the page is the API's own, whose host the
// passkeys are for.
async function openWithDevice(browser, api) {
	const page = await browser.newPage();
	const cdp = await browser.newCDPSession(page);
	await cdp.send("Page.setBypassCSP", { enabled: true });
	await page.goto(`${api}/health`);
	await cdp.send("WebAuthn.enable");
	const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
		options: {
			protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
			isUserVerified: true, automaticPresenceSimulation: true,
		},
	});
	const lock = (isUserVerified) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
	return { page, lock };
}

// What a dashboard does with options and answers; a browser older than toJSON() writes them by hand.
const ceremony = (page, kind, options) =>
	page.evaluate(async ([kind, options]) => {
		const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
		const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
			.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
		const known = (list) => list.map((one) => ({ ...one, id: bytes(one.id) }));
		const publicKey = { ...options, challenge: bytes(options.challenge) };
		if (kind === "create") {
			publicKey.user = { ...options.user, id: bytes(options.user.id) };
			publicKey.excludeCredentials = known(options.excludeCredentials);
		} else {
			publicKey.allowCredentials = known(options.allowCredentials);
		}
		try {
			const made = await navigator.credentials[kind]({ publicKey });
			if (made.toJSON)
				return made.toJSON();
			const response = { clientDataJSON: text(made.response.clientDataJSON) };
			for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
				if (made.response[part])
					response[part] = text(made.response[part]);
			return { id: made.id, rawId: made.id, type: made.type, response };
		} catch (error) {
			return { refused: error.name };
		}
	}, [kind, options]);

// From options to answer: what the API says to the second.
async function withPasskey(page, api, path, asked, said = {}) {
	const { body: options } = await call(page, api, "POST", `/api/auth/passkeys/${path}/options`, asked);
	const credential = await ceremony(page, path === "register" ? "create" : "get", options);
	if (credential.refused)
		return credential;
	return call(page, api, "POST", `/api/auth/passkeys/${path}`, { ...said, credential });
}

const bob = { email: `bob-${word}@example.com`, password: "another unusual passphrase" };
let device; // openWithDevice()'s

const tests = {
	"a dashboard signs up": async ({ dashboard, api }) => {
		const { status, body } = await call(dashboard, api, "POST", "/api/auth/signup", ann);
		assert.equal(status, 201);
		assert.equal(body.user.email, ann.email);
		assert.ok(body.accessToken);
	},

	"and out again": async ({ dashboard, api }) => {
		assert.equal((await call(dashboard, api, "POST", "/api/auth/logout")).status, 204);
		const { status, body } = await call(dashboard, api, "GET", "/api/auth/me");
		assert.equal(status, 401);
		assert.equal(body.error, "AUTH_UNAUTHORIZED");
	},

	"a wrong password logs nobody in": async ({ dashboard, api }) => {
		const wrong = { email: ann.email, password: "not the passphrase" };
		const { status, body } = await call(dashboard, api, "POST", "/api/auth/login", wrong);
		assert.equal(status, 401);
		assert.equal(body.message, "Invalid email or password");
		assert.equal((await call(dashboard, api, "GET", "/api/auth/me")).status, 401);
	},

	"the right one does, by a cookie": async ({ dashboard, api }) => {
		const { email, password } = ann;
		assert.equal((await call(dashboard, api, "POST", "/api/auth/login", { email, password })).status, 200);
		const { status, requestId } = await call(dashboard, api, "GET", "/api/auth/me");
		assert.equal(status, 200);
		assert.ok(requestId, "CORS lets the page read X-Request-Id");
	},

	"the cookie is the browser's alone": async ({ browser, dashboard, api }) => {
		const [cookie, ...others] = await browser.cookies(api);
		assert.deepEqual(others, []);
		assert.equal(cookie.name, "__Host-zygo_session");
		assert.equal(cookie.path, "/");
		assert.ok(cookie.secure && cookie.httpOnly);
		assert.equal(cookie.sameSite, "Lax");
		assert.equal(await dashboard.evaluate(() => document.cookie), "");
	},

	"the session outlives the page": async ({ dashboard, api }) => {
		await dashboard.reload();
		assert.equal((await call(dashboard, api, "GET", "/api/auth/me")).status, 200);
	},

	"users are listed": async ({ dashboard, api }) => {
		const { status, body } = await call(dashboard, api, "GET", "/api/admin/users?limit=10");
		assert.equal(status, 200);
		assert.equal(body.pagination.total, 1);
		assert.equal(body.data[0].email, ann.email);
		assert.deepEqual(body.data[0].roles, ["owner"]);
	},

	"a project is created, changed and found": async ({ dashboard, api }) => {
		const blue = { slug: "blue", name: "Blue" };
		const { status, body, location } = await call(dashboard, api, "POST", "/api/admin/projects", blue);
		assert.equal(status, 201);
		assert.equal(location, `/api/admin/projects/${body.id}`);
		const change = await call(dashboard, api, "PATCH", location, { name: "Navy" });
		assert.equal(change.status, 200, "a PATCH passes its preflight");
		const list = await call(dashboard, api, "GET", "/api/admin/projects?search=navy");
		assert.deepEqual(list.body.data.map(({ id }) => id), [body.id]);
	},

	"a mistake is told field by field": async ({ dashboard, api }) => {
		const { status, body } = await call(dashboard, api, "POST", "/api/admin/projects", { slug: "No Slug" });
		assert.equal(status, 400);
		assert.deepEqual(body.details.issues.map(({ path }) => path).sort(), ["name", "slug"]);
	},

	"a page of another origin reads nothing": async ({ stranger, api }) => {
		const { refused } = await call(stranger, api, "GET", "/api/admin/users");
		assert.match(refused ?? "it was let in", /Failed to fetch/);
	},

	"nor changes anything": async ({ stranger, dashboard, api }) => {
		const red = { slug: "red", name: "Red" };
		const { refused } = await call(stranger, api, "POST", "/api/admin/projects", red);
		assert.match(refused ?? "it was let in", /Failed to fetch/);
		const { body } = await call(dashboard, api, "GET", "/api/admin/projects");
		assert.equal(body.pagination.total, 1);
	},

	// A form asks nobody before it is sent, cookie and all: the Origin alone gives it away.
	"nor by a form": async ({ stranger, dashboard, api }) => {
		const answer = stranger.waitForResponse((response) => response.url().endsWith("/api/auth/logout-all"));
		await stranger.evaluate((url) => {
			const form = document.createElement("form");
			form.method = "post";
			form.action = url;
			document.body.append(form);
			form.submit();
		}, `${api}/api/auth/logout-all`);
		assert.equal((await answer).status(), 403);
		assert.equal((await call(dashboard, api, "GET", "/api/auth/me")).status, 200);
	},

	"a log-out ends it": async ({ browser, dashboard, api }) => {
		assert.equal((await call(dashboard, api, "POST", "/api/auth/logout")).status, 204);
		assert.deepEqual(await browser.cookies(api), [], "the browser has thrown the cookie away");
		assert.equal((await call(dashboard, api, "GET", "/api/admin/users")).status, 401);
	},

	"a passkey is registered": async ({ browser, home: api }) => {
		device = await openWithDevice(browser, api);
		assert.equal((await call(device.page, api, "POST", "/api/auth/signup", bob)).status, 201);
		const { status, body } = await withPasskey(device.page, api, "register", {}, { name: "Bob's phone" });
		assert.equal(status, 201, JSON.stringify(body));
		const list = await call(device.page, api, "GET", "/api/auth/passkeys");
		assert.deepEqual(list.body.data.map(({ name }) => name), ["Bob's phone"]);
		assert.ok((await call(device.page, api, "GET", "/api/auth/me")).body.user.mfaEnabled);
	},

	"a device is registered once": async ({ home: api }) => {
		assert.equal((await withPasskey(device.page, api, "register", {})).refused, "InvalidStateError");
	},

	"the password alone does not log in any more": async ({ home: api }) => {
		await call(device.page, api, "POST", "/api/auth/logout");
		const { email, password } = bob;
		const { body } = await call(device.page, api, "POST", "/api/auth/login", { email, password });
		assert.ok(body.mfaRequired);
		assert.deepEqual(body.methods, ["passkey"]);
		assert.equal((await call(device.page, api, "GET", "/api/auth/me")).status, 401);
		const { status } = await withPasskey(device.page, api, "login", { mfaToken: body.mfaToken },
			{ mfaToken: body.mfaToken });
		assert.equal(status, 200);
		assert.equal((await call(device.page, api, "GET", "/api/auth/me")).body.user.email, email);
	},

	"a passkey alone does": async ({ home: api }) => {
		await call(device.page, api, "POST", "/api/auth/logout");
		const { status, body } = await withPasskey(device.page, api, "login", {});
		assert.equal(status, 200, JSON.stringify(body));
		assert.equal(body.user.email, bob.email);
		assert.equal((await call(device.page, api, "GET", "/api/auth/me")).status, 200);
	},

	"not of a device that does not know its person": async ({ home: api }) => {
		await device.lock(false);
		const { refused } = await withPasskey(device.page, api, "login", {});
		assert.equal(refused, "NotAllowedError");
		await device.lock(true);
	},

	"an answer is good once": async ({ home: api }) => {
		const { page } = device;
		const { body: options } = await call(page, api, "POST", "/api/auth/passkeys/login/options", {});
		const credential = await ceremony(page, "get", options);
		assert.equal((await call(page, api, "POST", "/api/auth/passkeys/login", { credential })).status, 200);
		const again = await call(page, api, "POST", "/api/auth/passkeys/login", { credential });
		assert.equal(again.status, 401);
		assert.equal(again.body.error, "AUTH_MFA_INVALID");
	},

	"a passkey steps up": async ({ home: api }) => {
		assert.equal((await withPasskey(device.page, api, "step-up", {})).status, 204);
	},

	"and is renamed and removed": async ({ home: api }) => {
		const { page } = device;
		const [passkey] = (await call(page, api, "GET", "/api/auth/passkeys")).body.data;
		const path = `/api/auth/passkeys/${passkey.id}`;
		assert.equal((await call(page, api, "PATCH", path, { name: "Old phone" })).body.name, "Old phone");
		assert.equal((await call(page, api, "DELETE", path)).status, 204);
		assert.equal((await call(page, api, "GET", "/api/auth/me")).body.user.mfaEnabled, false);
		assert.equal((await withPasskey(page, api, "login", {})).status, 401, "it opens nothing any more");
	},

	"/api/docs shows the API": async ({ browser, api }) => {
		const page = await browser.newPage();
		const errors = [];
		page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
		page.on("pageerror", (error) => errors.push(String(error)));
		await page.goto(`${api}/api/docs`);
		const projects = page.locator('.opblock-tag[data-tag="Projects"]');
		await projects.waitFor();
		const tags = await page.locator(".opblock-tag").count();
		assert.equal(await page.locator(".opblock-tag-section .opblock").count(), 0); // what is closed is not made
		await projects.click();
		await page.locator('[data-path="/api/v1/projects/{id}/archive"]').waitFor();
		await page.screenshot({ path: join(dir, "docs.png") });
		assert.ok(tags > 10, `${tags} headings`);
		assert.deepEqual(errors, []);
	},

	"/api/docs lets a route be tried": async ({ browser, home }) => {
		const page = await browser.newPage();
		const dan = { email: `dan-${word}@example.com`, password, tenantName: "Docs" };
		const list = page.locator(".opblock-get", { has: page.locator('[data-path="/api/admin/projects"]') });

		await page.goto(`${home}/example/realtime.html`);
		assert.equal((await call(page, home, "POST", "/api/auth/signup", dan)).status, 201);
		await page.goto(`${home}/api/docs`);
		await page.locator('.opblock-tag[data-tag="Projects"]').click();
		await list.locator(".opblock-summary-control").click();
		await list.locator(".try-out__btn").click();
		await list.locator(".execute").click();
		assert.equal(await list.locator(".live-responses-table .response .response-col_status").first().innerText(), "200");
		await call(page, home, "POST", "/api/auth/logout");
	},

	async "the example page shows what happens, as it happens, and what was missed"({ browser, home }) {
		const page = await browser.newPage();
		const errors = [];
		const eve = { email: `eve-${word}@example.com`, password, tenantName: "Blue" };

		page.on("pageerror", (error) => errors.push(error.message));
		await page.goto(`${home}/example/realtime.html`);
		assert.equal((await call(page, home, "POST", "/api/auth/signup", eve)).status, 201);
		assert.equal((await call(page, home, "POST", "/api/auth/logout")).status, 204);
		await page.goto(`${home}/example/realtime.html`);
		await page.fill("input[name=email]", eve.email);
		await page.fill("input[name=password]", eve.password);
		await page.click("text=Log in");
		await page.locator("#state", { hasText: "connected" }).waitFor();
		await page.locator("#present", { hasText: "Here: 1" }).waitFor();

		await page.fill("input[name=name]", "Live");
		await page.click("text=Create");
		await page.locator("#events li", { hasText: '"slug":"live"' }).waitFor();
		await page.screenshot({ path: join(dir, "realtime.png") });
		assert.equal(await page.textContent("#problem"), "");
		assert.deepEqual(errors, []);
		await page.close();
	},
};

// -- the run --------------------------------------------------------------------------------------------

const own = await servePage();
const foreign = await servePage();
const browser = await openBrowser();

try {
	const port = new URL(secondSite("start", "browser", `CORS_ORIGINS=${own.origin}`)).port;
	const dashboard = await browser.newPage();
	const stranger = await browser.newPage();
	await dashboard.goto(own.origin);
	await stranger.goto(foreign.origin);
	await runTests(tests, { browser, dashboard, stranger, api: `https://localhost:${port}`, home });
} finally {
	await browser.close();
	secondSite("stop", "browser");
	own.server.close();
	foreign.server.close();
}
