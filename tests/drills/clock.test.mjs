/** What the clock does by itself: midnight, business days, days of 23 and 25 hours, a leap day, month's end, expiry; under load. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertError, assertOk } from '../api/lib/client.mjs';
import { orderThrough } from '../api/lib/load.mjs';
import { Clock } from '../api/lib/preload.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { ownStack } from '../api/lib/stack.mjs';
import { newStore } from '../api/lib/store.mjs';
import { until } from '../api/lib/until.mjs';

/** So long before a moment the load begins, and goes on after it. */
const BEFORE_MS = 3000, AFTER_MS = 2000;

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;
/** @type {Clock} */
let clock;

before(async () => {
	clock = new Clock('clock-offset');
	stack = await ownStack('clock', {});
	streams = new Streams(stack);
});
after(() => stack?.stop());
afterEach(() => streams?.closeAll());

/** @param {string} time_zone @param {string} business_day_start */
async function storeIn(time_zone, business_day_start) {
	const store = await newStore(stack, { tables: 4 });
	await store.sql("update stores set time_zone = :'time_zone', business_day_start = :'business_day_start' where id = :'store'", { time_zone, business_day_start });
	return store;
}

/**
 * Orders over a moment, and the business days that they then have, each with numbers from 1 without a gap.
 * @param {string} moment @param {string} what @param {string} time_zone @param {string} business_day_start
 */
async function daysOver(moment, what, time_zone, business_day_start) {
	clock.set(new Date(Date.parse(moment) - BEFORE_MS - 2000).toISOString());
	const store = await storeIn(time_zone, business_day_start);
	clock.set(new Date(Date.parse(moment) - BEFORE_MS).toISOString());
	await orderThrough(stack, streams, () => until(moment, () => clock.now() > Date.parse(moment) + AFTER_MS),
		{ store, orders: 40, paceMs: 50, oneDay: false, drill: `clock over ${moment}`, note: what });
	const days = await store.sql("select business_date, min(order_number), max(order_number) = count(*) from orders where store_id = :'store' group by 1 order by 1");
	assert.equal(await store.sql("select count(*) from (select business_date < lag(business_date) over (order by id) as back from orders where store_id = :'store') o where back"), '0');
	return days.split('\n').map((line) => {
		const [date, first, whole] = line.split('|');
		assert.deepEqual([first, whole], ['1', 't'], line);
		return date;
	});
}

describe('orders over', () => {
	/** @type {[string, string, string, string, string[]][]} what, the moment, zone, start of the business day, the business days */
	const moments = [
		['midnight in Seoul: the night belongs to the day before', '2027-02-28T15:00:00Z', 'Asia/Seoul', '05:00', ['2027-02-28']],
		['05:00 in Seoul: a new business day', '2027-02-28T20:00:00Z', 'Asia/Seoul', '05:00', ['2027-02-28', '2027-03-01']],
		['midnight UTC', '2027-03-02T00:00:00Z', 'Asia/Seoul', '05:00', ['2027-03-02']],
		['02:00 in Berlin, from where the clock goes to 03:00', '2027-03-28T01:00:00Z', 'Europe/Berlin', '02:30', ['2027-03-27']],
		['02:30 in Berlin, which that day does not have: it is 03:30', '2027-03-28T01:30:00Z', 'Europe/Berlin', '02:30', ['2027-03-27', '2027-03-28']],
		['02:30 in Berlin, shown for the first time', '2027-10-31T00:30:00Z', 'Europe/Berlin', '02:30', ['2027-10-30']],
		['03:00 in Berlin, where the clock goes back to 02:00', '2027-10-31T01:00:00Z', 'Europe/Berlin', '02:30', ['2027-10-30']],
		['02:30 in Berlin, shown for the second time', '2027-10-31T01:30:00Z', 'Europe/Berlin', '02:30', ['2027-10-30', '2027-10-31']],
		['05:00 in New York on the day of 23 hours', '2028-03-12T09:00:00Z', 'America/New_York', '05:00', ['2028-03-11', '2028-03-12']],
		['the beginning of a leap day in Seoul', '2028-02-28T20:00:00Z', 'Asia/Seoul', '05:00', ['2028-02-28', '2028-02-29']],
		['its end', '2028-02-29T20:00:00Z', 'Asia/Seoul', '05:00', ['2028-02-29', '2028-03-01']],
	];
	for (const [what, moment, zone, start, days] of moments)
		test(what, async () => assert.deepEqual(await daysOver(moment, what, zone, start), days));
});

