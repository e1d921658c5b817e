// The same work as tests/bench/jobs.c does, by the queues that a team would take otherwise. Each is tuned for throughput as its
// own manual says: BullMQ's "Going to production" and "Concurrency", pg-boss' "Workers", graphile-worker's "Performance".
//
//	node bench.mjs bullmq|pgboss|graphile add N BATCH | fill N | run N CONCURRENCY MS | start N RATE
//
// DATABASE_URL and REDIS_SOCKET name the servers. Prints the line that jobs.c prints.
import { Queue, Worker } from 'bullmq';
import { fork } from 'node:child_process';
import { Logger, makeWorkerUtils, run as runGraphile } from 'graphile-worker';
import IORedis from 'ioredis';
import pg from 'pg';
import PgBoss from 'pg-boss';

const [peer, verb] = process.argv.slice(2);
const [n, more, lasts] = process.argv.slice(4).map(Number);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => Number(process.hrtime.bigint() / 1000n);
const quiet = new Logger(() => () => {});
const LATENCY_CONCURRENCY = 10;

// Each gives: add(count, data), one transaction or call; work(concurrency, handler(data)); close().
const peers = {
	async bullmq() {
		const connection = new IORedis({ path: process.env.REDIS_SOCKET, maxRetriesPerRequest: null });
		const options = { removeOnComplete: { count: 1000 }, attempts: 3, backoff: { type: 'exponential', delay: 5000 } };
		const queue = new Queue('bench', { connection, defaultJobOptions: options });
		await queue.waitUntilReady();
		let worker;
		return {
			add: (count, data) =>
				count === 1
					? queue.add('bench', data)
					: queue.addBulk(Array.from({ length: count }, () => ({ name: 'bench', data }))),
			async work(concurrency, handler) {
				const own = { connection: connection.duplicate(), concurrency };
				worker = new Worker('bench', async (job) => handler(job.data), own);
				await worker.waitUntilReady();
			},
			async close() {
				await worker?.close();
				await queue.close();
				connection.disconnect();
			},
		};
	},
	// It fetches twice a second at the most, so only large batches are fast; more than ten such workers bring nothing.
	async pgboss() {
		const boss = new PgBoss({ connectionString: process.env.DATABASE_URL, schema: 'pgboss' });
		boss.on('error', () => {});
		await boss.start();
		await boss.createQueue('bench');
		return {
			add: (count, data) =>
				count === 1
					? boss.send('bench', data)
					: boss.insert(Array.from({ length: count }, () => ({ name: 'bench', data }))),
			async work(concurrency, handler) {
				for (let i = 0; i < Math.min(concurrency, 10); i++)
					await boss.work('bench', { batchSize: 500, pollingIntervalSeconds: 0.5 }, async (jobs) => {
						await Promise.all(jobs.map((job) => handler(job.data)));
					});
			},
			close: () => boss.stop({ graceful: true, timeout: 5000 }),
		};
	},
	async graphile() {
		const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 51 });
		pool.on('error', () => {});
		pool.on('connect', (client) => client.on('error', () => {}));
		const utils = await makeWorkerUtils({ pgPool: pool, logger: quiet });
		await utils.migrate();
		let runner;
		return {
			add: (count, data) =>
				count === 1
					? utils.addJob('bench', data)
					: pool.query(
							`SELECT graphile_worker.add_jobs(ARRAY(
								SELECT json_populate_record(NULL::graphile_worker.job_spec, $1)
								FROM generate_series(1, $2)))`,
							[JSON.stringify({ identifier: 'bench', payload: data }), count],
						),
			async work(concurrency, handler) {
				const worker = { concurrentJobs: concurrency, localQueue: { size: 500 }, completeJobBatchDelay: 0,
						 failJobBatchDelay: 0 };
				runner = await runGraphile({ preset: { worker }, pgPool: pool, logger: quiet, noHandleSignals: true,
							     taskList: { bench: async (payload) => handler(payload) } });
			},
			async close() {
				await runner?.stop();
				await utils.release();
				await pool.end();
			},
		};
	},
};

const queue = await peers[peer]();
let [from, cpu] = [now(), process.cpuUsage()];

function report(us, p50 = 0, p99 = 0) {
	const { user, system } = process.cpuUsage(cpu);
	console.log(`n=${n} seconds=${(us / 1e6).toFixed(3)} cpu_us=${user + system} p50_us=${p50} p99_us=${p99}`);
}

async function add() {
	const batch = verb === 'fill' ? 1000 : more;
	for (let done = 0; done < n; done += batch) await queue.add(Math.min(batch, n - done), {});
	report(now() - from);
}

async function run() {
	let done = 0;
	const last = async () => {
		await sleep(lasts);
		done++;
	};
	await queue.work(more, lasts ? last : () => done++);
	while (done < n) await sleep(1);
	report(now() - from);
}

async function start() {
	const others = more > 0 ? fork(process.argv[1], [peer, 'others', String(more)]) : null;
	const waits = [];
	let started = 0;
	await queue.work(LATENCY_CONCURRENCY, (data) => {
		if (data.mark) started = now();
	});
	for (let i = -20; i < n; i++) {
		await sleep(20);
		started = 0;
		const added = now();
		await queue.add(1, { mark: true });
		while (!started) await sleep(0.05);
		if (i >= 0) waits.push(started - added);
	}
	others?.kill('SIGKILL');
	waits.sort((a, b) => a - b);
	report(now() - from, waits[Math.floor(n / 2)], waits[Math.floor((n * 99) / 100)]);
}

// n a second, ten at a time, until it is killed.
async function others() {
	for (;;) {
		await queue.add(10, {});
		await sleep(10000 / n);
	}
}

await { add, fill: add, run, start, others }[verb]();
await queue.close();
process.exit(0);
