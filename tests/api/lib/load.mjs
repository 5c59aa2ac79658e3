/**
 * A restaurant at work while something is done to it. Several tables order, each with a key for each order, as a tablet does:
 * it tries again until the server has said yes or no. An admin moves each order, a board listens. Afterwards is counted what
 * was acknowledged and is not there, what is there twice, and what the board was not told.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { assertOk } from './client.mjs';
import { newStore } from './store.mjs';
import { until } from './until.mjs';

const BOARD_STREAM = '/api/admin/orders/stream';

/**
 * @typedef {import('./client.mjs').Answer} Answer
 * @typedef {{acknowledged: number, lost: number, doubled: number, eventsLost: number, eventsDoubled: number, longestGapMs: number}} Counts
 *   longestGapMs: the longest time in which no order was acknowledged
 * @typedef {{orders?: number, tables?: number, paceMs?: number, patienceMs?: number, oneDay?: boolean, drill?: string, note?: string | (() => string),
 *   store?: import('./store.mjs').Store, boards?: import('./sse.mjs').EventStream[]}} Options
 *   orders: at least so many are made, and more until what is done has ended; paceMs: a table's pause between orders;
 *   patienceMs: for how long one request is tried; oneDay: false when the business day is made to end meanwhile;
 *   drill: the name under which the counts are reported; note: what else is to be told, asked for at the end; store, boards: instead of a new store and a stream of its own
 */

/** What nobody answered; an answer that the document does not allow is an error. @param {any} error */
function unanswered(error) {
	if (error.code === undefined)
		throw error;
}

/** Tries again until the server has said yes or no. @param {() => Promise<Answer>} request @param {number} [patienceMs] */
export function persist(request, patienceMs = 60000) {
	return until('an answer', async () => {
		const answer = await request().catch(unanswered);
		return answer !== undefined && answer.status < 500 && answer;
	}, patienceMs);
}

/**
 * The counts, of which all but the first and the last must be 0.
 * @param {import('./stack.mjs').Stack} stack @param {import('./sse.mjs').Streams} streams
 * @param {(acknowledged: () => number) => Promise<any>} hurt what is done meanwhile @param {Options} [options]
 */
export async function orderThrough(stack, streams, hurt, options = {}) {
	const { orders = 200, tables = 8, paceMs = 0, patienceMs = 60000, oneDay = true, drill, note } = options;
	const store = options.store ?? await newStore(stack, { tables });
	const boards = options.boards ?? [await streams.open(BOARD_STREAM, { token: store.admin.token, retryMs: 100 })];
	/** @type {Map<number, any>} */
	const acknowledged = new Map();
	const gap = new Gap();
	const day = await today(store);
	let hurting = true;

	/** @param {import('./store.mjs').Table} table @param {number} t */
	async function eat(table, t) {
		for (let i = 0; hurting || i < orders / store.tables.length; i++) {
			const body = { items: [{ menu_id: store.menus[(t + i) % store.menus.length].id, quantity: 1 + i % 3 }], note: `${t}/${i}` };
			const headers = { 'Idempotency-Key': `${t}-${i}` };
			const order = assertOk(await persist(() => store.client.post('/api/customer/orders', { token: table.token, body, headers }), patienceMs), 201);
			acknowledged.set(order.id, order);
			gap.mark();
			acknowledged.set(order.id, await move(order));
			await new Promise((next) => setTimeout(next, paceMs));
		}
	}

	/** @param {any} order A try whose answer was lost may have done it. */
	async function move(order) {
		const body = { status: 'preparing', version: 1 };
		const answer = await persist(() => store.client.patch(`/api/admin/orders/${order.id}/status`, { token: store.admin.token, body }), patienceMs);
		const now = answer.status === 409 ? answer.json.error.details.order : assertOk(answer, 200);
		assert.deepEqual([now.status, now.version], ['preparing', 2]);
		return now;
	}

	const work = Promise.all(store.tables.map(eat));
	/* whichever fails, the tables stop */
	await Promise.all([work, hurt(() => acknowledged.size).finally(() => { hurting = false; })]);
	gap.mark();

	const counts = { acknowledged: acknowledged.size, ...await count(store, acknowledged, boards, oneDay && day === await today(store), patienceMs), longestGapMs: Math.round(gap.longest) };
	if (drill !== undefined)
		report(drill, counts, typeof note === 'function' ? note() : note);
	assert.deepEqual(counts, { ...counts, lost: 0, doubled: 0, eventsLost: 0, eventsDoubled: 0 });
	await until('an empty outbox', async () => await store.sql("select count(*) from events where published_at is null and store_id = :'store'") === '0', patienceMs);
	return counts;
}

/**
 * @param {import('./store.mjs').Store} store @param {Map<number, any>} acknowledged @param {import('./sse.mjs').EventStream[]} boards
 * @param {boolean} oneDay @param {number} patienceMs
 */
async function count(store, acknowledged, boards, oneDay, patienceMs) {
	const board = assertOk(await persist(() => store.client.get('/api/admin/board', { token: store.admin.token }), patienceMs), 200);
	const there = new Map(board.tables.flatMap((/** @type {any} */ t) => t.orders).map((/** @type {any} */ o) => [o.id, o]));
	let lost = 0, eventsLost = 0, eventsDoubled = 0;

	for (const [id, order] of acknowledged) {
		if (there.has(id))
			assert.deepEqual(there.get(id), order);
		else
			lost++;
	}
	if (oneDay)
		assert.deepEqual([...there.values()].map((o) => o.order_number).sort((a, b) => a - b), Array.from({ length: there.size }, (_, i) => i + 1));
	for (const stream of boards) {
		const from = Number(stream.cursors[0]);
		await stream.untilId(board.last_event_id, 30000).catch(() => undefined);
		const told = new Set(stream.ids);
		eventsLost += board.last_event_id - from - told.size;
		eventsDoubled += stream.ids.length - told.size;
		assert.deepEqual(stream.ids, [...stream.ids].sort((a, b) => a - b), 'the events came in another order');
		assert.ok(stream.news.every((event) => event.json.seq === Number(event.id)));
	}
	return { lost, doubled: there.size - (acknowledged.size - lost), eventsLost, eventsDoubled };
}

/** @param {import('./store.mjs').Store} store Its business day: orders are numbered from 1 in each. */
const today = (store) => store.sql("select business_date(now(), time_zone, business_day_start) from stores where id = :'store'");

/** The longest time between two marks. */
class Gap {
	longest = 0;
	last = performance.now();

	mark() {
		const now = performance.now();
		this.longest = Math.max(this.longest, now - this.last);
		this.last = now;
	}
}

/**
 * One line of the summary, which tests/drills/run prints at its end.
 * @param {string} drill @param {Partial<Counts>} counts what was not counted is left out @param {string} [note]
 */
export function report(drill, counts, note = '') {
	const { acknowledged, lost, doubled, eventsLost, eventsDoubled, longestGapMs } = counts;
	const gap = longestGapMs === undefined ? undefined : (longestGapMs / 1000).toFixed(1);
	const line = [drill, acknowledged, lost, doubled, eventsLost, eventsDoubled, gap].map((value) => value ?? '-').concat(note).join('\t');
	if (process.env.TABLE_ORDER_SUMMARY === undefined)
		console.log(`drill, acknowledged, lost, doubled, events lost, doubled, longest gap in s: ${line.replaceAll('\t', ' ')}`);
	else
		appendFileSync(process.env.TABLE_ORDER_SUMMARY, `${line}\n`);
}
