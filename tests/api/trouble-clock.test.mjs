/** The clock of all programs and servers is set back by an hour. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertError, assertOk } from './lib/client.mjs';
import { orderThrough, persist } from './lib/load.mjs';
import { Clock } from './lib/preload.mjs';
import { Streams } from './lib/sse.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

const HOUR = 3600;
const RATE_LIMIT = 600;

/** @type {import('./lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;
/** @type {Clock} */
let clock;

before(async () => {
	clock = new Clock('trouble-clock-offset');
	stack = await ownStack('trouble-clock', { RATE_LIMIT_PER_MINUTE: String(RATE_LIMIT) });
	streams = new Streams(stack);
});
after(() => stack?.stop());
afterEach(() => streams?.closeAll());

describe('the clock set back by an hour', () => {
	test('in the first minutes of a business day: the day does not end again, numbers go on, nothing is lost', async () => {
		clock.set(`${new Date(clock.now() + 24 * HOUR * 1000).toISOString().slice(0, 10)}T03:05:00Z`);
		const store = await newStore(stack, { tables: 4 });
		await store.sql("update stores set time_zone = 'UTC', business_day_start = '05:00' where id = :'store'");
		clock.turn(2 * HOUR + 5 * 60);
		const today = new Date(clock.now()).toISOString().slice(0, 10);
		await orderThrough(stack, streams, async (acknowledged) => {
			await until('orders', () => acknowledged() > 20);
			clock.turn(-HOUR);
			const then = acknowledged();
			await until('more orders', () => acknowledged() > then + 20);
		}, { store, orders: 60, paceMs: 50, drill: 'clock set back by an hour' });
		assert.equal(await store.sql("select string_agg(distinct business_date::text, ' ') from orders where store_id = :'store'"), today);
	});

	test('or by three days that it was ahead: the business day stays the later one, its numbers go on, and logins are made anew', async () => {
		const store = await newStore(stack);
		const before = await store.order(0);
		clock.turn(72 * HOUR);
		await store.everybodyLogin();
		const ahead = await store.order(0);
		assert.ok(ahead.business_date > before.business_date);
		assert.equal(ahead.order_number, 1);
		clock.turn(-72 * HOUR);
		assertError(await store.client.get('/api/customer/orders', { token: store.tables[0].token }), 401, 'TOKEN_INVALID');
		await store.everybodyLogin();
		const after = await store.order(0);
		assert.deepEqual([after.business_date, after.order_number], [ahead.business_date, 2]);
	});

	test('a session that began in the hour to come can be completed, and does not end before it began', async () => {
		const store = await newStore(stack), { table_id } = store.tables[0];
		clock.turn(2 * HOUR);
		await store.order(0);
		clock.turn(-HOUR);
		const answer = assertOk(await store.client.post(`/api/admin/tables/${table_id}/complete-session`, { token: store.admin.token }), 200);
		assert.ok(answer.session.ended_at >= answer.session.started_at, JSON.stringify(answer.session));
		assert.equal(assertOk(await store.client.get(`/api/admin/tables/${table_id}/order-history`, { token: store.admin.token }), 200).pagination.total_count, 1);
		await store.order(0);
	});

	test('older logins hold; those of the hour to come are refused until then, and a new one works', async () => {
		const store = await newStore(stack);
		clock.turn(2 * HOUR);
		const old = store.tables[0].token, young = await store.tableLogin(1);
		const orders = (/** @type {string} */ token) => store.client.get('/api/customer/orders', { token });
		assertOk(await orders(young), 200);
		clock.turn(-HOUR);
		assertOk(await orders(old), 200);
		assertError(await orders(young), 401, 'TOKEN_INVALID');
		assertOk(await orders(await store.tableLogin(1)), 200);
	});

	test('nobody is held off for longer than before: neither by the rate limit nor by the throttle of logins', async () => {
		const store = await newStore(stack), { token } = store.tables[0];
		const body = { store_code: store.store_code, table_number: store.tables[1].table_number, password: store.tables[1].password };
		const login = (/** @type {string} */ password) => store.client.post('/api/customer/auth/login', { body: { ...body, password } });
		const orders = () => store.client.get('/api/customer/orders', { token });
		clock.turn(2 * HOUR);
		for (let i = 0; i < RATE_LIMIT; i += 20)
			await Promise.all(Array.from({ length: 20 }, orders));
		assertError(await orders(), 429, 'RATE_LIMITED');
		for (let i = 0; i < 5; i++)
			assertError(await login('wrong'), 401, 'INVALID_CREDENTIALS');
		assertError(await login(body.password), 429, 'LOGIN_THROTTLED');
		clock.turn(-HOUR);
		assertOk(await orders(), 200);
		assertOk(await login(body.password), 200);
	});

	test('metrics stay sane', async () => {
		const store = await newStore(stack);
		await orderThrough(stack, streams, async (acknowledged) => {
			for (let i = 0; i < 10; i++) {
				const then = acknowledged();
				clock.turn(-5);
				await until('an order', () => acknowledged() > then);
			}
		}, { store, orders: 20, oneDay: false });
		const text = (await persist(() => store.client.get('/metrics', { headers: { 'X-Forwarded-For': '127.0.0.1' } }))).text;
		const sums = [...text.matchAll(/^(table_order_\w+_sum)(?:\{.*\})? (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]);
		assert.ok(sums.length > 2);
		for (const [name, value] of sums)
			assert.ok(value >= 0 && value < 1e6, `${name} is ${value}`);
	});
});
