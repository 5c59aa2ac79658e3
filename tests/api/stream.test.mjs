/** Events on their way from an order to a page, end to end. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { Parser, Streams } from './lib/sse.mjs';
import { SOURCE, sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { altered } from './lib/token.mjs';
import { until } from './lib/until.mjs';

const stack = sharedStack();
const ADMIN = '/api/admin/orders/stream', TABLE = '/api/customer/orders/stream';
const ONCE = { reconnect: false };
/** Events of one store that a stream is sent at most (SSE_REPLAY_EVENTS). */
const REPLAY = 50;

/** @typedef {import('./lib/store.mjs').Store} Store */

const streams = new Streams(stack);
afterEach(() => streams.closeAll());

/** @param {number} from @param {number} to */
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** @param {Store} store @param {number} table */
async function complete(store, table) {
	assertOk(await store.client.post(`/api/admin/tables/${table}/complete-session`, { token: store.admin.token }), 200);
}

/** @param {Store} store @param {string} type @param {object} payload An event of no table. */
async function emit(store, type, payload) {
	return Number(await store.sql(`
		with c as (update store_counters set last_seq = last_seq + 1 where store_id = :'store' returning last_seq)
		insert into events (store_id, seq, event_type, payload)
		select :'store', last_seq, :'type', :'payload'::jsonb || jsonb_build_object('seq', last_seq, 'event_type', :'type', 'store_id', :'store',
			'occurred_at', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) from c returning seq`,
	{ type, payload: JSON.stringify(payload) }));
}

/**
 * Events of about so many bytes each, published long ago: what a board that slept has missed.
 * @param {Store} store @param {number} count @param {number} bytes
 */
async function emitBig(store, count, bytes) {
	await store.sql(`
		with c as (update store_counters set last_seq = last_seq + :count where store_id = :'store' returning last_seq)
		insert into events (store_id, seq, event_type, published_at, payload)
		select :'store', seq, 'MenuChanged', now(), format('{"seq":%s,"event_type":"MenuChanged","store_id":"%s","occurred_at":"%s","menu_ids":[%s],"category_ids":[]}',
			seq, :'store', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), ids)::json
		from c, generate_series(last_seq - :count + 1, last_seq) seq, (select string_agg((1000000 + n)::text, ',') as ids from generate_series(1, :bytes / 8) n) menus`,
	{ count, bytes });
}

/** @param {Store} store */
async function payloads(store) {
	return (await store.sql("select payload from events where store_id = :'store' order by seq")).split('\n').filter(Boolean).map((s) => JSON.parse(s));
}

/** @param {Store} store @param {number} n */
async function orders(store, n) {
	for (let i = 0; i < n; i++)
		await store.order(i % store.tables.length);
}