describe('history', () => {
	test('of a session over the end of a leap February, for which there is no partition; maintenance makes it', async () => {
		const history = async (query = '') => assertOk(await store.client.get(`/api/admin/order-history${query}`, { token: store.admin.token }), 200);
		const complete = async (/** @type {number} */ t) => assertOk(await store.client.post(`/api/admin/tables/${store.tables[t].table_id}/complete-session`, { token: store.admin.token }), 200);
		clock.set('2028-02-29T23:50:00Z');
		const store = await storeIn('UTC', '00:00');
		await store.order(0);
		await store.order(1);
		assert.match((await complete(0)).session.ended_at, /^2028-02-29T23:5/);
		await store.order(0);
		clock.set('2028-03-01T00:00:01Z');
		for (const t of [0, 1])
			assert.match((await complete(t)).session.ended_at, /^2028-03-01T00:0/);
		const before = await history();
		assert.equal(before.pagination.total_count, 3);
		assert.equal((await history('?from=2028-02-29&to=2028-02-29')).pagination.total_count, 3);
		assert.equal(await store.sql("select count(*) from only order_history_default where store_id = :'store'"), '3');
		await stack.orderctl('maintenance');
		assert.equal(await store.sql('select count(*) from only order_history_default'), '0');
		assert.equal(await store.sql("select string_agg(n::text, ' ') from (select count(*) n from order_history where store_id = :'store' group by tableoid order by tableoid) c"), '1 2');
		assert.deepEqual(await history('?page=1'), before);
	});

	test('goes on being written while maintenance makes the partitions of a new month', async () => {
		clock.set('2028-06-30T23:59:55Z');
		const store = await storeIn('UTC', '00:00'), other = await storeIn('UTC', '00:00');
		let completed = 0;
		await orderThrough(stack, streams, async () => {
			const done = stack.orderctl('maintenance').then(() => true);
			for (let ready = false; !ready || clock.now() < Date.parse('2028-07-01T00:00:02Z');) {
				await other.order(0);
				assertOk(await other.client.post(`/api/admin/tables/${other.tables[0].table_id}/complete-session`, { token: other.admin.token }), 200);
				completed++;
				ready = await Promise.race([done, new Promise((next) => setTimeout(next, 20, false))]);
			}
		}, { store, paceMs: 50, oneDay: false, drill: "clock: month's end beside maintenance" });
		assert.equal(await other.sql("select count(*) from order_history where store_id = :'store'"), String(completed));
		assert.equal(await other.sql("select count(*) from order_history_items where store_id = :'store'"), String(completed));
	});
});

describe('a login', () => {
	test('ends after 16 hours, and its streams with it', async () => {
		const store = await newStore(stack), { token } = store.tables[0];
		const stream = await streams.open('/api/customer/orders/stream', { token, reconnect: false });
		clock.turn(16 * 3600 - 60);
		assertOk(await store.client.get('/api/customer/orders', { token }), 200);
		assert.equal(stream.state, 'open');
		clock.turn(60);
		assertError(await store.client.get('/api/customer/orders', { token }), 401, 'TOKEN_EXPIRED');
		await stream.ended();
		assert.equal(stream.news.at(-1)?.type, 'closed');
		await store.tableLogin(0);
		await store.order(0);
	});
});
