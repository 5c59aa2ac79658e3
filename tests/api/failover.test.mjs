/** The primary of a pair dies, or freezes, under load, and its standby is promoted by the operator's script: nothing that was acknowledged is lost. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { orderThrough, persist } from './lib/load.mjs';
import { Streams } from './lib/sse.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

/* lib/db.h's DB_TIME_US, and something for a machine that has other things to do */
const REQUEST_MS = 15000 + 5000;

/** @type {import('./lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;

before(async () => {
	stack = await ownStack('failover', { STANDBY: '1' });
	streams = new Streams(stack);
});
after(() => stack?.stop());
afterEach(() => streams?.closeAll());

/** A signal for all processes of a server at one moment, as when its host loses power, or hangs. @param {string} name @param {'SIGKILL' | 'SIGSTOP' | 'SIGCONT'} signal */
function strike(name, signal) {
	const postmaster = stack.pid(name) ?? 0;
	/* it starts no new ones meanwhile, and hears of none that ended */
	if (signal !== 'SIGCONT')
		process.kill(postmaster, 'SIGSTOP');
	const children = readdirSync(`/proc/${postmaster}/task`).flatMap((task) => readFileSync(`/proc/${postmaster}/task/${task}/children`, 'utf8').trim().split(' ')).filter(Boolean);
	for (const pid of [...children.map(Number), postmaster])
		process.kill(pid, signal);
}

/** The operator's part. Returns what the script said. */
async function promote() {
	await stack.part('promote');
	return readFileSync(join(stack.dir, 'log/promote.console'), 'utf8');
}

/** @param {string} setting of the server that takes writes @param {import('./lib/store.mjs').Store} store */
const show = (setting, store) => store.sql('select current_setting(:\'setting\')', { setting });

describe('a pair of servers', () => {
	test('a frozen primary: requests end in bounded time, go on at the promoted standby, and stay there when the other thaws', async (t) => {
		const store = await newStore(stack);
		const items = [{ menu_id: store.menus[0].id, quantity: 1 }];
		/** @param {string} key @param {number} [table] */
		const order = (key, table = 0) => store.client.post('/api/customer/orders', { token: store.tables[table].token, body: { items }, headers: { 'Idempotency-Key': key } });
		const stream = await streams.open('/api/admin/orders/stream', { token: store.admin.token, retryMs: 100 });
		assert.equal(await show('synchronous_standby_names', store), 'ANY 1 (*)');
		await store.order(0);
		await stream.untilId(1);
		/* psql knows no deadline, and the next test would wait at it for ever */
		t.after(() => stack.part('stop', 'postgres'));
		strike('postgres', 'SIGSTOP');
		try {
			const start = performance.now();
			const answers = await Promise.all([order('while-frozen'), store.client.get('/api/admin/board', { token: store.admin.token }), new Client(stack).get('/health')]);
			assert.ok(performance.now() - start < REQUEST_MS, `it took ${performance.now() - start} ms`);
			for (const answer of answers.slice(0, 2))
				assertError(answer, 503, 'DEPENDENCY_UNAVAILABLE');
			assert.deepEqual([answers[2].status, answers[2].json.checks.database.state], [503, 'down']);
			assert.ok(answers[2].json.checks.database.time_ms < 8000, answers[2].text);
			await promote();
			assertOk(await persist(() => order('while-frozen')), 201);
		} finally {
			strike('postgres', 'SIGCONT');
		}
		/* it takes writes, too, and would keep them for ever */
		for (let i = 0; i < 10; i++)
			assertOk(await persist(() => order(`after-${i}`, i % 2)), 201);
		/* one that knows nothing of all this begins with it, and leaves it when no commit ends */
		await stack.part('restart', 'create-order');
		assertOk(await order('from-a-new-program'), 201);
		await stream.untilId(13, 60000);
		assert.deepEqual(stream.ids, Array.from({ length: 13 }, (_, i) => i + 1));
		await stack.part('stop', 'postgres');
		assert.equal(await store.sql("select count(*) from orders where store_id = :'store'"), '13');
		await until('an empty outbox', async () => await store.sql("select count(*) from events where published_at is null and store_id = :'store'") === '0', 60000);
	});
	test('the former primary becomes the standby, and commits wait for it again', async () => {
		const store = await newStore(stack);
		assert.equal(await show('synchronous_standby_names', store), '');
		await stack.part('start', 'postgres');
		assert.equal(await show('synchronous_standby_names', store), 'ANY 1 (*)');
		await store.order(0);
		assert.match(readFileSync(join(stack.dir, 'log/pair.console'), 'utf8'), /synchronous replication is on/);
		await assert.rejects(() => promote(), /the primary still answers/);
	});
	test('the primary is killed under load: no order and no event is lost or doubled, and the promotion says that replication is suspended', async () => {
		const store = await newStore(stack, { tables: 8 });
		const { longestGapMs } = await orderThrough(stack, streams, async (acknowledged) => {
			await until('so many orders', () => acknowledged() >= 60, 60000);
			strike('postgres2', 'SIGKILL');
			const before = acknowledged();
			assert.match(await promote(), /SYNCHRONOUS REPLICATION IS SUSPENDED/);
			await until('orders from the new primary', () => acknowledged() >= before + 60, 60000);
		}, { store, drill: 'primary killed, standby promoted by script', orders: 150 });
		assert.ok(longestGapMs < 30000, `no order for ${longestGapMs} ms`);
		assert.equal(await show('synchronous_standby_names', store), '');
		/* what the alert about a failover watches; it is the second */
		assert.match((await new Client(stack, '127.0.0.1').get('/metrics')).text, /^table_order_db_timeline 3$/m);
		assert.match(readFileSync(join(stack.dir, 'log/postgres.console'), 'utf8'), /WARNING: .*SYNCHRONOUS REPLICATION IS SUSPENDED/);
	});
});
