/** PostgreSQL breaks a promise at each point of a transaction: nothing is acknowledged that is not safe, nothing is made twice. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { Streams } from './lib/sse.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';
import { Wire } from './lib/wire.mjs';

const run = promisify(execFile);
/* lib/db.h's DB_TIME_US, and something for a machine that has other things to do */
const REQUEST_MS = 15000 + 5000;

/** @type {import('./lib/stack.mjs').Stack} */
let stack;
/** @type {import('./lib/store.mjs').Store} */
let store;
/** @type {Streams} */
let streams;

before(async () => {
	stack = await ownStack('database', {});
	streams = new Streams(stack);
});
after(() => stack?.stop());
beforeEach(async () => {
	store = await newStore(stack);
});
afterEach(() => streams?.closeAll());

/** As PostgreSQL's superuser, each command in a transaction of its own. @param {string[]} commands */
function psql(...commands) {
	const args = commands.flatMap((command) => ['-c', command]);
	return run('psql', ['-XqAt', '-h', join(stack.dir, 'run'), '-U', 'postgres', '-d', 'table_order', ...args], { env: { PATH: process.env.PATH } });
}

/** What they answer. @param {string[]} commands */
const superuser = async (...commands) => (await psql(...commands)).stdout.trim();

/** @param {string} setting @param {string} value */
const set = (setting, value) => superuser(`alter system set ${setting} = '${value}'`, 'select pg_reload_conf()');

/** From now on commits wait for a standby that never comes: the server takes a moment, until a commit of ours waits, too. */
async function loseStandby() {
	await set('synchronous_standby_names', 'nobody');
	await until('a commit of ours that waits', async () => {
		let done = false;
		const commit = superuser("select pg_logical_emit_message(true, 'test', '')").finally(() => { done = true; });
		const cancelled = await until('its end, or that it waits', async () =>
			done || await superuser("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and usename = 'postgres'"));
		await commit;
		return cancelled !== true;
	});
}

/** @param {Record<string, string>} [headers] */
const order = (headers) => store.client.post('/api/customer/orders', { token: store.tables[0].token, body: { items: [{ menu_id: store.menus[0].id, quantity: 1 }] }, headers });
/** @param {number} id @param {string} status @param {number} version */
const move = (id, status, version) => store.client.patch(`/api/admin/orders/${id}/status`, { token: store.admin.token, body: { status, version } });
const orders = async () => Number(await store.sql("select count(*) from orders where store_id = :'store'"));

/** @param {string} name of a counter without labels */
async function metric(name) {
	const { text } = await new Client(stack, '127.0.0.1').get('/metrics');
	return Number(new RegExp(`^table_order_${name} (\\d+)$`, 'm').exec(text)?.[1] ?? NaN);
}

