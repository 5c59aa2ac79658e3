/** Past orders, by table and of the whole store. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';

const stack = sharedStack();
const STORE = '/api/admin/order-history';

/** @typedef {import('./lib/store.mjs').Store} Store */

/** @param {Store} store @param {string} path @param {Record<string, string>} [headers] */
const get = (store, path, headers) => store.client.get(path, { token: store.admin.token, headers });

/** @param {Store} store @param {string} path */
const read = async (store, path) => assertOk(await get(store, path), 200);

/** @param {Store} store @param {number} table */
const ofTable = (store, table) => `/api/admin/tables/${store.tables[table].table_id}/order-history`;

/** @param {Store} store @param {number} table */
const complete = async (store, table) =>
	assertOk(await store.client.post(`/api/admin/tables/${store.tables[table].table_id}/complete-session`, { token: store.admin.token }), 200);

/** @param {any} json */
const numbers = (json) => json.data.map((/** @type {any} */ o) => `${o.business_date.slice(5)}#${o.order_number}`);

/** What an order says of itself once it is past. @param {any} order @param {any} more */
function asPast({ id, version, status_changed_at, created_at, ...same }, more) {
	assert.ok(version && status_changed_at);
	return { ...same, original_order_id: id, order_created_at: created_at, ...more };
}

/**
 * Past orders of some days: two of the first table and one of the second on each, numbered 1…3.
 * @param {Store} store @param {string[]} days
 */
async function addDays(store, days) {
	await store.sql(`
		insert into table_sessions (store_id, table_id, started_at, ended_at, archived_orders_count, archived_total_price, payable_total_price, unserved_orders_count)
			select :'store', id, now() - interval '1 minute', now(), 0, 0, 0, 0 from dining_tables where store_id = :'store';
		with made as (
			insert into order_history (store_id, table_id, table_session_id, original_order_id, order_number, business_date, status, total_price, order_created_at, archived_at)
			select :'store', t.id, s.id, nextval(pg_get_serial_sequence('orders', 'id')), n, day::date, 'served', 1000 * n, now(), now()
			from unnest(string_to_array(:'days', ',')) day, generate_series(1, 3) n,
				lateral (select id from dining_tables where store_id = :'store' order by id offset n / 3 limit 1) t
				join table_sessions s on s.table_id = t.id
			returning id, store_id, archived_at, order_number)
		insert into order_history_items (store_id, order_history_id, archived_at, menu_id, menu_name, quantity, unit_price, subtotal)
		select store_id, id, archived_at, 1, '옛 음식', 1, 1000 * order_number, 1000 * order_number from made`, { days: days.join(',') });
}