route('GET /api/admin/orders/stream', ({ succeeds, refuses }) => {
	succeeds('each order as it comes and moves, whole, by its seq', async () => {
		const store = await newStore(stack);
		const stream = await streams.open(ADMIN, { token: store.admin.token });
		assert.deepEqual([stream.lastEventId, stream.retryMs], ['0', 2000]);
		assert.match(String(stream.headers['content-type']), /^text\/event-stream\b/);
		assert.match(String(stream.headers['cache-control']), /no-store|no-cache/);
		assert.match(String(stream.headers['x-request-id']), /^[\w.-]{1,64}$/);
		assert.equal(stream.headers['x-content-type-options'], 'nosniff');
		const order = await store.order(0, [0, 1]);
		const moved = await store.move(order.id, 'preparing');
		await store.order(1);
		await stream.untilId(3);
		assert.deepEqual(stream.news.map((e) => [e.type, e.id]), [['OrderCreated', '1'], ['OrderStatusChanged', '2'], ['OrderCreated', '3']]);
		assert.deepEqual(stream.news[0].json.order, order);
		assert.deepEqual([stream.news[1].json.order, stream.news[1].json.old_status, stream.news[1].json.new_status], [moved, 'pending', 'preparing']);
		assert.deepEqual(stream.news.map((e) => e.json), await payloads(store));
	});
	succeeds('begins with the last seq, so that even a stream that saw nothing resumes right', async () => {
		const store = await newStore(stack);
		await orders(store, 3);
		const stream = await streams.open(ADMIN, { token: store.admin.token, ...ONCE });
		assert.deepEqual([stream.lastEventId, stream.ids], ['3', []]);
		stream.close();
		await orders(store, 2);
		const next = await streams.open(ADMIN, { token: store.admin.token, lastEventId: stream.lastEventId });
		await next.untilId(5);
		assert.deepEqual([next.cursors[0], next.ids], ['3', [4, 5]]);
	});
	succeeds('to many pages alike, each store its own', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const pages = await Promise.all(range(1, 40).map((i) => streams.open(ADMIN, { token: (i % 2 === 0 ? store : other).admin.token })));
		await orders(store, 4);
		await orders(other, 4);
		for (const [i, page] of pages.entries()) {
			await page.untilId(4);
			assert.deepEqual(page.ids, [1, 2, 3, 4]);
			assert.ok(page.news.every((e) => e.json.store_id === (i % 2 === 1 ? store : other).store_id));
		}
	});
	succeeds('by the login\'s cookie, which a header beats', async () => {
		const store = await newStore(stack);
		const stream = await streams.open(ADMIN, { headers: { Cookie: `a=b; ${store.admin.cookie}; c=d` } });
		await store.order(0);
		await stream.untilId(1);
		const wrong = streams.start(ADMIN, { token: 'x.y.z', headers: { Cookie: store.admin.cookie } });
		await wrong.ended();
		assert.equal(wrong.refusal?.status, 401);
	});
	succeeds('to pages of listed origins only', async () => {
		const store = await newStore(stack);
		const listed = await streams.open(ADMIN, { token: store.admin.token, headers: { Origin: 'https://board.example.com' } });
		assert.equal(listed.headers['access-control-allow-origin'], 'https://board.example.com');
		assert.equal(listed.headers['access-control-allow-credentials'], 'true');
		const other = await streams.open(ADMIN, { token: store.admin.token, headers: { Origin: 'https://evil.example.com' } });
		assert.equal(other.headers['access-control-allow-origin'], undefined);
	});
	succeeds('whatever a browser sends besides, up to what the web server takes', async () => {
		const store = await newStore(stack);
		const much = 'x'.repeat(7000);
		const stream = await streams.open(`${ADMIN}?x=${much}`, { headers: { Cookie: `a=${much}; ${store.admin.cookie}`, Referer: `https://board.example.com/${much}`, 'X-More': much } });
		await store.order(0);
		await stream.untilId(1);
	});
	refuses('tokens that do not hold, as the API does', async () => {
		const store = await newStore(stack);
		const now = Math.floor(Date.now() / 1000);
		assertError(await store.client.get(ADMIN), 401, 'TOKEN_MISSING');
		assertError(await store.client.get(ADMIN, { headers: { Cookie: store.tables[0].cookie } }), 401, 'TOKEN_MISSING');
		assertError(await store.client.get(ADMIN, { headers: { Cookie: 'table_order_admin_stream=x' } }), 401, 'TOKEN_INVALID');
		assertError(await store.client.get(ADMIN, { headers: { Cookie: `table_order_admin_stream=${store.tables[0].token}` } }), 403, 'FORBIDDEN');
		assertError(await store.client.get(ADMIN, { token: altered(stack, store.admin.token, { iat: now - 60, exp: now - 1 }) }), 401, 'TOKEN_EXPIRED');
		assertError(await store.client.get(ADMIN, { token: altered(stack, store.admin.token, { gen: 7 }) }), 401, 'TOKEN_INVALID');
		assertOk(await store.client.post('/api/auth/logout', { token: store.admin.token }), 204);
		const answer = await store.client.get(ADMIN, { token: store.admin.token, headers: { 'Accept-Language': 'en', 'X-Request-Id': 'mine' } });
		const error = assertError(answer, 401, 'TOKEN_INVALID');
		assert.equal(error.request_id, 'mine');
		assert.match(error.message, /^The /);
	});
});

