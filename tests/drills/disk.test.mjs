/** The database's disk is full, under load: that of the tables, then that of the write-ahead log. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { assertError, assertOk } from '../api/lib/client.mjs';
import { Disk, noDisks } from '../api/lib/disk.mjs';
import { orderThrough, persist } from '../api/lib/load.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { ownStack } from '../api/lib/stack.mjs';
import { newStore } from '../api/lib/store.mjs';
import { until } from '../api/lib/until.mjs';

/** For so long there is no space. */
const FULL_MS = 10000;

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;

let made = 0;
/** @type {Disk | undefined} */
let disk;

/** Moves a part of the database's directory to a disk that can be full. @param {string} part @param {number} mebibytes */
async function move(part, mebibytes) {
	await stack.part('stop', 'postgres');
	const moved = Disk.instead(join(stack.dir, 'postgres', part), mebibytes);
	await stack.part('start', 'postgres');
	return moved;
}

/** As the superuser. @param {string} text */
function asPostgres(text) {
	return execFileSync('psql', ['-XqAt', '-h', join(stack.dir, 'run'), '-U', 'postgres', '-d', 'table_order', '-c', text], { encoding: 'utf8', stdio: 'pipe' }).trim();
}

/**
 * Orders go on while a disk fills and has space again. @param {string} drill
 * @param {(store: import('../api/lib/store.mjs').Store) => Promise<any>} full what is looked at in between
 * @param {() => Promise<any>} then when there is space again @param {() => any} strain what uses space up, beside orders
 */
async function through(drill, full, then, strain = () => undefined) {
	const probe = await newStore(stack), board = await streams.open('/api/admin/orders/stream', { token: probe.admin.token });
	const body = { items: [{ menu_id: probe.menus[0].id, quantity: 1 }], note: 'x'.repeat(200) };
	let sent = 0;
	/** @param {string} key */
	const order = (key) => probe.client.post('/api/customer/orders', { token: probe.tables[0].token, body, headers: { 'Idempotency-Key': key } });
	/** @type {Set<number>} */
	const acknowledged = new Set();

	await orderThrough(stack, streams, async (soFar) => {
		await until('the first orders', () => soFar() > 40);
		disk?.fill();
		await until('a refusal', async () => {
			strain();
			const answer = await order(`n-${++sent}`);
			if (answer.status === 201)
				acknowledged.add(answer.json.id);
			else
				assertError(answer, 503, 'DEPENDENCY_UNAVAILABLE');
			return answer.status === 503;
		}, 120000);
		const before = await full(probe);
		await new Promise((next) => setTimeout(next, FULL_MS));
		const so = soFar();
		disk?.free();
		await then();
		/* the same key again: whatever became of it, it is there once */
		acknowledged.add(assertOk(await persist(() => order(`n-${sent}`)), 201).id);
		await until('more orders', () => soFar() > so + 40, 60000);
		assert.equal(await probe.sql("select count(*) from orders where store_id = :'store'"), String(acknowledged.size), `refused orders were stored; ${before}`);
		await board.untilId(acknowledged.size, 30000);
		assert.deepEqual(board.ids, Array.from({ length: acknowledged.size }, (_, i) => i + 1));
	}, { drill, note: `${FULL_MS / 1000} s without space` });
}

describe('the database without space', { skip: noDisks }, () => {
	/* what was on a disk of its own goes with it */
	beforeEach(async () => {
		stack = await ownStack(`disk-${++made}`, {});
		streams = new Streams(stack);
	});
	afterEach(async () => {
		streams?.closeAll();
		await stack?.stop();
		disk?.remove();
	});

	test('for its tables: orders are 503, reads go on, nothing is half there, and it goes on by itself', async () => {
		disk = await move('base', 80);
		await through('database disk full', async (store) => {
			assertOk(await store.client.get('/api/admin/board', { token: store.admin.token }), 200);
			assertOk(await store.client.get('/api/customer/menus', { token: store.tables[0].token }), 200);
			assert.ok(stack.log('create-order').some((line) => line.status === 503 && /53100 .*No space left/.test(line.cause)), 'the log does not say why');
		}, async () => undefined);
	});

	test('for its log: the server panics and stays down; orders are 503 until it has space and is started', async () => {
		disk = await move('pg_wal', 80);
		await through('database log disk full', async (store) => {
			assertError(await store.client.get('/api/admin/board', { token: store.admin.token }), 503, 'DEPENDENCY_UNAVAILABLE');
			assert.match(readFileSync(join(stack.dir, 'log/postgres.console'), 'utf8'), /PANIC:.*No space left/);
		}, () => stack.part('start', 'postgres'), () => asPostgres('select pg_switch_wal()'));
	});
});
