// A bucket for tests: PUT and GET of objects over HTTP, kept in memory. It believes a request only when its
// AWS Signature Version 4 and the checksum of its body are right, computed here by the letter of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
//
//   node bucket.mjs REGION KEY-ID SECRET     prints the port on which it listens
import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";

const [region, keyId, secret] = process.argv.slice(2);
const objects = new Map();
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();

function signature(request, scope, signed, when) {
	const url = new URL(request.url, "http://x");
	const query = [...url.searchParams].map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).sort();
	const headers = signed.map((name) => `${name}:${request.headers[name].trim()}\n`).join("");
	const canonical = [request.method, url.pathname, query.join("&"), headers, signed.join(";"),
		request.headers["x-amz-content-sha256"]].join("\n");
	const text = ["AWS4-HMAC-SHA256", when, scope, sha256(canonical)].join("\n");
	const key = scope.split("/").reduce((k, part) => hmac(k, part), `AWS4${secret}`);
	return hmac(key, text).toString("hex");
}

// What is wrong with a request; "" when nothing is.
function fault(request, body) {
	const given = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/
		.exec(request.headers.authorization ?? "");
	if (!given) return "no signature";
	const [, id, scope, signed, signedAs] = given;
	const when = request.headers["x-amz-date"] ?? "";
	if (id !== keyId) return "another key";
	if (scope !== `${when.slice(0, 8)}/${region}/s3/aws4_request`) return `another scope: ${scope}`;
	if (!signed.split(";").includes("x-amz-content-sha256")) return "the checksum is not signed";
	if (signedAs !== signature(request, scope, signed.split(";"), when)) return "another signature";
	if (request.headers["x-amz-content-sha256"] !== sha256(body)) return "another body";
	return "";
}

const server = createServer((request, response) => {
	const parts = [];
	request.on("data", (part) => parts.push(part));
	request.on("end", () => {
		const body = Buffer.concat(parts);
		const wrong = fault(request, body);
		if (wrong) return response.writeHead(403).end(`<Error><Message>${wrong}</Message></Error>`);
		if (request.method === "PUT") return objects.set(request.url, body), response.writeHead(200).end();
		const object = objects.get(request.url);
		return object ? response.writeHead(200).end(object) : response.writeHead(404).end("<Error/>");
	});
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
