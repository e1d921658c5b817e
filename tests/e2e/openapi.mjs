// Holds the API's document against a standard validator: node openapi.mjs FILE.json. Any problem, a
// warning included, is a failure; each is printed with its place.

import { createConfig, lintFromString } from "@redocly/openapi-core";
import { readFile } from "node:fs/promises";

const file = process.argv[2];
const rules = {
	// The product is not offered under a licence, so there is none to name.
	"info-license": "off",
	// /oauth/{provider}/callback and /oauth/identities/{id}: no provider may be named "identities", and
	// no id is "callback". The router looks at what is written out first.
	"no-ambiguous-paths": "off",
};
const config = await createConfig({ extends: ["recommended"], rules });
const problems = await lintFromString({ source: await readFile(file, "utf8"), absoluteRef: file, config });

for (const { severity, ruleId, message, location } of problems) {
	console.log(`${severity} ${ruleId} ${location[0]?.pointer ?? ""}: ${message}`);
}
console.log(`${problems.length} problems`);
process.exit(problems.length > 0 ? 1 : 0);