route('GET /api/customer/orders/stream', ({ succeeds, refuses }) => {
	succeeds('the table\'s own orders, and changes of the menu, skipping ids of others', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const stream = await streams.open(TABLE, { token: store.tables[0].token });
		await other.order(0);
		const order = await store.order(0);
		const strange = await store.order(1);
		await store.move(strange.id, 'preparing');
		await store.move(order.id, 'preparing');
		await emit(store, 'AccountRevoked', { subject: 'admin:999999', gen: 1 });
		const menu = await emit(store, 'MenuChanged', { menu_ids: [store.menus[0].id], category_ids: [] });
		await stream.untilId(menu);
		assert.deepEqual(stream.news.map((e) => [e.type, Number(e.id)]), [['OrderCreated', 1], ['OrderStatusChanged', 4], ['MenuChanged', menu]]);
		const [deleted, done, elsewhere] = range(menu + 1, menu + 3);
		assertOk(await store.client.api('DELETE', `/api/admin/orders/${order.id}`, { token: store.admin.token }), 204);
		await complete(store, order.table_id);
		await complete(store, strange.table_id);
		await store.order(0);
		await stream.untilId(elsewhere + 1);
		assert.deepEqual(stream.ids.slice(3), [deleted, done, elsewhere + 1]);
	});
	succeeds('by the login\'s cookie', async () => {
		const store = await newStore(stack);
		const stream = await streams.open(TABLE, { headers: { Cookie: store.tables[0].cookie } });
		await store.order(0);
		await stream.untilId(1);
	});
	succeeds('after a break what it missed, but not the orders of a party that has left', async () => {
		const store = await newStore(stack);
		const gone = await store.order(0);
		await store.order(1);
		await complete(store, gone.table_id);
		const end = 3;
		await store.order(0);
		const menu = await emit(store, 'MenuChanged', { menu_ids: [], category_ids: [] });
		const stream = await streams.open(TABLE, { token: store.tables[0].token, lastEventId: '0' });
		await stream.untilId(menu);
		assert.deepEqual(stream.ids, [end, end + 1, menu]);
	});
	refuses('an admin\'s cookie, and the token in the query', async () => {
		const store = await newStore(stack);
		assertError(await store.client.get(TABLE, { headers: { Cookie: store.admin.cookie } }), 401, 'TOKEN_MISSING');
		assertError(await store.client.get(`${TABLE}?token=${store.tables[0].token}&access_token=${store.tables[0].token}`), 401, 'TOKEN_MISSING');
		assertError(await store.client.get(TABLE, { headers: { Cookie: `table_order_customer_stream=${store.admin.token}` } }), 403, 'FORBIDDEN');
	});
});

