/** Live orders and the board. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';

const stack = sharedStack();
const NO_IDS = ['0', '-1', 'x', '1x', '1.0', '9007199254740992', '18446744073709551617', '%31', '01'];

/** @param {any[]} orders */
const ids = (orders) => orders.map((order) => order.id);

/** @param {import('./lib/store.mjs').Store} store @param {string} path */
const asTable = (store, path, table = 0) => store.client.get(path, { token: store.tables[table].token });

/** @param {import('./lib/store.mjs').Store} store @param {string} path */
const asAdmin = (store, path) => store.client.get(path, { token: store.admin.token });

route('GET /api/customer/orders', ({ succeeds, refuses }) => {
	succeeds('the table\'s own, whole, with total and last event', async () => {
		const store = await newStore(stack);
		assert.deepEqual(assertOk(await asTable(store, '/api/customer/orders'), 200), { data: [], total_price: 0, last_event_id: 0 });
		const orders = [await store.order(0, [0]), await store.order(1, [1]), await store.order(0, [2, 3])];
		orders[2] = await store.move(orders[2].id, 'preparing');
		const json = assertOk(await asTable(store, '/api/customer/orders'), 200);
		assert.deepEqual(json.data, [orders[0], orders[2]]);
		assert.deepEqual([json.total_price, json.last_event_id], [8000, 4]);
	});
	succeeds('without cancelled orders in the total', async () => {
		const store = await newStore(stack);
		const first = await store.order(0, [0]);
		await store.order(0, [1]);
		await store.move(first.id, 'cancelled');
		const json = assertOk(await asTable(store, '/api/customer/orders'), 200);
		assert.deepEqual(json.data.map((/** @type {any} */ o) => o.status), ['cancelled', 'pending']);
		assert.equal(json.total_price, 2000);
	});
	succeeds('with more than a page of them', async () => {
		const store = await newStore(stack);
		for (let i = 0; i < 60; i++)
			await store.order(0);
		assert.equal(assertOk(await asTable(store, '/api/customer/orders'), 200).data.length, 60);
	});
	refuses('what it cannot answer in', async () => {
		const store = await newStore(stack);
		assertError(await store.client.get('/api/customer/orders', { token: store.tables[0].token, headers: { Accept: 'image/png' } }), 406, 'NOT_ACCEPTABLE');
	});
});

route('GET /api/customer/orders/{order_id}', ({ succeeds, refuses }) => {
	succeeds('one of the table\'s own', async () => {
		const store = await newStore(stack);
		const order = await store.order(0, [0, 1]);
		assert.deepEqual(assertOk(await asTable(store, `/api/customer/orders/${order.id}`), 200), order);
	});
	refuses('orders of other tables and stores, and what is no id', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const here = await store.order(1), there = await other.order(0);
		for (const id of [here.id, there.id, 999999999, ...NO_IDS])
			assertError(await asTable(store, `/api/customer/orders/${id}`), 404, 'ORDER_NOT_FOUND');
	});
});

route('GET /api/admin/orders', ({ succeeds, refuses }) => {
	/** @type {import('./lib/store.mjs').Store} */
	let store;
	/** @type {any[]} */
	let orders;

	before(async () => {
		store = await newStore(stack);
		const other = await newStore(stack);
		await other.order(0);
		orders = [];
		for (let i = 0; i < 7; i++)
			orders.push(await store.order(i % 2, [i % 6]));
		orders[0] = await store.move(orders[0].id, 'preparing');
		orders[3] = await store.move(orders[3].id, 'cancelled');
	});

	/** @param {string} query */
	const list = async (query) => assertOk(await asAdmin(store, `/api/admin/orders${query}`), 200);

	succeeds('all of the store, by id', async () => {
		const json = await list('');
		assert.deepEqual(json.data, orders);
		assert.deepEqual(json.pagination, { page: 1, page_size: 50, total_count: 7, total_pages: 1 });
	});
	succeeds('of a table, of a status, of both', async () => {
		const [first] = store.tables;
		assert.deepEqual(ids((await list(`?table_id=${first.table_id}`)).data), ids([orders[0], orders[2], orders[4], orders[6]]));
		assert.deepEqual(ids((await list('?status=cancelled')).data), ids([orders[3]]));
		const both = await list(`?status=pending&table_id=${first.table_id}`);
		assert.deepEqual(ids(both.data), ids([orders[2], orders[4], orders[6]]));
		assert.equal(both.pagination.total_count, 3);
		assert.deepEqual((await list('?table_id=999999999')).data, []);
	});
	succeeds('page by page', async () => {
		const pages = [await list('?page_size=3'), await list('?page_size=3&page=2'), await list('?page_size=3&page=3'), await list('?page_size=3&page=4')];
		assert.deepEqual(pages.map((p) => ids(p.data)), [ids(orders.slice(0, 3)), ids(orders.slice(3, 6)), ids(orders.slice(6)), []]);
		assert.deepEqual(pages[1].pagination, { page: 2, page_size: 3, total_count: 7, total_pages: 3 });
		assert.equal((await list('?page_size=100')).data.length, 7);
	});
	refuses('filters and pages that are not', async () => {
		/** @type {Record<string, string[]>} */
		const bad = {
			status: ['eaten', 'PENDING', 'pending,ready', 'x'.repeat(5000), '%00'],
			table_id: ['0', 'x', '-1', '1.5', '9007199254740992', ''],
			page: ['0', '-1', 'x', '1.5', '99999999999999999999', ''],
			page_size: ['0', '101', '-5', 'x', '1e1', ''],
		};
		for (const [field, values] of Object.entries(bad))
			for (const value of values)
				assertInvalid(await asAdmin(store, `/api/admin/orders?${field}=${value}`), field);
	});
});

