/** The end of a party: its orders become history. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { Streams } from './lib/sse.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';

const stack = sharedStack();
const streams = new Streams(stack);
afterEach(() => streams.closeAll());

/** @typedef {import('./lib/store.mjs').Store} Store */
const NO_IDS = ['0', '-1', 'x', '1x', '1.0', '9007199254740992', '18446744073709551617', '%31'];

/** @param {Store} store @param {number} table @param {import('./lib/client.mjs').Options} [options] */
const complete = (store, table, options) =>
	store.client.post(`/api/admin/tables/${store.tables[table].table_id}/complete-session`, { token: store.admin.token, ...options });

/** Live orders and their items, by number. @param {Store} store */
const live = (store) => store.sql(`select o.order_number, o.id, o.table_id, o.table_session_id, o.business_date, o.status, o.total_price, o.note, o.created_at,
	i.menu_id, i.menu_name, i.quantity, i.unit_price, i.subtotal
	from orders o join order_items i on i.store_id = o.store_id and i.order_id = o.id where o.store_id = :'store' order by o.order_number, i.id`);

/** The same of the past ones. @param {Store} store */
const past = (store) => store.sql(`select o.order_number, o.original_order_id, o.table_id, o.table_session_id, o.business_date, o.status, o.total_price, o.note, o.order_created_at,
	i.menu_id, i.menu_name, i.quantity, i.unit_price, i.subtotal
	from order_history o join order_history_items i on i.store_id = o.store_id and i.order_history_id = o.id and i.archived_at = o.archived_at
	where o.store_id = :'store' order by o.order_number, i.id`);

/** One order of each status. @param {Store} store @param {number} table */
async function party(store, table) {
	const [, preparing, ready, served, cancelled] = [await store.order(table, [0, 1]), await store.order(table, [1]), await store.order(table, [2]), await store.order(table, [3]), await store.order(table, [4, 5])];
	const steps = ['preparing', 'ready', 'served'];
	for (const [order, n] of [[preparing, 1], [ready, 2], [served, 3]])
		for (const step of steps.slice(0, n))
			await store.move(order.id, step);
	await store.move(cancelled.id, 'cancelled');
	return preparing.table_session_id;
}

