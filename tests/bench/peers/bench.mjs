// The same work as tests/bench/jobs.c does, by the queues that a team would take otherwise. Each is tuned as its
// manual says for throughput.
//
//	node bench.mjs bullmq|pgboss|graphile add N BATCH | fill N | run N CONCURRENCY | start N
//
// DATABASE_URL and REDIS_SOCKET name the servers. Prints the line that jobs.c prints.
import { Queue, Worker } from 'bullmq';
import { Logger, makeWorkerUtils, run as runGraphile } from 'graphile-worker';
import IORedis from 'ioredis';
import pg from 'pg';
import PgBoss from 'pg-boss';

const [peer, verb, n, more] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => Number(process.hrtime.bigint() / 1000n);
const quiet = new Logger(() => () => {});

// Each gives: add(count), one transaction or call; work(concurrency, handler); close().
const peers = {
	async bullmq() {
		const connection = new IORedis({ path: process.env.REDIS_SOCKET, maxRetriesPerRequest: null });
		const options = { removeOnComplete: { count: 1000 }, attempts: 3, backoff: { type: 'exponential', delay: 5000 } };
		const queue = new Queue('bench', { connection, defaultJobOptions: options });
		let worker;
		return {
			add: (count) =>
				count === 1
					? queue.add('bench', {})
					: queue.addBulk(Array.from({ length: count }, () => ({ name: 'bench', data: {} }))),
			async work(concurrency, handler) {
				worker = new Worker('bench', async () => handler(), { connection: connection.duplicate(), concurrency });
				await worker.waitUntilReady();
			},
			async close() {
				await worker?.close();
				await queue.close();
				connection.disconnect();
			},
		};
	},
	async pgboss() {
		const boss = new PgBoss({ connectionString: process.env.DATABASE_URL, schema: 'pgboss' });
		boss.on('error', () => {});
		await boss.start();
		await boss.createQueue('bench');
		return {
			add: (count) =>
				count === 1
					? boss.send('bench', {})
					: boss.insert(Array.from({ length: count }, () => ({ name: 'bench', data: {} }))),
			async work(concurrency, handler) {
				// It fetches every half second at the most, so that only large batches are fast.
				const options = { batchSize: concurrency === 1 ? 1 : 500, pollingIntervalSeconds: 0.5 };
				for (let i = 0; i < Math.min(concurrency, 10); i++)
					await boss.work('bench', options, async (jobs) => {
						for (const _ of jobs) handler();
					});
			},
			close: () => boss.stop({ graceful: true, timeout: 5000 }),
		};
	},
	async graphile() {
		const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
		pool.on('error', () => {});
		const utils = await makeWorkerUtils({ pgPool: pool, logger: quiet });
		await utils.migrate();
		let runner;
		return {
			add: (count) =>
				count === 1
					? utils.addJob('bench', {})
					: pool.query(
							`SELECT graphile_worker.add_jobs(ARRAY(
								SELECT json_populate_record(NULL::graphile_worker.job_spec, $1)
								FROM generate_series(1, $2)))`,
							['{"identifier":"bench","payload":{}}', count],
						),
			async work(concurrency, handler) {
				const preset = { worker: { concurrentJobs: concurrency, localQueue: { size: concurrency > 1 ? 500 : -1 },
							   completeJobBatchDelay: concurrency > 1 ? 0 : -1, failJobBatchDelay: -1 } };
				runner = await runGraphile({ preset, pgPool: pool, logger: quiet, noHandleSignals: true,
							     taskList: { bench: async () => handler() } });
			},
			async close() {
				await runner?.stop();
				await utils.release();
				await pool.end();
			},
		};
	},
};

function report(us, p50 = 0, p99 = 0) {
	const { user, system } = process.cpuUsage();
	console.log(`n=${n} seconds=${(us / 1e6).toFixed(3)} cpu_us=${user + system} p50_us=${p50} p99_us=${p99}`);
}

const queue = await peers[peer]();
const from = now();
if (verb === 'add' || verb === 'fill') {
	const batch = verb === 'fill' ? 1000 : more;
	for (let done = 0; done < n; done += batch) await queue.add(Math.min(batch, n - done));
	report(now() - from);
} else if (verb === 'run') {
	let done = 0;
	await queue.work(more, () => done++);
	while (done < n) await sleep(1);
	report(now() - from);
} else {
	const waits = [];
	let started = 0;
	await queue.work(2, () => (started = now()));
	for (let i = 0; i < n; i++) {
		await sleep(20);
		started = 0;
		const added = now();
		await queue.add(1);
		while (!started) await sleep(0.05);
		waits.push(started - added);
	}
	waits.sort((a, b) => a - b);
	report(now() - from, waits[Math.floor(n / 2)], waits[Math.floor((n * 99) / 100)]);
}
await queue.close();
process.exit(0);
