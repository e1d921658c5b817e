// What tests in a browser have in common: Chromium, which trusts the test site's certificate and no other, and what a dashboard asks.

import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { patience, tls } from "./site.mjs";

// A browser of somebody's own, with a profile that goes with it.
export async function openBrowser() {
	const profile = mkdtempSync(join(tmpdir(), "zygo-browser-"));
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
	process.on("exit", () => rmSync(profile, { recursive: true, force: true }));
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
