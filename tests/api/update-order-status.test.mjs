/** Moving an order along. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';

const stack = sharedStack();
const STATUSES = ['pending', 'preparing', 'ready', 'served', 'cancelled'];
/** @type {Record<string, string[]>} */
const FOLLOWS = { pending: ['preparing', 'cancelled'], preparing: ['ready', 'cancelled'], ready: ['served'], served: [], cancelled: [] };
/** @type {Record<string, string[]>} how an order comes there */
const WAYS = { pending: [], preparing: ['preparing'], ready: ['preparing', 'ready'], served: ['preparing', 'ready', 'served'], cancelled: ['cancelled'] };

/** @param {import('./lib/store.mjs').Store} store @param {number | string} id @param {any} body */
const patch = (store, id, body) => store.client.patch(`/api/admin/orders/${id}/status`, { token: store.admin.token, body });

/** @param {import('./lib/store.mjs').Store} store */
const events = (store) => store.sql("select count(*) from events where store_id = :'store'");

/** @param {import('./lib/store.mjs').Store} store @param {string} status */
async function orderIn(store, status) {
	let order = await store.order(0);
	for (const step of WAYS[status])
		order = await store.move(order.id, step);
	return order;
}

route('PATCH /api/admin/orders/{order_id}/status', ({ succeeds, refuses }) => {
	succeeds('with an event that tells all', async () => {
		const store = await newStore(stack);
		const order = await store.order(0, [0, 1]);
		const moved = assertOk(await patch(store, order.id, { status: 'preparing', version: 1, other: 'thing' }), 200);
		assert.deepEqual(moved, { ...order, status: 'preparing', version: 2, status_changed_at: moved.status_changed_at });
		assert.ok(moved.status_changed_at > order.status_changed_at);
		const event = JSON.parse(await store.sql("select payload from events where store_id = :'store' and seq = 2"));
		assert.deepEqual(event, { seq: 2, event_type: 'OrderStatusChanged', store_id: store.store_id, table_id: order.table_id, table_number: 'T-1',
			table_session_id: order.table_session_id, occurred_at: moved.status_changed_at, order: moved, old_status: 'pending', new_status: 'preparing' });
		assert.equal(await store.sql("select actor from events where store_id = :'store' and seq = 2"), `admin:${store.admin.admin_id}`);
		assert.deepEqual(assertOk(await store.client.get(`/api/admin/orders/${order.id}`, { token: store.admin.token }), 200), moved);
	});
	for (const from of STATUSES) {
		succeeds(`from ${from} to what follows, and to itself without an event`, async () => {
			const store = await newStore(stack);
			for (const to of STATUSES) {
				const order = await orderIn(store, from);
				const before = await events(store);
				const answer = await patch(store, order.id, { status: to });
				if (FOLLOWS[from].includes(to)) {
					assert.deepEqual([assertOk(answer, 200).status, answer.json.version], [to, order.version + 1]);
					assert.equal(await events(store), String(Number(before) + 1));
					continue;
				}
				if (to === from)
					assert.deepEqual(assertOk(answer, 200), order);
				else
					assert.deepEqual(assertError(answer, 409, 'INVALID_STATUS_TRANSITION').details, { order });
				assert.equal(await events(store), before);
			}
		});
	}
	refuses('a version that is stale, before anything else', async () => {
		const store = await newStore(stack);
		const order = await orderIn(store, 'preparing');
		for (const status of STATUSES)
			assert.deepEqual(assertError(await patch(store, order.id, { status, version: 1 }), 409, 'VERSION_CONFLICT').details, { order });
		assert.deepEqual(assertError(await patch(store, order.id, { status: 'ready', version: 3 }), 409, 'VERSION_CONFLICT').details, { order });
		assertOk(await patch(store, order.id, { status: 'ready', version: 2 }), 200);
		assertOk(await patch(store, order.id, { status: 'served', version: null }), 200);
	});
	refuses('orders that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const there = await other.order(0);
		for (const id of [there.id, 999999999, 0, -1, 'x', '1.5', '9007199254740992', '18446744073709551617'])
			assertError(await patch(store, id, { status: 'preparing' }), 404, 'ORDER_NOT_FOUND');
		assert.equal((await other.client.get(`/api/admin/orders/${there.id}`, { token: other.admin.token })).json.status, 'pending');
	});
	refuses('bodies that are not right, changing nothing', async () => {
		const store = await newStore(stack);
		const order = await store.order(0);
		for (const status of [undefined, null, '', 'eaten', 'Ready', 3, ['ready'], { status: 'ready' }, 'preparing\u0000', 'x'.repeat(100)])
			assertInvalid(await patch(store, order.id, { status }), 'status');
		for (const version of [0, -1, 1.5, '1', true, [], 2 ** 53])
			assertInvalid(await patch(store, order.id, { status: 'preparing', version }), 'version');
		for (const raw of ['', '[]', '{', '"preparing"'])
			assertError(await store.client.patch(`/api/admin/orders/${order.id}/status`, { token: store.admin.token, raw }), 400, 'INVALID_REQUEST');
		assertError(await store.client.patch(`/api/admin/orders/${order.id}/status`, { token: store.admin.token, body: { status: 'ready' }, headers: { 'Content-Type': 'text/plain' } }), 415, 'UNSUPPORTED_MEDIA_TYPE');
		assert.equal(await events(store), '1');
		assert.deepEqual((await store.client.get(`/api/admin/orders/${order.id}`, { token: store.admin.token })).json, order);
	});
});

describe('moves at once', () => {
	test('with a version: one wins, the others are told the order as it is', async () => {
		const store = await newStore(stack);
		const order = await store.order(0);
		const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => patch(store, order.id, { status: i % 2 === 0 ? 'preparing' : 'cancelled', version: 1 })));
		const winner = answers.filter((a) => a.status === 200);
		assert.equal(winner.length, 1);
		for (const loser of answers.filter((a) => a.status !== 200))
			assert.deepEqual(assertError(loser, 409, 'VERSION_CONFLICT').details.order, winner[0].json);
		assert.equal(await events(store), '2');
	});
	test('over many orders have events without gap or repeat, in the order of their commits', async () => {
		const store = await newStore(stack, { tables: 4 });
		const orders = await Promise.all([0, 1, 2, 3].flatMap((t) => [store.order(t), store.order(t)]));
		await Promise.all(orders.map(async (order) => {
			for (const status of ['preparing', 'ready', 'served'])
				await store.move(order.id, status);
		}));
		const log = (await store.sql("select payload from events where store_id = :'store' order by id")).split('\n').map((s) => JSON.parse(s));
		assert.deepEqual(log.map((e) => e.seq), Array.from({ length: 32 }, (_, i) => i + 1));
		for (const order of orders)
			assert.deepEqual(log.filter((e) => e.order.id === order.id).map((e) => e.order.version), [1, 2, 3, 4]);
	});
});
