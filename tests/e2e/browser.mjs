// What tests in a browser have in common: Chromium, which trusts the test site's certificate and no other, and what a dashboard asks.

import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const dir = process.env.ZYGO_TEST_DIR;
export const tls = { key: readFileSync(join(dir, "tls/key.pem")), cert: readFileSync(join(dir, "tls/cert.pem")) };

const patience = 180_000; // of a machine that may stand still for a while; what goes well costs nothing

// A browser of somebody's own, in the folder profile.
export async function openBrowser(profile) {
	const key = new X509Certificate(tls.cert).publicKey.export({ type: "spki", format: "der" });
	const pin = createHash("sha256").update(key).digest("base64");

	const browser = await chromium.launchPersistentContext(profile, {
		timeout: patience,
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		viewport: { width: 1280, height: 1600 },
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
			"--disable-background-networking", "--disable-component-update",
			`--ignore-certificate-errors-spki-list=${pin}`],
	});
	browser.setDefaultTimeout(patience);
	return browser;
}

// One request from the page, as a dashboard makes it: with the browser's cookies. A refusal of the
// browser itself (CORS) is { refused }.
export const call = (page, api, method, path, body) =>
	page.evaluate(async ([url, method, body]) => {
		try {
			const response = await fetch(url, {
				method,
				credentials: "include",
				headers: body ? { "Content-Type": "application/json" } : {},
				body: body && JSON.stringify(body),
			});
			const text = await response.text();
			return {
				status: response.status,
				body: text ? JSON.parse(text) : null,
				requestId: response.headers.get("X-Request-Id"),
				location: response.headers.get("Location"),
			};
		} catch (error) {
			return { refused: String(error) };
		}
	}, [api + path, method, body]);

// Runs all of { name: async (given) => … }, in order; prints a line each and, last, "N passed, N failed".
export async function runTests(tests, given) {
	let failed = 0;

	for (const [name, test] of Object.entries(tests)) {
		try {
			await test(given);
			console.log(`ok ${name}`);
		} catch (error) {
			failed++;
			console.log(`not ok ${name}: ${error.message}`);
		}
	}
	console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
	process.exitCode = failed > 0 ? 1 : 0;
}