describe('a stream that resumes', () => {
	test('gets exactly what it missed, wherever it was', async () => {
		const store = await newStore(stack);
		await orders(store, 12);
		for (const cursor of [0, 1, 5, 11, 12]) {
			const stream = await streams.open(ADMIN, { token: store.admin.token, lastEventId: String(cursor) });
			await store.order(0);
			const last = await store.sql("select last_seq from store_counters where store_id = :'store'");
			await stream.untilId(Number(last));
			assert.deepEqual(stream.ids, range(cursor + 1, Number(last)));
			assert.equal(stream.cursors[0], String(cursor));
			assert.deepEqual(stream.news.map((e) => e.json), (await payloads(store)).slice(cursor));
			stream.close();
		}
	});
	test('may say its cursor in the query, which the header beats', async () => {
		const store = await newStore(stack);
		await orders(store, 5);
		const query = await streams.open(`${ADMIN}?x=1&last_event_id=3`, { token: store.admin.token });
		await query.untilId(5);
		assert.deepEqual(query.ids, [4, 5]);
		const both = await streams.open(`${ADMIN}?last_event_id=1`, { token: store.admin.token, lastEventId: '4' });
		await both.untilId(5);
		assert.deepEqual(both.ids, [5]);
	});
	test('is told to reset when its cursor is ahead, too far behind, or older than the log', async () => {
		const store = await newStore(stack);
		await orders(store, REPLAY + 2);
		const last = REPLAY + 2;
		await until('all is published', async () => await store.sql("select count(*) from events where store_id = :'store' and published_at is null") === '0');
		const cases = [['0', ADMIN], ['1', ADMIN], [String(last + 1), ADMIN], ['9007199254740991', ADMIN], ['0', TABLE], [String(last + 5), TABLE]];
		await store.sql("delete from events where store_id = :'store' and seq <= 20");
		cases.push(['19', ADMIN], ['5', TABLE]);
		for (const [cursor, path] of cases) {
			const stream = await streams.open(path, { token: path === ADMIN ? store.admin.token : store.tables[0].token, lastEventId: cursor });
			await stream.until(`a reset from ${cursor}`, () => stream.news.length > 0);
			assert.deepEqual(stream.news.map((e) => [e.type, e.id]), [['reset', String(last)]], `${path} from ${cursor}`);
			stream.close();
		}
		const enough = await streams.open(ADMIN, { token: store.admin.token, lastEventId: '20' });
		await enough.untilId(last);
		assert.deepEqual(enough.ids, range(21, last));
	});
	test('is told to reset when what it missed is more than a few megabytes, and nobody else notices', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		const stays = await streams.open(ADMIN, { token: other.admin.token });
		const pid = stack.running('sse-relay');
		await emitBig(store, 40, 1 << 20);
		for (const [cursor, path] of [['0', ADMIN], ['0', TABLE], ['31', ADMIN], ['31', TABLE]]) {
			const stream = await streams.open(path, { token: path === ADMIN ? store.admin.token : store.tables[0].token, lastEventId: cursor });
			await stream.until(`a reset from ${cursor}`, () => stream.news.length > 0);
			assert.deepEqual(stream.news.map((e) => [e.type, e.id]), [['reset', '40']], `${path} from ${cursor}`);
			stream.close();
		}
		const enough = await streams.open(ADMIN, { token: store.admin.token, lastEventId: '33' });
		await enough.untilId(40);
		assert.deepEqual(enough.ids, range(34, 40));
		await other.order(0);
		await stays.untilId(1);
		assert.deepEqual([stays.connections, stack.running('sse-relay')], [1, pid]);
	});
	test('is told to reset, once, when the log lacks what it is to get, and then gets what is new', async () => {
		const store = await newStore(stack);
		const token = store.admin.token;
		const pages = [await streams.open(ADMIN, { token, retryMs: 10 }), await streams.open(TABLE, { token: store.tables[0].token, retryMs: 10 })];
		await store.order(0);
		for (const page of pages)
			await page.untilId(1);
		/* an event that was purged unseen */
		await store.sql("update store_counters set last_seq = last_seq + 1 where store_id = :'store'");
		for (const page of pages)
			await page.until('a reset', () => page.news.some((e) => e.type === 'reset'));
		await store.order(0);
		const young = await streams.open(ADMIN, { token });
		await store.order(0);
		await young.untilId(4);
		for (const page of pages) {
			await page.untilId(4);
			assert.deepEqual(page.news.map((e) => [e.type, e.id]), [['OrderCreated', '1'], ['reset', '2'], ['OrderCreated', '3'], ['OrderCreated', '4']]);
		}
		/* the relay has looked into the database again, twice, once such tokens have ended */
		for (let i = 0; i < 2; i++) {
			const looked = await streams.open(ADMIN, { token: await store.adminLogin(), ...ONCE });
			assertOk(await store.client.post('/api/auth/logout', { token: store.admin.token }), 204);
			await looked.ended();
		}
		assert.equal(stack.log('sse-relay').filter((line) => line.store_id === store.store_id && line.level === 'WARNING').length, 1);
		assert.deepEqual(pages.map((page) => page.connections), [2, 2]);
	});
	test('goes on after a reset', async () => {
		const store = await newStore(stack);
		await store.order(0);
		const stream = await streams.open(ADMIN, { token: store.admin.token, lastEventId: '77' });
		await stream.until('a reset', () => stream.news.some((e) => e.type === 'reset'));
		await store.order(0);
		await stream.untilId(2);
		assert.deepEqual(stream.ids, [1, 2]);
	});
	test('never gets an error for its cursor, whatever it says', async () => {
		const store = await newStore(stack);
		await store.order(0);
		for (const cursor of ['x', '-1', '1.5', '18446744073709551617', '1 or 1=1', '%', 'x'.repeat(500)]) {
			const stream = await streams.open(ADMIN, { token: store.admin.token, lastEventId: cursor });
			assert.equal(stream.lastEventId, '1', cursor);
			stream.close();
		}
		for (const query of ['x', '%', '%zz', '', '-5', '%00'])
			assert.equal((await streams.open(`${ADMIN}?last_event_id=${query}`, { token: store.admin.token })).lastEventId, '1', query);
	});
	test('a snapshot and the stream from there are without gap and without double', async () => {
		const store = await newStore(stack, { tables: 4 });
		let ordering = true;
		const work = Promise.all([0, 1, 2, 3].map(async (table) => {
			while (ordering) {
				const order = await store.order(table);
				await store.move(order.id, 'preparing');
			}
		}));
		/** @type {[any, import('./lib/sse.mjs').EventStream][]} */
		const pages = [];
		for (let i = 0; i < 10; i++) {
			const board = assertOk(await store.client.get('/api/admin/board', { token: store.admin.token }), 200);
			pages.push([board, streams.start(`${ADMIN}?last_event_id=${board.last_event_id}`, { token: store.admin.token })]);
			await pages[i][1].opened();
		}
		ordering = false;
		await work;
		const last = Number(await store.sql("select last_seq from store_counters where store_id = :'store'"));
		const end = assertOk(await store.client.get('/api/admin/board', { token: store.admin.token }), 200);
		for (const [board, stream] of pages) {
			if (board.last_event_id < last)
				await stream.untilId(last);
			assert.deepEqual(stream.ids, range(board.last_event_id + 1, last));
			const shown = new Map(board.tables.flatMap((/** @type {any} */ t) => t.orders).map((/** @type {any} */ o) => [o.id, o]));
			for (const event of stream.news)
				shown.set(event.json.order.id, event.json.order);
			const all = end.tables.flatMap((/** @type {any} */ t) => t.orders).sort((/** @type {any} */ a, /** @type {any} */ b) => a.id - b.id);
			assert.deepEqual([...shown.values()].sort((a, b) => a.id - b.id), all);
		}
	});
	test('the customer\'s list and stream alike', async () => {
		const store = await newStore(stack);
		await orders(store, 3);
		const list = assertOk(await store.client.get('/api/customer/orders', { token: store.tables[0].token }), 200);
		await orders(store, 4);
		const stream = await streams.open(`${TABLE}?last_event_id=${list.last_event_id}`, { token: store.tables[0].token });
		await stream.untilId(6);
		assert.deepEqual(stream.ids, [4, 6]);
	});
});

