// What scripts/bench-webhooks measures beside `zygo work`: webhooks as a team would build them on BullMQ. A worker signs with
// `standardwebhooks` and posts by undici, whose pools keep their connections; each attempt is a row in PostgreSQL, or is kept nowhere.
//
//	node webhooks.mjs fill N | run N CONCURRENCY LOG | arrive ROUNDS PAUSE-MS RATE | others RATE
//
// LOG is "log" or "nolog". `arrive` is one change in PostgreSQL and its job, again and again, beside RATE other deliveries a second.
// DATABASE_URL, REDIS_SOCKET, SINK_PORT and ENDPOINTS say where and how many.
import { Queue, Worker } from 'bullmq';
import IORedis from 'ioredis';
import { fork } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { request } from 'undici';

const [verb, n, ...more] = [process.argv[2], Number(process.argv[3]), ...process.argv.slice(4)];
const { DATABASE_URL, REDIS_SOCKET, SINK_PORT, ENDPOINTS } = process.env;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => Number(process.hrtime.bigint() / 1000n);

const endpoints = Array.from({ length: Number(ENDPOINTS) }, (_, i) => ({
	url: `http://127.0.0.${i + 1}:${SINK_PORT}/hook`,
	webhook: new Webhook(createHash('sha256').update(`secret ${i}`).digest('base64')),
}));
const connection = new IORedis({ path: REDIS_SOCKET, maxRetriesPerRequest: null });
const defaultJobOptions = { removeOnComplete: { count: 1000 }, attempts: 8, backoff: { type: 'exponential', delay: 5000 } };
const queue = new Queue('webhooks', { connection, defaultJobOptions });
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
await queue.waitUntilReady();
await pool.query(`CREATE TABLE IF NOT EXISTS projects (id uuid PRIMARY KEY, slug text NOT NULL);
	CREATE TABLE IF NOT EXISTS attempts (delivery uuid, number int, url text NOT NULL, request_headers jsonb NOT NULL, status int,
		response_headers jsonb, response_body text, duration_us bigint NOT NULL, started_at timestamptz NOT NULL,
		PRIMARY KEY (delivery, number))`);

const payload = (id, slug) =>
	JSON.stringify({
		type: 'project.created', id, timestamp: new Date().toISOString(), tenantId: randomUUID(), subjectId: randomUUID(),
		userId: randomUUID(), data: { after: { slug, name: 'Blue team', status: 'active', description: 'x'.repeat(200) } },
	});
let turn = 0;
function job(slug) {
	const id = randomUUID();
	return { name: 'deliver', data: { id, endpoint: turn++ % endpoints.length, payload: payload(id, slug) } };
}

async function deliver({ data, attemptsMade }, keepsLog) {
	const { url, webhook } = endpoints[data.endpoint];
	const at = new Date();
	const headers = {
		'content-type': 'application/json', 'user-agent': 'bench', 'webhook-id': data.id,
		'webhook-timestamp': String(Math.floor(at.getTime() / 1000)), 'webhook-signature': webhook.sign(data.id, at, data.payload),
	};
	const started = now();
	const answer = await request(url, { method: 'POST', headers, body: data.payload, headersTimeout: 15000, bodyTimeout: 15000 });
	const text = (await answer.body.text()).slice(0, 4096);
	if (keepsLog)
		await pool.query({
			name: 'attempt', text: 'INSERT INTO attempts VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
			values: [data.id, attemptsMade + 1, url, headers, answer.statusCode, answer.headers, text, now() - started, at],
		});
	if (answer.statusCode < 200 || answer.statusCode > 299) throw new Error(`The answer was ${answer.statusCode}`);
}

async function work(concurrency, keepsLog) {
	let done = 0;
	const worker = new Worker('webhooks', (job) => deliver(job, keepsLog).then(() => done++), { connection: connection.duplicate(), concurrency });
	await worker.waitUntilReady();
	return { done: () => done, close: () => worker.close() };
}

async function fill() {
	for (let left = n; left > 0; left -= 1000) await queue.addBulk(Array.from({ length: Math.min(left, 1000) }, () => job('blue')));
}

async function run() {
	const cpu = process.cpuUsage();
	const worker = await work(Number(more[0]), more[1] === 'log');
	while (worker.done() < n) await sleep(1);
	const { user, system } = process.cpuUsage(cpu);
	console.log(`cpu_us=${user + system} rss_kib=${process.resourceUsage().maxRSS}`);
	await worker.close();
}

async function arrive() {
	const [pause, rate] = more.map(Number);
	const worker = await work(100, true);
	const others = rate ? fork(process.argv[1], ['others', String(rate)]) : null;
	const changed = new Map();
	await sleep(2000);
	for (let i = 0; i < n; i++) {
		await sleep(pause);
		await pool.query('INSERT INTO projects VALUES ($1, $2)', [randomUUID(), `mark-${i}`]);
		changed.set(i, now());
		const { name, data } = job(`mark-${i}`);
		await queue.add(name, data);
	}
	let marks = [];
	while (marks.length < n) {
		await sleep(100);
		const answer = await request(`http://127.0.0.1:${SINK_PORT}/marks`);
		marks = (await answer.body.text()).trim().split('\n').map((line) => line.split(' ').map(Number));
	}
	others?.kill('SIGKILL');
	const waits = marks.map(([i, at]) => at - changed.get(i)).sort((a, b) => a - b);
	console.log(`p50=${waits[Math.floor(n / 2)]} p99=${waits[Math.floor((n * 99) / 100)]}`);
	await worker.close();
}

// n a second, ten at a time, until it is killed.
async function others() {
	for (;;) {
		await queue.addBulk(Array.from({ length: 10 }, () => job('blue')));
		await sleep(10000 / n);
	}
}

await { fill, run, arrive, others }[verb]();
process.exit(0);
