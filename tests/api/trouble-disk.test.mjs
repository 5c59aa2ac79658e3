/** Disks that are full: that of the pictures, of the logs, of RUN_DIR. What does not need them goes on. */
import assert from 'node:assert/strict';
import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { Disk, noDisks } from './lib/disk.mjs';
import { form } from './lib/form.mjs';
import { orderThrough } from './lib/load.mjs';
import { png } from './lib/picture.mjs';
import { Streams } from './lib/sse.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

const NOISE = png(400, 400, () => [Math.random() * 256, Math.random() * 256, Math.random() * 256]);

/** @type {import('./lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;
/** @type {Disk} of RUN_DIR, from the start: sockets do not move */
let run;

describe('a full disk', { skip: noDisks }, () => {
	before(async () => {
		run = new Disk(join(process.env.TABLE_ORDER_TESTS ?? '', 'trouble-disk/run'), 16);
		stack = await ownStack('trouble-disk', {});
		streams = new Streams(stack);
	});
	after(async () => {
		streams?.closeAll();
		await stack?.stop();
		run?.remove();
	});

	test('of pictures: 503 STORAGE_UNAVAILABLE, no file left, no menu changed; the rest goes on', async () => {
		const store = await newStore(stack), { token } = store.admin, { id } = store.menus[0];
		const disk = Disk.instead(stack.env.UPLOAD_DIR, 2);
		const files = () => readdirSync(disk.root).filter((name) => name !== 'ballast');
		/** @param {import('./lib/form.mjs').Part[]} more */
		const upload = (...more) => store.client.api('PATCH', `/api/admin/menus/${id}`, { token, ...form([['image', NOISE, 'menu.png'], ...more]) });

		try {
			const before = assertOk(await upload(), 200);
			assert.equal(files().length, 2);
			disk.fill();
			const events = await store.sql("select last_seq from store_counters where store_id = :'store'");
			const refusal = await upload(['price', '7777']);
			assertError(refusal, 503, 'STORAGE_UNAVAILABLE');
			assertError(await store.client.post('/api/admin/menus', { token,
				...form([['name', '새 메뉴'], ['price', '5000'], ['category_id', String(store.categories[0].id)], ['image', NOISE, 'menu.png']]) }), 503, 'STORAGE_UNAVAILABLE');
			assert.match((await stack.logLine('menu', String(refusal.headers['x-request-id']))).cause, /uploads: No space left on device/);
			assert.equal(files().length, 2, 'half a picture was left');
			assert.deepEqual(assertOk(await store.client.get(`/api/admin/menus/${id}`, { token }), 200), before);
			assert.equal(await store.sql("select last_seq from store_counters where store_id = :'store'"), events);
			assert.equal((await store.client.get(before.image_url)).status, 200);
			/* what needs no picture is done */
			assertOk(await store.client.patch(`/api/admin/menus/${id}`, { token, body: { price: 4321 } }), 200);
			await store.order(0);
			disk.free();
			assert.notEqual(assertOk(await upload(), 200).image_url, before.image_url);
			assert.equal(files().length, 2, 'the replaced picture goes');
		} finally {
			disk.remove();
		}
	});

	test('of logs: programs go on serving; when there is space again they go on logging', async () => {
		const disk = Disk.instead(stack.env.LOG_DIR, 4);

		try {
			/* programs notice within a second that their file is another one */
			await until('a line on the disk', async () => {
				const { headers } = await new Client(stack).get('/health');
				return stack.log('status').some((line) => line.request_id === headers['x-request-id']);
			});
			disk.fill();
			await orderThrough(stack, streams, async (acknowledged) => {
				for (const name of ['create-order', 'outbox-dispatcher', 'sse-relay'])
					await stack.replaced(name, stack.signal(name, 'KILL'));
				const then = acknowledged();
				await until('more orders', () => acknowledged() > then + 20);
			}, { orders: 100, drill: 'log disk full', note: 'three programs replaced meanwhile' });
			const store = await newStore(stack);
			disk.free();
			const order = await store.client.post('/api/customer/orders', { token: store.tables[0].token, body: { items: [{ menu_id: store.menus[0].id, quantity: 1 }] } });
			assertOk(order, 201);
			await stack.logLine('create-order', String(order.headers['x-request-id']));
		} finally {
			disk.remove();
		}
	});

	test('of nginx, for bodies that it does not hold in memory: those are 500 in the API\'s form, all others go on', async () => {
		const store = await newStore(stack), disk = Disk.instead(join(stack.dir, 'nginx'), 2);
		const upload = () => store.client.api('PATCH', `/api/admin/menus/${store.menus[0].id}`, { token: store.admin.token, ...form([['image', NOISE, 'menu.png']]) });

		assert.ok(NOISE.length > 256 << 10);
		try {
			disk.fill();
			assertError(await upload(), 500, 'INTERNAL_ERROR');
			await store.order(0);
			assertOk(await store.client.get('/api/admin/board', { token: store.admin.token }), 200);
			disk.free();
			assertOk(await upload(), 200);
		} finally {
			disk.remove();
		}
	});

	test('of RUN_DIR: a program that starts keeps no metrics, says so, and serves', async () => {
		await stack.part('stop', 'create-order');
		for (const name of readdirSync(run.root).filter((name) => /^create-order.*metrics$/.test(name)))
			unlinkSync(join(run.root, name));
		run.fill();
		await stack.part('start', 'create-order');
		const store = await newStore(stack);
		await store.order(0);
		await until('a warning', () => stack.log('create-order').some((line) => line.message === 'no metrics are kept' && /No space/.test(line.error)));
		run.free();
	});
});
