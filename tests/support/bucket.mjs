// A bucket for tests: PUT and GET of objects over HTTP, kept in memory, and uploads in parts. It believes a request only when its
// AWS Signature Version 4 and the checksum of its body are right, computed here by the letter of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
//
//   node bucket.mjs REGION KEY-ID SECRET     prints the port on which it listens
import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";

const [region, keyId, secret] = process.argv.slice(2);
const objects = new Map();
const uploads = new Map(); // by id: parts by number
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
	const said = request.headers["x-amz-content-sha256"];
	if (said === "UNSIGNED-PAYLOAD" && request.method === "POST") return ""; // the list of an upload's parts
	if (said !== sha256(body)) return "another body";
	return "";
}

const xml = (name, text) => `<?xml version="1.0"?>\n<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${text}</${name}>`;
const etag = (body) => `"${createHash("md5").update(body).digest("hex")}"`;

// A key that ends in .torn takes no second part, one that ends in .late is refused with status 200, as S3 may.
function upload(method, path, query, body) {
	if (method === "POST" && query.has("uploads")) {
		const id = `an/id+${uploads.size}=`;
		uploads.set(id, new Map());
		return [200, xml("InitiateMultipartUploadResult", `<Key>${path}</Key><UploadId>${id}</UploadId>`)];
	}
	const id = query.get("uploadId"), parts = uploads.get(id), number = Number(query.get("partNumber"));
	if (!parts) return [404, xml("Error", "NoSuchUpload")];
	if (method === "DELETE") return uploads.delete(id), [204, ""];
	if (method === "PUT") {
		if (path.endsWith(".torn") && number > 1) return [503, xml("Error", "SlowDown")];
		return parts.set(number, body), [200, "", { ETag: etag(body) }];
	}
	const said = [...body.toString().matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>(.*?)<\/ETag><\/Part>/g)];
	const right = said.length === parts.size && said.every(([, n, tag], i) => Number(n) === i + 1 && tag === etag(parts.get(i + 1)));
	if (!right || path.endsWith(".late")) return [200, xml("Error", right ? "InternalError" : "InvalidPart")];
	objects.set(path, Buffer.concat([...parts.values()]));
	uploads.delete(id);
	return [200, xml("CompleteMultipartUploadResult", "")];
}

function object(method, path, body) {
	if (method === "PUT") return objects.set(path, body), [200, ""];
	if (path === "/uploads") return [200, `${uploads.size}`]; // how many are not over
	return objects.has(path) ? [200, objects.get(path)] : [404, xml("Error", "NoSuchKey")];
}

const server = createServer((request, response) => {
	const chunks = [];
	request.on("data", (chunk) => chunks.push(chunk));
	request.on("end", () => {
		const body = Buffer.concat(chunks);
		const wrong = fault(request, body);
		if (wrong) return response.writeHead(403).end(xml("Error", wrong));
		const url = new URL(request.url, "http://x");
		const [status, answer, headers] = url.search ? upload(request.method, url.pathname, url.searchParams, body)
							      : object(request.method, url.pathname, body);
		return response.writeHead(status, headers ?? {}).end(answer);
	});
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