route('GET /api/admin/orders/{order_id}', ({ succeeds, refuses }) => {
	succeeds('any of the store', async () => {
		const store = await newStore(stack);
		for (const order of [await store.order(0, [0]), await store.order(1, [1, 2])])
			assert.deepEqual(assertOk(await asAdmin(store, `/api/admin/orders/${order.id}`), 200), order);
	});
	refuses('another store\'s orders, and what is no id', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const there = await other.order(0);
		for (const id of [there.id, 999999999, ...NO_IDS])
			assertError(await asAdmin(store, `/api/admin/orders/${id}`), 404, 'ORDER_NOT_FOUND');
	});
});

route('GET /api/admin/board', ({ succeeds, refuses }) => {
	succeeds('every table, with its session, totals, counts and live orders, and the last event', async () => {
		const store = await newStore(stack, { tables: 3 });
		const [a, b, c] = [await store.order(0, [0]), await store.order(0, [1, 2]), await store.order(1, [3])];
		const cancelled = await store.move(a.id, 'cancelled');
		const preparing = await store.move(c.id, 'preparing');
		await store.sql('update dining_tables set is_active = false where id = :id', { id: store.tables[2].table_id });
		const json = assertOk(await asAdmin(store, '/api/admin/board'), 200);
		const session = (/** @type {any} */ order, /** @type {any} */ more) => ({ id: order.table_session_id, started_at: order.created_at, ...more });
		const none = { pending: 0, preparing: 0, ready: 0, served: 0, cancelled: 0 };
		assert.deepEqual(json, {
			tables: [
				{ table_id: store.tables[0].table_id, table_number: 'T-1', is_active: true, orders: [cancelled, b],
					session: session(a, { total_price: 5000, orders_count: 2, status_counts: { ...none, pending: 1, cancelled: 1 } }) },
				{ table_id: store.tables[1].table_id, table_number: 'T-2', is_active: true, orders: [preparing],
					session: session(c, { total_price: 4000, orders_count: 1, status_counts: { ...none, preparing: 1 } }) },
				{ table_id: store.tables[2].table_id, table_number: 'T-3', is_active: false, orders: [], session: null },
			],
			last_event_id: 5,
		});
	});
	succeeds('without deleted tables, and without another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		await other.order(0);
		await store.sql('update dining_tables set deleted_at = now() where id = :id', { id: store.tables[1].table_id });
		const json = assertOk(await asAdmin(store, '/api/admin/board'), 200);
		assert.deepEqual(json.tables.map((/** @type {any} */ t) => t.table_id), [store.tables[0].table_id]);
		assert.equal(json.last_event_id, 0);
	});
	succeeds('all of one moment, while orders come in', async () => {
		const store = await newStore(stack, { tables: 4 });
		let ordering = true;
		const boards = (async () => {
			const seen = [];
			while (ordering)
				seen.push(assertOk(await asAdmin(store, '/api/admin/board'), 200));
			return seen;
		})();
		await Promise.all([0, 1, 2, 3].map(async (table) => {
			for (let i = 0; i < 10; i++)
				await store.order(table);
		}));
		ordering = false;
		for (const board of await boards)
			assert.equal(board.tables.flatMap((/** @type {any} */ t) => t.orders).length, board.last_event_id);
	});
	refuses('a body of the wrong language', async () => {
		const store = await newStore(stack);
		assertError(await store.client.get('/api/admin/board', { token: store.admin.token, headers: { Accept: 'text/xml' } }), 406, 'NOT_ACCEPTABLE');
	});
});

describe('reading', () => {
	test('one order, a list and the board each take one trip to the database', async () => {
		const store = await newStore(stack);
		const order = await store.order(0);
		for (const path of ['/api/admin/orders', '/api/admin/board', `/api/admin/orders/${order.id}`]) {
			const answer = await asAdmin(store, path);
			assertOk(answer, 200);
			assert.equal((await stack.logLine('order-query', String(answer.headers['x-request-id']))).db_trips, 1, path);
		}
	});
});