describe('a stream whose token holds no more', () => {
	/** Its last event, and that the next try is refused. @param {import('./lib/sse.mjs').EventStream} stream */
	async function assertRevoked(stream) {
		await stream.until('closed', () => stream.news.some((e) => e.type === 'closed'));
		assert.deepEqual(stream.news.slice(-1).map((e) => [e.type, e.json.reason]), [['closed', 'revoked']]);
		await stream.ended();
		assert.equal(stream.refusal?.status, 401);
		assert.equal(JSON.parse(stream.refusal?.text ?? '{}').error.code, 'TOKEN_INVALID');
	}

	test('ends within about a second of logout, its sibling does not', async () => {
		const store = await newStore(stack);
		const first = store.admin.token;
		const second = await store.adminLogin();
		const [gone, stays] = [await streams.open(ADMIN, { token: first, retryMs: 10 }), await streams.open(ADMIN, { token: second })];
		assertOk(await store.client.post('/api/auth/logout', { token: first }), 204);
		await assertRevoked(gone);
		await store.order(0);
		await stays.untilId(1);
		assert.equal(stays.connections, 1);
	});
	for (const [what, statement] of [
		['a raised generation of a table', "update dining_tables set token_generation = token_generation + 1 where store_id = :'store'"],
		['a table that is deactivated', "update dining_tables set is_active = false where store_id = :'store'"],
		['a table that is deleted', "update dining_tables set deleted_at = now() where store_id = :'store'"],
		['a store that is deactivated', "update stores set is_active = false where id = :'store'"],
	]) {
		test(`ends within about a second: ${what}`, async () => {
			const store = await newStore(stack);
			const stream = await streams.open(TABLE, { token: store.tables[0].token, retryMs: 10 });
			await store.sql(statement);
			await assertRevoked(stream);
		});
	}
	test('ends when its time is over, and says so', async () => {
		const store = await newStore(stack);
		const exp = Math.floor(Date.now() / 1000) + 5;
		const stream = await streams.open(TABLE, { token: altered(stack, store.tables[0].token, { exp }), retryMs: 10 });
		await stream.until('closed', () => stream.news.some((e) => e.type === 'closed'), 15000);
		assert.ok(Date.now() / 1000 >= exp, 'too early');
		assert.deepEqual(stream.news.map((e) => [e.type, e.json.reason]), [['closed', 'expired']]);
		await stream.ended();
		assert.equal(JSON.parse(stream.refusal?.text ?? '{}').error.code, 'TOKEN_EXPIRED');
	});
	test('ends at once when an event tells of it, which a newer token outlives', async () => {
		const store = await newStore(stack);
		const old = await streams.open(ADMIN, { token: store.admin.token, retryMs: 10 });
		await store.sql("update admins set token_generation = 3 where store_id = :'store'");
		const young = await streams.open(ADMIN, { token: altered(stack, store.admin.token, { gen: 3, jti: randomUUID() }) });
		await emit(store, 'AccountRevoked', { subject: `admin:${store.admin.admin_id}`, gen: 3 });
		await assertRevoked(old);
		await store.order(0);
		await young.untilId(2);
		assert.equal(young.connections, 1);
	});
});