describe('a connection that breaks', () => {
	/** @type {Wire} */
	let wire;

	before(async () => {
		wire = await Wire.tap(stack);
		/* those that were open go past it */
		await superuser("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'table_order_service'");
	});
	after(() => wire?.untap());

	for (const [what, at, when] of /** @type {[string, string, import('./lib/wire.mjs').When][]} */ ([
		['before the server has heard of the transaction', 'begin', 'before'],
		['when the first answers are due', 'begin', 'after'],
	])) {
		test(`${what} costs nothing: the request runs again`, async () => {
			const before = await metric('request_retries_total');
			wire.cutAt(at, when, 3);
			const made = assertOk(await order(), 201);
			wire.cutAt(at, when);
			assertOk(await move(made.id, 'preparing', 1), 200);
			assert.equal(wire.cuts, 1);
			wire.cutAt('begin read only', when, 2);
			assert.equal(assertOk(await store.client.get(`/api/admin/orders/${made.id}`, { token: store.admin.token }), 200).version, 2);
			assert.equal(wire.cuts, 2);
			assert.equal(await orders(), 1);
			await until('6 retries', async () => await metric('request_retries_total') >= before + 6);
		});
		test(`${what}, each time, is 503`, async () => {
			wire.cutAt(at, when, 100);
			assertError(await order(), 503, 'DEPENDENCY_UNAVAILABLE');
			assert.equal(wire.cuts, 4, 'one try and three retries');
			wire.cutAt(at, when, 0);
			assert.equal(await orders(), 0);
		});
	}
	for (const [what, when] of /** @type {[string, import('./lib/wire.mjs').When][]} */ ([['before COMMIT arrives', 'before'], ['after COMMIT, its answer unheard,', 'after']])) {
		test(`${what} leaves one order, and its answer`, async () => {
			const before = await metric('db_commits_in_doubt_total');
			wire.cutAt('commit', when);
			const own = assertOk(await order(), 201);
			wire.cutAt('commit', when);
			const answer = await order({ 'Idempotency-Key': 'k' });
			const keyed = assertOk(answer, 201);
			assert.deepEqual([own.order_number, keyed.order_number], [1, 2]);
			assert.equal((await order({ 'Idempotency-Key': 'k' })).text, answer.text);
			assert.equal(await orders(), 2);
			assert.equal(await store.sql("select count(*) from events where store_id = :'store'"), '2');
			await until('two in doubt', async () => await metric('db_commits_in_doubt_total') >= before + 2);
		});
		test(`${what} each time is 503, and one order when the tablet asks again`, async () => {
			wire.cutAt('commit', when, 100);
			assertError(await order({ 'Idempotency-Key': 'again' }), 503, 'DEPENDENCY_UNAVAILABLE');
			assert.equal(wire.cuts, 4);
			wire.cutAt('commit', when, 0);
			const answer = await order({ 'Idempotency-Key': 'again' });
			assertOk(answer, 201);
			assert.equal(answer.headers['idempotent-replayed'], when === 'after' ? 'true' : undefined);
			assert.equal(await orders(), 1);
		});
		test(`${what} of a change without a key is 503, and the same change again is answered`, async () => {
			const { id } = await store.order(0);
			wire.cutAt('commit', when);
			assertError(await move(id, 'preparing', 1), 503, 'DEPENDENCY_UNAVAILABLE');
			assert.equal(wire.cuts, 1, 'it was run again, with nothing to know it by');
			if (when === 'before')
				assertOk(await move(id, 'preparing', 1), 200);
			else
				assert.equal(assertError(await move(id, 'preparing', 1), 409, 'VERSION_CONFLICT').details.order.status, 'preparing');
			assert.equal(await store.sql("select count(*) from events where store_id = :'store'"), '2');
		});
	}
	test('an end while it was idle is seen before anything is sent on it', async () => {
		for (let i = 0; i < 3; i++)
			await store.order(0);
		const before = [await metric('request_retries_total'), await metric('db_commits_in_doubt_total')];
		await superuser("select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = 'table_order_service'");
		await until('their ends', () => wire.services.size === 0);
		/* a logout is one round trip, COMMIT and all, and has no key */
		assertOk(await store.client.post('/api/auth/logout', { token: store.tables[1].token }), 204);
		await store.order(0);
		assert.deepEqual([await metric('request_retries_total'), await metric('db_commits_in_doubt_total')], before);
	});
	test('the notice that no standby confirmed a commit is understood in any language', async () => {
		wire.hear = (bytes) => Buffer.from(bytes.toString('latin1').replace('canceling wait for synchronous replication due to user request', (s) => 'x'.repeat(s.length)), 'latin1');
		try {
			await withoutStandby(1);
		} finally {
			wire.hear = (bytes) => bytes;
		}
	});
});

/** Until a commit waits for a standby; its process. */
const waiting = () => until('a commit that waits', async () => superuser("select pid from pg_stat_activity where wait_event = 'SyncRep' and usename = 'table_order_service' limit 1"));

/** An order while no standby is there, its waits being cancelled so many times; then the standby "comes back". @param {number} cancels */
async function withoutStandby(cancels) {
	const before = await metric('db_standby_skipped_total');
	await loseStandby();
	try {
		const answer = order({ 'Idempotency-Key': 'k' });
		for (let i = 0; i < cancels; i++) {
			const pid = await waiting();
			await superuser(`select pg_cancel_backend(${pid})`);
			await until('the next attempt', async () => await superuser(`select 1 from pg_stat_activity where pid = ${pid} and wait_event = 'SyncRep'`) === '');
		}
		if (cancels < 4)
			await waiting();
		await set('synchronous_standby_names', '');
		if (cancels < 4)
			assertOk(await answer, 201);
		else
			assertError(await answer, 503, 'DEPENDENCY_UNAVAILABLE');
	} finally {
		await set('synchronous_standby_names', '');
	}
	const again = await order({ 'Idempotency-Key': 'k' });
	assert.equal(assertOk(again, 201).order_number, 1);
	assert.equal(again.headers['idempotent-replayed'], 'true');
	assert.equal(await orders(), 1);
	await until('the metric', async () => await metric('db_standby_skipped_total') === before + cancels);
}

