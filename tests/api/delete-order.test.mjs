/** Removing a wrong order. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { assertError, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { Streams } from './lib/sse.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';

const stack = sharedStack();
const streams = new Streams(stack);
afterEach(() => streams.closeAll());

/** @typedef {import('./lib/store.mjs').Store} Store */
/** @type {Record<string, string[]>} how an order comes to a status */
const WAYS = { pending: [], preparing: ['preparing'], ready: ['preparing', 'ready'], served: ['preparing', 'ready', 'served'], cancelled: ['cancelled'] };
const NO_IDS = ['0', '-1', 'x', '1x', '1.0', '9007199254740992', '18446744073709551617', '%31'];

/** @param {Store} store @param {number | string} id */
const remove = (store, id) => store.client.api('DELETE', `/api/admin/orders/${id}`, { token: store.admin.token });

/** @param {Store} store @param {string} status */
async function orderIn(store, status) {
	let order = await store.order(0, [0, 1]);
	for (const step of WAYS[status])
		order = await store.move(order.id, step);
	return order;
}

route('DELETE /api/admin/orders/{order_id}', ({ succeeds, refuses }) => {
	for (const status of ['pending', 'preparing', 'ready']) {
		succeeds(`one that is ${status}, and then it is not there`, async () => {
			const store = await newStore(stack);
			const order = await orderIn(store, status);
			const answer = await remove(store, order.id);
			assertOk(answer, 204);
			assert.equal(answer.text, '');
			assertError(await remove(store, order.id), 404, 'ORDER_NOT_FOUND');
			assertError(await store.client.get(`/api/admin/orders/${order.id}`, { token: store.admin.token }), 404, 'ORDER_NOT_FOUND');
			assertError(await store.client.get(`/api/customer/orders/${order.id}`, { token: store.tables[0].token }), 404, 'ORDER_NOT_FOUND');
			assert.equal(await store.sql("select (select count(*) from orders where store_id = :'store') + (select count(*) from order_items where store_id = :'store')"), '0');
		});
	}
	succeeds('and tells all of it in one event, by the log and by the streams', async () => {
		const store = await newStore(stack);
		const admin = await streams.open('/api/admin/orders/stream', { token: store.admin.token });
		const table = await streams.open('/api/customer/orders/stream', { token: store.tables[0].token });
		const order = await orderIn(store, 'preparing');
		assertOk(await remove(store, order.id), 204);
		const event = JSON.parse(await store.sql("select payload from events where store_id = :'store' and seq = 3"));
		assert.deepEqual(event, { seq: 3, event_type: 'OrderDeleted', store_id: store.store_id, table_id: order.table_id, table_number: 'T-1',
			table_session_id: order.table_session_id, occurred_at: event.occurred_at, order });
		assert.ok(event.occurred_at > order.status_changed_at);
		assert.equal(order.version, 2);
		assert.equal(await store.sql("select event_type || ' ' || actor || ' ' || table_id || ' ' || table_session_id from events where store_id = :'store' and seq = 3"),
			`OrderDeleted admin:${store.admin.admin_id} ${order.table_id} ${order.table_session_id}`);
		for (const stream of [admin, table]) {
			await stream.untilId(3);
			const last = stream.news[2];
			assert.deepEqual([last.type, last.json], ['OrderDeleted', event]);
		}
	});
	succeeds('without giving its number to another, and with the rest of the party left', async () => {
		const store = await newStore(stack);
		const [first, second] = [await store.order(0, [0]), await store.order(0, [1])];
		assertOk(await remove(store, second.id), 204);
		const third = await store.order(0, [2]);
		assert.deepEqual([first.order_number, second.order_number, third.order_number], [1, 2, 3]);
		assert.equal(third.table_session_id, first.table_session_id);
		const list = assertOk(await store.client.get('/api/customer/orders', { token: store.tables[0].token }), 200);
		assert.deepEqual([list.data, list.total_price], [[first, third], 4000]);
	});
	succeeds('the last one, whose party can still be completed', async () => {
		const store = await newStore(stack);
		const order = await orderIn(store, 'pending');
		assertOk(await remove(store, order.id), 204);
		const ended = assertOk(await store.client.post(`/api/admin/tables/${order.table_id}/complete-session`, { token: store.admin.token }), 200);
		assert.deepEqual([ended.session.id, ended.archived_orders_count, ended.archived_total_price], [order.table_session_id, 0, 0]);
	});
	for (const status of ['served', 'cancelled']) {
		refuses(`one that is ${status}, showing it`, async () => {
			const store = await newStore(stack);
			const order = await orderIn(store, status);
			const events = await store.sql("select count(*) from events where store_id = :'store'");
			assert.deepEqual(assertError(await remove(store, order.id), 409, 'ORDER_CANNOT_DELETE').details, { order });
			assert.equal(await store.sql("select count(*) from events where store_id = :'store'"), events);
			assert.deepEqual(assertOk(await store.client.get(`/api/admin/orders/${order.id}`, { token: store.admin.token }), 200), order);
		});
	}
	refuses('past orders', async () => {
		const store = await newStore(stack);
		const order = await orderIn(store, 'pending');
		assertOk(await store.client.post(`/api/admin/tables/${order.table_id}/complete-session`, { token: store.admin.token }), 200);
		assertError(await remove(store, order.id), 404, 'ORDER_NOT_FOUND');
		assert.equal(await store.sql("select count(*) from order_history where store_id = :'store'"), '1');
	});
	refuses('another store\'s orders, and what is no id', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const there = await other.order(0);
		for (const id of [there.id, 999999999, ...NO_IDS])
			assertError(await remove(store, id), 404, 'ORDER_NOT_FOUND');
		assertOk(await other.client.get(`/api/admin/orders/${there.id}`, { token: other.admin.token }), 200);
	});
});

describe('deletions at once', () => {
	test('of one order: one succeeds, the others find nothing', async () => {
		const store = await newStore(stack);
		const order = await orderIn(store, 'pending');
		const answers = await Promise.all(Array.from({ length: 8 }, () => remove(store, order.id)));
		assert.deepEqual(answers.map((a) => a.status).sort(), [204, ...Array(7).fill(404)]);
		assert.equal(await store.sql("select count(*) from events where store_id = :'store'"), '2');
	});
	test('and moves: what is served is not deleted, what is deleted is not moved', async () => {
		const store = await newStore(stack);
		const orders = await Promise.all(Array.from({ length: 6 }, () => orderIn(store, 'ready')));
		await Promise.all(orders.map(async (order, i) => {
			const move = () => store.client.patch(`/api/admin/orders/${order.id}/status`, { token: store.admin.token, body: { status: 'served' } });
			const early = i % 2 === 0 ? move() : undefined;
			const [a, b] = await Promise.all([remove(store, order.id), early ?? move()]);
			assert.ok((a.status === 204 && b.status === 404) || (a.status === 409 && b.status === 200), `${a.status} ${b.status}`);
		}));
	});
});