describe('the relay', () => {
	test('drops a reader that does not read, and keeps nobody else waiting', async () => {
		const store = await newStore(stack, { tables: 2, menus: 1 });
		const socketPath = `${stack.dir}/run/sse-relay.sock`;
		const slow = await streams.open(ADMIN, { token: store.admin.token, socketPath, ...ONCE });
		const quick = await streams.open(ADMIN, { token: store.admin.token });
		slow.request?.socket?.pause();
		const big = JSON.stringify({ items: Array(50).fill({ menu_id: store.menus[0].id, quantity: 1 }), note: '매운 맛으로 부탁드립니다 '.repeat(12) });
		for (let i = 0; i < 30; i++)
			await Promise.all(range(1, 20).map((n) => store.client.post('/api/customer/orders', { token: store.tables[n % 2].token, raw: big }).then((a) => assertOk(a, 201))));
		await quick.untilId(600);
		assert.deepEqual(quick.ids, range(1, 600));
		assert.equal(quick.connections, 1);
		slow.request?.socket?.resume();
		await slow.ended();
		assert.ok(slow.ids.length < 600 && slow.ids.every((id, i) => id === i + 1));
	});
	test('survives requests that are none', async () => {
		const store = await newStore(stack);
		for (const path of [`${ADMIN}?${'x'.repeat(5000)}`, `${ADMIN}?last_event_id=${'9'.repeat(3000)}`]) {
			const odd = streams.start(path, { token: store.admin.token, ...ONCE });
			await until('an answer', () => odd.cursors.length > 0 || odd.refusal !== undefined);
			assert.ok([undefined, 400].includes(odd.refusal?.status), odd.refusal?.text);
		}
		const stream = await streams.open(ADMIN, { token: store.admin.token });
		await store.order(0);
		await stream.untilId(1);
	});
	test('gets events from the broker, long before it would find them in the log', async (t) => {
		const { stdout } = await promisify(execFile)(process.execPath, [`${SOURCE}/tests/api/latency.mjs`, '40', `${stack.dir}/quickstart.json`]);
		t.diagnostic(stdout.trim());
		const metrics = (await new Client(stack, '127.0.0.1').get('/metrics')).text;
		assert.ok(Number(/^table_order_sse_event_latency_seconds_count\{via="bus"\} (\d+)$/m.exec(metrics)?.[1]) >= 40, 'the log filled in for the broker');
	});
	test('counts its streams and tells how late events are', async () => {
		const store = await newStore(stack);
		await streams.open(ADMIN, { token: store.admin.token });
		const metrics = () => store.client.get('/metrics', { headers: { 'X-Forwarded-For': '127.0.0.1' } });
		await until('a stream in the metrics', async () => /^table_order_sse_streams\{kind="admin"\} [1-9]/m.test((await metrics()).text));
		assert.match((await metrics()).text, /^table_order_sse_event_latency_seconds_bucket\{/m);
	});
});

describe('the reader of streams in these tests', () => {
	test('reads as the standard says', () => {
		/** @type {any[]} */
		const seen = [];
		const parser = new Parser((e) => seen.push([e.type, e.data, e.id]), (ms) => seen.push(['retry', ms]), () => {});
		const text = '\ufeff: comment\ndata: a\ndata:b\nid: 1\r\n\r\nevent: x\rdata\r\rid: 2\n\nretry: 5\nretry: 5x\nevent: lost\n\ndata:  two\nid\n\ndata: 한\n\ndata: never';
		for (const byte of Buffer.from(text))
			parser.feed(Buffer.from([byte]));
		assert.deepEqual(seen, [['message', 'a\nb', '1'], ['x', '', '1'], ['retry', 5], ['message', ' two', ''], ['message', '한', '']]);
	});
});