for (const [name, path] of /** @type {[string, (store: Store) => string][]} */ ([
	['GET /api/admin/tables/{table_id}/order-history', (store) => ofTable(store, 0)],
	['GET /api/admin/order-history', () => STORE],
])) {
	const whole = name.endsWith('admin/order-history');
	/* the coverage test wants these names: route('GET /api/admin/tables/{table_id}/order-history', route('GET /api/admin/order-history' */
	route(name, ({ succeeds, refuses }) => {
		/** @type {Store} */
		let store;

		before(async () => {
			store = await newStore(stack);
			await addDays(store, ['2026-03-01', '2026-03-02', '2024-02-29']);
		});

		succeeds('as they were, whatever their status, newest first', async () => {
			const own = await newStore(stack);
			assert.deepEqual(await read(own, path(own)), { data: [], pagination: { page: 1, page_size: 50, total_count: 0, total_pages: 0 } });
			const first = assertOk(await own.client.post('/api/customer/orders', { token: own.tables[0].token,
				body: { items: [{ menu_id: own.menus[2].id, quantity: 3 }, { menu_id: own.menus[0].id, quantity: 1 }], note: '덜 짜게' } }), 201);
			const second = await own.move((await own.order(0, [1])).id, 'cancelled');
			await own.order(1);
			const { session } = await complete(own, 0);
			const json = await read(own, path(own));
			const more = (/** @type {number} */ i) => ({ id: json.data[i].id, archived_at: session.ended_at });
			assert.deepEqual(json.data, [asPast(second, more(0)), asPast(first, more(1))]);
			assert.ok(Number.isSafeInteger(json.data[0].id) && json.data[0].id !== json.data[1].id);
			assert.deepEqual(json.pagination, { page: 1, page_size: 50, total_count: 2, total_pages: 1 });
		});
		succeeds('from one business date to another, both inclusive', async () => {
			const of = whole ? ['#3', '#2', '#1'] : ['#2', '#1'];
			const days = (/** @type {string[]} */ ...list) => list.flatMap((day) => of.map((n) => `${day}${n}`));
			/** @type {[string, string[]][]} */
			const expected = [
				['', days('03-02', '03-01', '02-29')], ['?from=2026-03-01', days('03-02', '03-01')], ['?to=2026-03-01', days('03-01', '02-29')],
				['?from=2026-03-01&to=2026-03-01', days('03-01')], ['?from=2026-03-02&to=2026-03-01', []], ['?from=2026-03-03', []],
				['?from=2024-02-29&to=2024-02-29', days('02-29')], ['?to=0001-01-01', []], ['?from=9999-12-31', []],
			];
			for (const [query, list] of expected) {
				const json = await read(store, path(store) + query);
				assert.deepEqual([numbers(json), json.pagination.total_count], [list, list.length], query);
			}
		});
		succeeds('page by page', async () => {
			const n = whole ? 9 : 6;
			const all = numbers(await read(store, path(store)));
			const pages = [];
			for (const page of [1, 2, 3, 4, 99])
				pages.push(await read(store, `${path(store)}?page_size=4&page=${page}`));
			assert.deepEqual(pages.flatMap(numbers), all);
			assert.deepEqual(pages.map((p) => p.pagination), [1, 2, 3, 4, 99].map((page) => ({ page, page_size: 4, total_count: n, total_pages: Math.ceil(n / 4) })));
			for (const size of [1, 100])
				assert.equal((await read(store, `${path(store)}?page_size=${size}`)).data.length, Math.min(size, n));
			assert.equal((await read(store, `${path(store)}?page_size=2&page=1&from=2026-03-01&to=2026-03-02`)).pagination.total_pages, whole ? 3 : 2);
		});
		refuses('dates that are none', async () => {
			for (const field of ['from', 'to'])
				for (const date of ['2026-02-29', '2026-13-01', '2026-00-10', '2026-01-00', '2026-1-1', '20260101', '2026-01-01T00:00:00Z', '2026-04-31', '0000-01-01', '1900-02-29',
					'today', 'infinity', '-infinity', '10000-01-01', '-001-01-01', '2026-01-1x', '2026/01/01', '+026-01-01', '%00', '%ff', '2026-01-01%00'])
					assertInvalid(await get(store, `${path(store)}?${field}=${date}`), field);
		});
		refuses('pages that are none', async () => {
			for (const [field, values] of /** @type {[string, string[]][]} */ ([['page', ['0', '-1', 'x', '1.5', '99999999999999999999', '']], ['page_size', ['0', '101', '-5', 'x', '1e1', '']]]))
				for (const value of values)
					assertInvalid(await get(store, `${path(store)}?${field}=${value}`), field);
			for (const page of ['9007199254740991', '9223372036854775807'])
				assert.ok([200, 400].includes((await get(store, `${path(store)}?page=${page}`)).status), page);
		});
		succeeds('from the cache a second time, and anew after a completion', async () => {
			const own = await newStore(stack);
			await own.order(0);
			await complete(own, 0);
			const trips = async (/** @type {import('./lib/client.mjs').Answer} */ answer) =>
				(await stack.logLine('order-history-query', String(answer.headers['x-request-id']))).db_trips;
			const url = `${path(own)}?page_size=10`;
			const [cold, warm] = [await get(own, url), await get(own, url)];
			assertOk(warm, 200);
			assert.deepEqual([warm.text, await trips(cold), await trips(warm)], [cold.text, 1, 0]);
			await own.order(0);
			await get(own, url);
			await complete(own, 0);
			const anew = await get(own, url);
			assert.deepEqual([numbers(assertOk(anew, 200)).length, await trips(anew)], [2, 1]);
			assert.equal(await trips(await get(own, `${path(own)}?page_size=9`)), 1, 'another page has another answer');
			assert.equal(assertOk(await get(own, `${path(own)}?page_size=1`), 200).data.length, 1);
		});
		succeeds('with an ETag, by which an unchanged page is not sent again', async () => {
			const own = await newStore(stack);
			await own.order(0);
			await complete(own, 0);
			const first = await get(own, path(own));
			const etag = String(first.headers.etag);
			assert.match(etag, /^"[^"]+"$/);
			for (const answer of [await get(own, path(own), { 'If-None-Match': etag }), await get(own, path(own), { 'If-None-Match': `W/${etag}` })])
				assert.deepEqual([answer.status, answer.text, answer.headers.etag], [304, '', etag]);
			assert.match(String(first.headers['cache-control']), /^private, no-cache$/);
			await own.order(0);
			await complete(own, 0);
			assert.equal(assertOk(await get(own, path(own), { 'If-None-Match': etag }), 200).data.length, 2);
		});
		succeeds('of a deleted table, too', async () => {
			const own = await newStore(stack);
			const order = await own.order(0);
			await complete(own, 0);
			await get(own, path(own));
			assertOk(await own.client.api('DELETE', `/api/admin/tables/${order.table_id}`, { token: own.admin.token }), 204);
			const made = assertOk(await own.client.post('/api/admin/tables', { token: own.admin.token, body: { table_number: 'T-1', password: 'x' } }), 201);
			const json = await read(own, `${path(own)}?page_size=7`);
			assert.deepEqual([json.data.length, json.data[0].table_id, json.data[0].table_number], [1, order.table_id, 'T-1']);
			assert.deepEqual((await read(own, `/api/admin/tables/${made.id}/order-history`)).data, []);
		});
		succeeds('with the table\'s new number at once', async () => {
			const own = await newStore(stack);
			const { table_id } = await own.order(0);
			await complete(own, 0);
			for (let i = 0; i < 2; i++)
				assert.equal((await read(own, path(own))).data[0].table_number, own.tables[0].table_number);
			assertOk(await own.client.patch(`/api/admin/tables/${table_id}`, { token: own.admin.token, body: { table_number: 'Window' } }), 200);
			assert.equal((await read(own, path(own))).data[0].table_number, 'Window');
		});
		succeeds('of this store alone, with the cache warm or cold', async () => {
			const [own, other] = [await newStore(stack), await newStore(stack)];
			for (const s of [own, other]) {
				await s.order(0);
				await complete(s, 0);
			}
			for (let i = 0; i < 2; i++)
				for (const s of [own, other])
					assert.deepEqual((await read(s, path(s))).data.map((/** @type {any} */ o) => o.table_id), [s.tables[0].table_id]);
		});
	});
}

