// Mail to a real SMTP server: `zygo mail` against smtp-server from npm, with STARTTLS, with TLS from the
// start, with a log-in, and with servers that refuse, lie about who they are, or never answer. Prints a line a
// test and, last, "N passed, N failed".

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { SMTPServer } from "smtp-server";
import { dir, listen, runTests, tls } from "./site.mjs";

// -- servers ------------------------------------------------------------------------------------------------

// A server that keeps what it is given: .mails = [{from, to, secure, user, text}].
async function serve(options = {}) {
	const mails = [];
	const server = new SMTPServer({
		...tls,
		disabledCommands: options.auth ? [] : ["AUTH"],
		authOptional: !options.auth,
		onAuth: ({ username, password }, session, done) =>
			password === "right" ? done(null, { user: username }) : done(new Error("wrong password")),
		onRcptTo: ({ address }, session, done) => {
			const code = options.refuse?.[address];
			if (!code) return done();
			done(Object.assign(new Error("no such person"), { responseCode: code }));
		},
		onData: (stream, session, done) => {
			const chunks = [];
			stream.on("data", (chunk) => chunks.push(chunk));
			stream.on("end", () => {
				mails.push({
					from: session.envelope.mailFrom.address,
					to: session.envelope.rcptTo.map(({ address }) => address),
					secure: session.secure,
					user: session.user,
					text: Buffer.concat(chunks).toString(),
				});
				done();
			});
		},
		...options.server,
	});
	server.on("error", () => {}); // clients that leave
	server.listen(0, options.address ?? "127.0.0.1");
	await once(server.server, "listening");
	return { mails, port: server.server.address().port, close: () => server.close() };
}

// One that takes the connection and says nothing, ever.
async function serveSilence() {
	const sockets = [];
	const server = createServer((socket) => sockets.push(socket.on("error", () => {})));
	const port = await listen(server);
	return {
		port,
		close: () => {
			sockets.forEach((socket) => socket.destroy());
			server.close();
		},
	};
}

// -- zygo ---------------------------------------------------------------------------------------------------

// { status, output } of `zygo mail`.
async function send(to, settings) {
	try {
		const { stdout, stderr } = await promisify(execFile)(process.env.ZYGO_BINARY, ["mail", to], {
			env: {
				...process.env,
				ZYGO_ENV_FILE: join(dir, "zygo.env"),
				EMAIL_FROM: "zygo@example.com",
				SMTP_CA_FILE: join(dir, "tls/ca.pem"),
				...settings,
			},
		});
		return { status: 0, output: stdout + stderr };
	} catch (error) {
		return { status: error.code, output: error.stdout + error.stderr };
	}
}

const at = (server, settings) =>
	({ SMTP_HOST: "localhost", SMTP_PORT: String(server.port), SMTP_SECURITY: "starttls", ...settings });

// -- tests ----------------------------------------------------------------------------------------------------

// A test that has a server of its own.
const before = (makeServer, test) => async () => {
	const server = await makeServer();
	try {
		await test(server);
	} finally {
		server.close();
	}
};

await runTests({
	"by STARTTLS": before(() => serve(), async (server) => {
		const { status, output } = await send("ann@example.com", at(server));
		assert.equal(status, 0, output);
		assert.match(output, /localhost has taken a mail to ann@example.com/);
		assert.equal(server.mails.length, 1);
		const [mail] = server.mails;
		assert.deepEqual([mail.from, mail.to, mail.secure], ["zygo@example.com", ["ann@example.com"], true]);
		assert.match(mail.text, /^From: Zygo <zygo@example\.com>\r\nTo: <ann@example\.com>\r\nSubject: /m);
		assert.match(mail.text, /\r\nContent-Type: multipart\/alternative; boundary="/);
	}),

	"by TLS from the start": before(() => serve({ server: { secure: true } }), async (server) => {
		const { status, output } = await send("ann@example.com", at(server, { SMTP_SECURITY: "tls" }));
		assert.equal(status, 0, output);
		assert.equal(server.mails[0].secure, true);
	}),

	"logged in": before(() => serve({ auth: true }), async (server) => {
		const settings = at(server, { SMTP_USER: "zygo", SMTP_PASS: "right" });
		const { status, output } = await send("ann@example.com", settings);
		assert.equal(status, 0, output);
		assert.equal(server.mails[0].user, "zygo");
	}),

	"a wrong password is said, and not shown": before(() => serve({ auth: true }), async (server) => {
		const settings = at(server, { SMTP_USER: "zygo", SMTP_PASS: "wrong-secret" });
		const { status, output } = await send("ann@example.com", settings);
		assert.equal(status, 1);
		assert.match(output, /could not be sent: localhost:\d+: .*(denied|535)/);
		assert.doesNotMatch(output, /wrong-secret/);
	}),

	"nothing is sent in clear to a server without STARTTLS": before(() => serve({ server: { disabledCommands: ["AUTH", "STARTTLS"] } }), async (server) => {
			const { status } = await send("ann@example.com", at(server));
			assert.equal(status, 1);
			assert.equal(server.mails.length, 0);
		}),

	"in clear where that is asked for": before(() => serve({ server: { disabledCommands: ["AUTH", "STARTTLS"] } }), async (server) => {
			const { status, output } = await send("ann@example.com", at(server, { SMTP_SECURITY: "none" }));
			assert.equal(status, 0, output);
			assert.equal(server.mails[0].secure, false);
		}),

	"a certificate of an unknown authority is not believed": before(() => serve(), async (server) => {
		const { status, output } = await send("ann@example.com", at(server, { SMTP_CA_FILE: "" }));
		assert.equal(status, 1);
		assert.match(output, /certificate/);
		assert.equal(server.mails.length, 0);
	}),

	"nor one of another host": before(() => serve({ address: "127.0.0.2" }), async (server) => {
		const { status, output } = await send("ann@example.com", at(server, { SMTP_HOST: "127.0.0.2" }));
		assert.equal(status, 1);
		assert.match(output, /subject name|certificate/);
		assert.equal(server.mails.length, 0);
	}),

	"an address that is refused for good": before(() => serve({ refuse: { "bob@example.com": 550 } }), async (server) => {
		const { status, output } = await send("bob@example.com", at(server));
		assert.equal(status, 1);
		assert.match(output, /refuses this mail for good.*550/);
	}),

	"one that is refused for now": before(() => serve({ refuse: { "bob@example.com": 451 } }), async (server) => {
		const { status, output } = await send("bob@example.com", at(server));
		assert.equal(status, 1);
		assert.match(output, /could not be sent.*451/);
	}),

	"what is no address reaches no server": before(() => serve(), async (server) => {
		for (const to of ["ann@example.com\r\nRCPT TO:<eve@example.com>", "ann@example.com>,<eve@example.com", "ann"])
			assert.equal((await send(to, at(server))).status, 1);
		assert.equal(server.mails.length, 0);
	}),

	"a server that never answers is given up": before(serveSilence, async (server) => {
		const started = Date.now();
		const { status } = await send("ann@example.com", at(server, { SMTP_TIMEOUT: "1s" }));
		assert.equal(status, 1);
		assert.ok(Date.now() - started < 30_000); // which it would have waited unless told so
	}),

	"a server that is not there": before(serveSilence, async (server) => {
		server.close();
		const { status, output } = await send("ann@example.com", at(server));
		assert.equal(status, 1);
		assert.match(output, /could not be sent: localhost:\d+: /);
	}),
});