route('POST /api/admin/tables/{table_id}/complete-session', ({ succeeds, refuses }) => {
	succeeds('moving every order whatever its status, with its items, and counting them', async () => {
		const store = await newStore(stack);
		const session = await party(store, 0);
		const elsewhere = await store.order(1, [0]);
		await store.client.post('/api/customer/orders', { token: store.tables[0].token, body: { items: [{ menu_id: store.menus[0].id, quantity: 100 }], note: '맵지 않게' } });
		const before = (await live(store)).split('\n').filter((line) => line.split('|')[1] !== String(elsewhere.id));
		const json = assertOk(await complete(store, 0), 200);
		assert.deepEqual(json, {
			session: { id: session, table_id: store.tables[0].table_id, table_number: 'T-1', started_at: json.session.started_at, ended_at: json.session.ended_at },
			archived_orders_count: 6, archived_total_price: 3000 + 2000 + 3000 + 4000 + 11000 + 100000,
			payable_total_price: 3000 + 2000 + 3000 + 4000 + 100000, unserved_orders_count: 4,
		});
		assert.ok(json.session.ended_at > json.session.started_at);
		assert.deepEqual((await past(store)).split('\n'), before);
		assert.equal((await live(store)).split('|')[1], String(elsewhere.id));
		assert.equal(await store.sql(`select archived_orders_count, archived_total_price, payable_total_price, unserved_orders_count, ended_at is not null
			from table_sessions where id = :session`, { session }), '6|123000|112000|4|t');
		assert.deepEqual(assertOk(await store.client.get('/api/customer/orders', { token: store.tables[0].token }), 200).data, []);
		const [first, second] = assertOk(await store.client.get('/api/admin/board', { token: store.admin.token }), 200).tables;
		assert.deepEqual([first.session, first.orders, second.orders], [null, [], [elsewhere]]);
	});
	succeeds('with an event that holds the answer, for the board and this table alone', async () => {
		const store = await newStore(stack);
		const admin = await streams.open('/api/admin/orders/stream', { token: store.admin.token });
		const [here, there] = [await streams.open('/api/customer/orders/stream', { token: store.tables[0].token }), await streams.open('/api/customer/orders/stream', { token: store.tables[1].token })];
		const order = await store.order(0, [0, 1]);
		const json = assertOk(await complete(store, 0), 200);
		const event = JSON.parse(await store.sql("select payload from events where store_id = :'store' and seq = 2"));
		assert.deepEqual(event, { seq: 2, event_type: 'TableSessionCompleted', store_id: store.store_id, table_id: order.table_id, table_number: 'T-1',
			table_session_id: order.table_session_id, occurred_at: json.session.ended_at, ...json });
		assert.equal(await store.sql("select actor from events where store_id = :'store' and seq = 2"), `admin:${store.admin.admin_id}`);
		for (const stream of [admin, here]) {
			await stream.untilId(2);
			assert.deepEqual([stream.news[1].type, stream.news[1].json], ['TableSessionCompleted', event]);
		}
		await store.order(1);
		await there.untilId(3);
		assert.deepEqual(there.ids, [3]);
	});
	succeeds('for one session after another of a table', async () => {
		const store = await newStore(stack);
		const sessions = [];
		for (let i = 0; i < 3; i++) {
			const order = await store.order(0, [i]);
			sessions.push(order.table_session_id);
			const json = assertOk(await complete(store, 0), 200);
			assert.deepEqual([json.session.id, json.archived_orders_count, json.archived_total_price, order.order_number], [order.table_session_id, 1, 1000 * (i + 1), i + 1]);
		}
		assert.equal(new Set(sessions).size, 3);
	});
	succeeds('with a body or without, and with what it does not know', async () => {
		const store = await newStore(stack);
		for (const options of [{}, { raw: '' }, { raw: '', headers: { 'Content-Type': '' } }, { body: {} }, { body: { table_session_id: null } }, { body: { other: [1] } }]) {
			await store.order(0);
			assert.equal(assertOk(await complete(store, 0, options), 200).archived_orders_count, 1);
		}
		const order = await store.order(0);
		assert.equal(assertOk(await complete(store, 0, { body: { table_session_id: order.table_session_id } }), 200).session.id, order.table_session_id);
	});
	succeeds('a late retry with its recorded result, which never closes the next party', async () => {
		const store = await newStore(stack);
		const session = await party(store, 0);
		const body = { table_session_id: session };
		const first = assertOk(await complete(store, 0, { body }), 200);
		assert.deepEqual(assertOk(await complete(store, 0, { body }), 200), first);
		const next = await store.order(0);
		const events = await store.sql("select count(*) from events where store_id = :'store'");
		assert.deepEqual(assertOk(await complete(store, 0, { body }), 200), first);
		assert.deepEqual(assertOk(await store.client.get('/api/customer/orders', { token: store.tables[0].token }), 200).data, [next]);
		assert.equal(await store.sql("select count(*) from events where store_id = :'store'"), events);
	});
	succeeds('a late retry even when the table was deleted meanwhile', async () => {
		const store = await newStore(stack);
		const order = await store.order(0);
		const body = { table_session_id: order.table_session_id };
		const first = assertOk(await complete(store, 0, { body }), 200);
		assertOk(await store.client.api('DELETE', `/api/admin/tables/${order.table_id}`, { token: store.admin.token }), 204);
		assert.deepEqual(assertOk(await complete(store, 0, { body }), 200), first);
		assertError(await complete(store, 0), 404, 'TABLE_NOT_FOUND');
	});
	refuses('a table without a party', async () => {
		const store = await newStore(stack);
		assertError(await complete(store, 0), 404, 'SESSION_NOT_FOUND');
		await store.order(0);
		assertOk(await complete(store, 0), 200);
		assertError(await complete(store, 0), 404, 'SESSION_NOT_FOUND');
	});
	refuses('sessions of other tables and stores, and unknown ones, leaving all as it is', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const [here, beside, there] = [await store.order(0), await store.order(1), await other.order(0)];
		for (const id of [beside.table_session_id, there.table_session_id, 999999999])
			assertError(await complete(store, 0, { body: { table_session_id: id } }), 404, 'SESSION_NOT_FOUND');
		assertOk(await complete(store, 1), 200);
		assertError(await complete(store, 0, { body: { table_session_id: beside.table_session_id } }), 404, 'SESSION_NOT_FOUND');
		assert.deepEqual(assertOk(await store.client.get('/api/customer/orders', { token: store.tables[0].token }), 200).data, [here]);
		assert.deepEqual(assertOk(await other.client.get('/api/customer/orders', { token: other.tables[0].token }), 200).data, [there]);
	});
	refuses('tables that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const there = await other.order(0);
		for (const id of [there.table_id, 999999999, ...NO_IDS])
			for (const body of [undefined, { table_session_id: there.table_session_id }])
				assertError(await store.client.post(`/api/admin/tables/${id}/complete-session`, { token: store.admin.token, body }), 404, 'TABLE_NOT_FOUND');
		assert.deepEqual(assertOk(await other.client.get('/api/customer/orders', { token: other.tables[0].token }), 200).data, [there]);
	});
	refuses('bodies that are not right, closing nothing', async () => {
		const store = await newStore(stack);
		const order = await store.order(0);
		for (const id of [0, -1, 1.5, '1', String(order.table_session_id), true, [], {}, [order.table_session_id], 2 ** 53, 1e300])
			assertInvalid(await complete(store, 0, { body: { table_session_id: id } }), 'table_session_id');
		for (const raw of ['[]', '{', '"x"', 'null', '1', '{"table_session_id":18446744073709551617}', '{} {}', `{"table_session_id":${'['.repeat(500)}`])
			assertError(await complete(store, 0, { raw }), 400, 'INVALID_REQUEST');
		assertError(await complete(store, 0, { raw: '{}', headers: { 'Content-Type': 'text/plain' } }), 415, 'UNSUPPORTED_MEDIA_TYPE');
		assert.deepEqual(assertOk(await store.client.get('/api/customer/orders', { token: store.tables[0].token }), 200).data, [order]);
		assert.equal(await store.sql("select count(*) from order_history where store_id = :'store'"), '0');
	});
});

