/** What /metrics tells, in Prometheus' form. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { isOfBackup, isOfDoctor, metricsInUse } from './lib/monitoring.mjs';
import { SOURCE, ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

const stack = await ownStack('metrics', {});
const local = new Client(stack, '127.0.0.1');

async function scrape() {
	const answer = await local.get('/metrics');
	assertOk(answer, 200);
	return answer.text;
}

/** @param {string} text @param {string} series its value, undefined when it is not there */
function value(text, series) {
	const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
	return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** @param {string} series @param {(value: number) => boolean} holds */
function tells(series, holds) {
	return until(`${series} that holds`, async () => holds(value(await scrape(), series) ?? NaN));
}

describe('the metrics', () => {
	test('are without fault to promtool', async () => {
		await newStore(stack);
		const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await scrape(), encoding: 'utf8' });
		assert.deepEqual([stdout, stderr, status], ['', '', 0]);
	});
	test('are all there that the alerts and the dashboards ask for', async () => {
		const text = await scrape();
		const wanted = metricsInUse().filter((name) => name.startsWith('table_order_') && !isOfBackup(name) && !isOfDoctor(name));
		assert.ok(wanted.length > 15);
		assert.deepEqual(wanted.filter((name) => !text.includes(`\n# TYPE ${name} `)), []);
	});
	test('count logins that fail, by role', async () => {
		const store = await newStore(stack);
		const series = 'table_order_login_failures_total{role="store_admin"}';
		const before = value(await scrape(), series) ?? 0;
		assertError(await store.client.post('/api/admin/auth/login', { body: { store_id: store.store_id, username: store.admin.username, password: 'wrong' } }), 401, 'INVALID_CREDENTIALS');
		await tells(series, (n) => n === before + 1);
	});
	test('tell the waits for the database and its timeline', async () => {
		await newStore(stack);
		const text = await scrape();
		for (const name of ['table_order_db_pool_wait_seconds', 'table_order_db_round_trip_seconds'])
			assert.ok((value(text, `${name}_count`) ?? 0) > 0, name);
		assert.equal(value(text, 'table_order_db_timeline'), 1);
		assert.equal(value(text, 'table_order_db_pool_size'), Number(stack.env.DB_POOL_SIZE ?? 50));
		const open = value(text, 'table_order_db_connections') ?? 0;
		assert.ok(open >= 2 && open <= 50, `${open} connections`);
	});
	test('know the program\'s version', async () => {
		const version = readFileSync(join(SOURCE, 'configure.ac'), 'utf8').match(/AC_INIT\(\[[^\]]*\], \[([^\]]*)\]/)?.[1];
		assert.equal(value(await scrape(), `table_order_build_info{version="${version}"}`), 1);
	});
	test('know when each program was last alive, and of no heartbeat once it has ended', async () => {
		const series = (/** @type {string} */ program) => `table_order_heartbeat_timestamp_seconds{program="${program}"}`;
		for (const program of ['menu', 'status', 'outbox-dispatcher', 'sse-relay']) {
			const first = value(await scrape(), series(program)) ?? NaN;
			assert.ok(Math.abs(Date.now() / 1000 - first) < 20, `${program}: ${first}`);
			await tells(series(program), (n) => n > first);
		}
		/* a process that is stopped says nothing any more, and still runs */
		process.kill(Number(stack.pid('menu')), 'SIGSTOP');
		const last = value(await scrape(), series('menu')) ?? NaN;
		await tells(series('status'), (n) => n > last + 2);
		assert.equal(value(await scrape(), series('menu')), last);
		assert.equal(value(await scrape(), 'table_order_processes{program="menu"}'), 1);
		process.kill(Number(stack.pid('menu')), 'SIGCONT');
		await tells(series('menu'), (n) => n > last);
		await stack.part('stop', 'menu');
		await tells('table_order_processes{program="menu"}', (n) => n === 0);
		assert.equal(value(await scrape(), series('menu')), undefined);
		await stack.part('start', 'menu');
		await tells(series('menu'), (n) => n > last);
	});
	test('miss a program that never came up, as after a boot', async () => {
		await stack.part('stop', 'menu');
		const run = join(stack.dir, 'run');
		for (const name of readdirSync(run).filter((file) => file.startsWith('menu.metrics') || /^menu\.\d+\.metrics$/.test(file)))
			rmSync(join(run, name));
		assert.equal(value(await scrape(), 'table_order_processes{program="menu"}'), 0);
		/* without a socket it is the web server's to start it */
		renameSync(join(run, 'menu.sock'), join(run, 'menu.gone'));
		assert.equal(value(await scrape(), 'table_order_processes{program="menu"}'), undefined);
		renameSync(join(run, 'menu.gone'), join(run, 'menu.sock'));
		await stack.part('start', 'menu');
		await tells('table_order_processes{program="menu"}', (n) => n === 1);
	});
	test('miss a program that has ended, and what only it knew', async () => {
		await tells('table_order_outbox_oldest_age_seconds', (n) => n >= 0);
		for (const program of ['create-order', 'outbox-dispatcher', 'sse-relay'])
			await tells(`table_order_processes{program="${program}"}`, (n) => n === 1);
		await stack.part('stop', 'outbox-dispatcher');
		await tells('table_order_processes{program="outbox-dispatcher"}', (n) => n === 0);
		const text = await scrape();
		assert.equal(value(text, 'table_order_outbox_oldest_age_seconds'), undefined);
		assert.notEqual(value(text, 'table_order_outbox_published_total'), undefined);
		await stack.part('start', 'outbox-dispatcher');
		await tells('table_order_processes{program="outbox-dispatcher"}', (n) => n === 1);
		await tells('table_order_outbox_oldest_age_seconds', (n) => n >= 0);
	});
});