describe('a statement that fails beside a key that is known', () => {
	test('is told: no answer is repeated behind which no commit can wait for the standby', async () => {
		const first = await order({ 'Idempotency-Key': 'k' });
		assertOk(first, 201);
		await superuser('revoke select on menus from table_order_service');
		try {
			const second = await order({ 'Idempotency-Key': 'k' });
			assertError(second, 500, 'INTERNAL_ERROR');
			assert.equal(second.headers['idempotent-replayed'], undefined);
		} finally {
			await superuser('grant select on menus to table_order_service');
		}
		const third = await order({ 'Idempotency-Key': 'k' });
		assert.deepEqual([third.status, third.text, third.headers['idempotent-replayed']], [201, first.text, 'true']);
		assert.equal(await orders(), 1);
	});
});

describe('a standby that does not confirm', () => {
	test('a cancelled wait is no commit: the order is acknowledged once a standby has it', () => withoutStandby(2));
	test('a cancelled wait each time is 503', () => withoutStandby(4));
	test('a refusal waits for it, too: a primary that nobody follows may not know what it says is missing', async () => {
		const { id } = assertOk(await order(), 201);
		await loseStandby();
		try {
			const answers = [move(id, 'served', 1), move(Number.MAX_SAFE_INTEGER, 'ready', 1)];
			await waiting();
			await set('synchronous_standby_names', '');
			assertError(await answers[0], 409, 'INVALID_STATUS_TRANSITION');
			assertError(await answers[1], 404, 'ORDER_NOT_FOUND');
			await loseStandby();
			assertError(await move(Number.MAX_SAFE_INTEGER, 'ready', 1), 503, 'DEPENDENCY_UNAVAILABLE');
		} finally {
			await set('synchronous_standby_names', '');
		}
		const refused = await move(id, 'served', 1);
		assert.equal(assertError(refused, 409, 'INVALID_STATUS_TRANSITION').details.order.id, id);
	});
	test('a look-up by the key waits for it, too, and no request longer than its time', async () => {
		await loseStandby();
		try {
			const start = performance.now();
			const answer = order({ 'Idempotency-Key': 'k' });
			/* this ends the wait, and everybody sees the order, which no standby has */
			await superuser(`select pg_terminate_backend(${await waiting()})`);
			await until('the order', async () => await orders() === 1);
			assertError(await answer, 503, 'DEPENDENCY_UNAVAILABLE');
			assert.ok(performance.now() - start < REQUEST_MS, `it took ${performance.now() - start} ms`);
			assertOk(await store.client.get('/api/admin/board', { token: store.admin.token }), 200);
		} finally {
			await set('synchronous_standby_names', '');
		}
		assertOk(await order({ 'Idempotency-Key': 'k' }), 201);
		assert.equal(await orders(), 1);
	});
});

describe('a server that takes no writes any more', () => {
	test('is left: requests are 503 and the dispatcher stands back, until it takes them again', async () => {
		const stream = await streams.open('/api/admin/orders/stream', { token: store.admin.token, retryMs: 100 });
		await store.order(0);
		await set('default_transaction_read_only', 'on');
		try {
			/* the backends hear of it one by one */
			await until('a refusal', async () => (await order()).status === 503);
			const start = performance.now();
			assertError(await order(), 503, 'DEPENDENCY_UNAVAILABLE');
			assertError(await store.client.post('/api/auth/logout', { token: store.tables[1].token }), 503, 'DEPENDENCY_UNAVAILABLE');
			assert.ok(performance.now() - start < REQUEST_MS);
			assert.ok(stack.log('create-order').some((line) => line.message === 'request runs again' && /25006/.test(line.cause)), 'another server was not looked for');
			await until('health to say so', async () => (await new Client(stack).get('/health')).status === 503);
			await until('a dispatcher that stands back', () => stack.log('outbox-dispatcher').findLast((line) => /active/.test(line.message))?.message === 'not active any more');
			assert.ok(stack.log('create-order').some((line) => line.message === 'database cannot be reached' && /read-only/.test(line.error)), 'no log line says why');
		} finally {
			await set('default_transaction_read_only', 'off');
		}
		const last = await orders() + 1;
		await store.order(0);
		await stream.untilId(last, 30000);
		await until('an empty outbox', async () => await store.sql("select count(*) from events where published_at is null and store_id = :'store'") === '0', 30000);
		assert.equal(await orders(), last);
	});
});