describe('completions at once', () => {
	test('of one table: one has the party, the others find none', async () => {
		const store = await newStore(stack);
		await party(store, 0);
		const answers = await Promise.all(Array.from({ length: 8 }, () => complete(store, 0)));
		assert.deepEqual(answers.map((a) => a.status).sort(), [200, ...Array(7).fill(404)]);
		assert.equal(await store.sql("select count(*) from order_history where store_id = :'store'"), '5');
	});
	test('that name the session: all have the same result', async () => {
		const store = await newStore(stack);
		const body = { table_session_id: await party(store, 0) };
		const answers = await Promise.all(Array.from({ length: 8 }, () => complete(store, 0, { body })));
		for (const answer of answers)
			assert.deepEqual(assertOk(answer, 200), answers[0].json);
		assert.equal(await store.sql("select count(*) from events where store_id = :'store' and event_type = 'TableSessionCompleted'"), '1');
	});
	test('and orders: each order ends wholly in one session, nothing is lost, all sums are equal', async () => {
		const store = await newStore(stack, { tables: 1 });
		/** @type {any[]} */
		const orders = [];
		/** @type {any[]} */
		const ended = [];
		let ordering = true;
		const closers = Array.from({ length: 3 }, async () => {
			while (ordering) {
				const answer = await complete(store, 0);
				if (answer.status === 200)
					ended.push(assertOk(answer, 200));
				else
					assertError(answer, 404, 'SESSION_NOT_FOUND');
			}
		});
		await Promise.all(Array.from({ length: 6 }, async (_, n) => {
			for (let i = 0; i < 15; i++)
				orders.push(await store.order(0, [n, (n + i) % 6]));
		}));
		ordering = false;
		await Promise.all(closers);
		const last = await complete(store, 0);
		if (last.status === 200)
			ended.push(last.json);

		const sum = (/** @type {any[]} */ list, /** @type {(x: any) => number} */ f) => list.reduce((n, x) => n + f(x), 0);
		assert.equal(orders.length, 90);
		assert.equal(sum(ended, (e) => e.archived_orders_count), 90);
		assert.equal(sum(ended, (e) => e.archived_total_price), sum(orders, (o) => o.total_price));
		assert.deepEqual(orders.map((o) => o.order_number).sort((a, b) => a - b), Array.from({ length: 90 }, (_, i) => i + 1));
		assert.ok(ended.length > 1, 'no completion came between');
		for (const end of ended) {
			const own = orders.filter((o) => o.table_session_id === end.session.id);
			assert.deepEqual([own.length, sum(own, (o) => o.total_price)], [end.archived_orders_count, end.archived_total_price]);
		}
		const rows = (await store.sql(`select h.original_order_id, h.table_session_id, h.total_price, sum(i.subtotal), count(i.id), h.archived_at = s.ended_at
			from order_history h join order_history_items i on i.store_id = h.store_id and i.order_history_id = h.id and i.archived_at = h.archived_at
			join table_sessions s on s.id = h.table_session_id
			where h.store_id = :'store' group by h.id, h.archived_at, h.original_order_id, h.table_session_id, h.total_price, s.ended_at order by h.original_order_id`)).split('\n');
		assert.deepEqual(rows, [...orders].sort((a, b) => a.id - b.id).map((o) => `${o.id}|${o.table_session_id}|${o.total_price}|${o.total_price}|${o.items.length}|t`));
		assert.equal(await store.sql("select (select count(*) from orders where store_id = :'store') + (select count(*) from order_items where store_id = :'store')"), '0');
		const log = (await store.sql("select seq || ' ' || event_type || ' ' || table_session_id from events where store_id = :'store' order by id")).split('\n').map((line) => line.split(' '));
		assert.deepEqual(log.map((e) => Number(e[0])), Array.from({ length: 90 + ended.length }, (_, i) => i + 1));
		const closed = new Set();
		for (const [, type, session] of log) {
			assert.ok(!closed.has(session), `${type} in session ${session} after its end`);
			if (type === 'TableSessionCompleted')
				closed.add(session);
		}
	});
});