describe('the history of one table', () => {
	test('is not there for what is no table of the store', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [other.tables[0].table_id, 999999999, '0', '-1', 'x', '1.0', '9007199254740992', '18446744073709551617', '%31'])
			for (let i = 0; i < 2; i++)
				assertError(await get(store, `/api/admin/tables/${id}/order-history`), 404, 'TABLE_NOT_FOUND');
	});
	test('is what the store\'s says of it', async () => {
		const store = await newStore(stack);
		await addDays(store, ['2026-03-01', '2026-03-02']);
		for (const [i, list] of [['03-02#2', '03-02#1', '03-01#2', '03-01#1'], ['03-02#3', '03-01#3']].entries()) {
			const json = await read(store, `${STORE}?table_id=${store.tables[i].table_id}`);
			assert.deepEqual(numbers(json), list);
			assert.deepEqual(json, await read(store, ofTable(store, i)));
		}
		const other = await newStore(stack);
		const [unknown, foreign] = [await get(store, `${STORE}?table_id=999999999`), await get(store, `${STORE}?table_id=${other.tables[0].table_id}`)];
		assert.deepEqual([foreign.status, foreign.json?.error?.code], [unknown.status, unknown.json?.error?.code]);
		for (const id of ['0', 'x', '-1', '1.5', '9007199254740992', ''])
			assertInvalid(await get(store, `${STORE}?table_id=${id}`), 'table_id');
	});
	test('takes a thousand orders of a party', async () => {
		const store = await newStore(stack, { tables: 1 });
		const order = await store.order(0, [0, 1]);
		await store.sql(`
			with o as (insert into orders (id, store_id, table_id, table_session_id, order_number, business_date, status, status_changed_at, total_price, version)
				select nextval(pg_get_serial_sequence('orders', 'id')), store_id, table_id, table_session_id, n, business_date, status, status_changed_at, total_price, 1
				from orders, generate_series(2, 1000) n where store_id = :'store' returning id)
			insert into order_items (store_id, order_id, menu_id, menu_name, quantity, unit_price, subtotal)
				select i.store_id, o.id, i.menu_id, i.menu_name, i.quantity, i.unit_price, i.subtotal from o, order_items i where i.store_id = :'store'`);
		const start = performance.now();
		const ended = await complete(store, 0);
		console.log(`# 1,000 orders completed in ${Math.round(performance.now() - start)} ms`);
		assert.deepEqual([ended.archived_orders_count, ended.archived_total_price], [1000, 1000 * order.total_price]);
		const json = await read(store, `${STORE}?page=10&page_size=100`);
		assert.deepEqual([json.data.length, json.pagination.total_pages, json.data[99].original_order_id], [100, 10, order.id]);
	});
});
