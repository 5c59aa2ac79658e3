/** Taking an order. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { before, beforeEach, describe, test } from 'node:test';
import { assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { WEB, sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { within } from './lib/until.mjs';

const stack = sharedStack();
const PATH = '/api/customer/orders';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** @param {import('./lib/store.mjs').Store} store @param {any} body @param {Record<string, string>} [headers] */
function post(store, body, headers, table = 0) {
	return store.client.post(PATH, { token: store.tables[table].token, body, headers });
}

/** @param {import('./lib/store.mjs').Store} store @param {number} i @param {number} [quantity] */
const line = (store, i, quantity = 1) => ({ menu_id: store.menus[i].id, quantity });

/** What a refused order may have left. @param {import('./lib/store.mjs').Store} store */
async function traces(store) {
	return store.sql(`select (select count(*) from orders where store_id = :'store'), (select count(*) from order_items where store_id = :'store'),
		(select count(*) from table_sessions where store_id = :'store'), (select count(*) from events where store_id = :'store'),
		(select count(*) from idempotency_keys where store_id = :'store'), last_seq, last_order_number
		from store_counters where store_id = :'store'`);
}

route('POST /api/customer/orders', ({ succeeds, refuses }) => {
	succeeds('with names and prices of the server, a session and an event', async () => {
		const store = await newStore(stack), start = Date.now();
		const answer = await post(store, { items: [line(store, 0, 2), line(store, 3), line(store, 0, 1)], note: '덜 맵게 🌶️', expected_total_price: 7000, what: 'ever' });
		const order = assertOk(answer, 201);
		assert.equal(answer.headers.location, `${PATH}/${order.id}`);
		assert.match(String(answer.headers['cache-control']), /no-store/);
		const { id, table_session_id, created_at, status_changed_at, business_date, ...facts } = order;
		assert.deepEqual(facts, {
			table_id: store.tables[0].table_id, table_number: 'T-1', order_number: 1, status: 'pending', total_price: 7000, note: '덜 맵게 🌶️', version: 1,
			items: [
				{ menu_id: store.menus[0].id, menu_name: '음식 1', quantity: 2, unit_price: 1000, subtotal: 2000 },
				{ menu_id: store.menus[3].id, menu_name: '음식 4', quantity: 1, unit_price: 4000, subtotal: 4000 },
				{ menu_id: store.menus[0].id, menu_name: '음식 1', quantity: 1, unit_price: 1000, subtotal: 1000 },
			],
		});
		assert.match(created_at, TIME);
		assert.equal(status_changed_at, created_at);
		assert.ok(Date.parse(created_at) >= start && Date.parse(created_at) <= Date.now(), created_at);
		assert.equal(business_date, await store.sql("select business_date(now(), time_zone, business_day_start) from stores where id = :'store'"));
		const event = JSON.parse(await store.sql("select payload from events where store_id = :'store'"));
		assert.deepEqual(event, { seq: 1, event_type: 'OrderCreated', store_id: store.store_id, table_id: store.tables[0].table_id, table_number: 'T-1',
			table_session_id, occurred_at: created_at, order });
		assert.equal(await store.sql("select actor from events where store_id = :'store'"), `table:${store.tables[0].table_id}`);
		assert.deepEqual(assertOk(await store.client.get(answer.headers.location ?? '', { token: store.tables[0].token }), 200), order);
	});
	succeeds('into the one open session of its table', async () => {
		const store = await newStore(stack);
		const orders = [await store.order(0), await store.order(0), await store.order(1)];
		assert.equal(orders[0].table_session_id, orders[1].table_session_id);
		assert.notEqual(orders[0].table_session_id, orders[2].table_session_id);
		assert.deepEqual(orders.map((o) => o.order_number), [1, 2, 3]);
		await store.sql('update table_sessions set ended_at = now(), archived_orders_count = 0, archived_total_price = 0, payable_total_price = 0, unserved_orders_count = 0 where id = :id', { id: orders[0].table_session_id });
		assert.ok(![orders[0].table_session_id, orders[2].table_session_id].includes((await store.order(0)).table_session_id));
	});
	succeeds('keeping name and price of the moment', async () => {
		const store = await newStore(stack);
		const order = await store.order(0);
		await store.sql("update menus set name = 'new', price = 5 where id = :id", { id: store.menus[0].id });
		assert.deepEqual(assertOk(await store.client.get(`${PATH}/${order.id}`, { token: store.tables[0].token }), 200), order);
		const next = await store.order(0);
		assert.deepEqual([next.items[0].menu_name, next.items[0].unit_price, next.total_price], ['new', 5, 5]);
	});
	succeeds('at the limits: 50 lines, quantity 100, a note of 200 characters, a price of 10^9', async () => {
		const store = await newStore(stack);
		await store.sql('update menus set price = 1000000000 where id = :id', { id: store.menus[0].id });
		const note = '🍜'.repeat(200);
		const order = assertOk(await post(store, { items: Array(50).fill(line(store, 0, 100)), note }), 201);
		assert.deepEqual([order.items.length, order.total_price, order.note], [50, 5000000000000, note]);
	});
	succeeds('without a note when it is null or empty', async () => {
		const store = await newStore(stack);
		for (const note of [undefined, null, ''])
			assert.equal(assertOk(await post(store, { items: [line(store, 0)], note, expected_total_price: null }), 201).note, null);
	});
	succeeds('as application/json with parameters', async () => {
		const store = await newStore(stack);
		assertOk(await post(store, { items: [line(store, 0)] }, { 'Content-Type': 'Application/JSON; charset=utf-8' }), 201);
	});
	succeeds('in at most two trips to the database, also with a key', async () => {
		const store = await newStore(stack);
		for (let i = 0; i < 3; i++) {
			const answer = await post(store, { items: [line(store, 0), line(store, 1)], note: 'x' }, i > 0 ? { 'Idempotency-Key': `key${i}` } : {});
			const logged = await stack.logLine('create-order', String(answer.headers['x-request-id']));
			assert.ok(logged.db_trips <= 2, `${logged.db_trips} trips`);
			assert.equal(logged.status, 201);
		}
	});
	refuses('menus that cannot be had, all of them at once, and stores nothing', async () => {
		const store = await newStore(stack);
		const other = await newStore(stack);
		await store.sql('update menus set is_available = false where id = :id', { id: store.menus[1].id });
		const untouched = await traces(store);
		const items = [line(store, 0), line(store, 1), line(other, 0), { menu_id: 9007199254740991, quantity: 1 }, line(store, 2), line(store, 1)];
		const error = assertError(await post(store, { items }), 409, 'ORDER_ITEMS_UNAVAILABLE');
		assert.deepEqual(error.details, { items: [
			{ index: 1, menu_id: store.menus[1].id, code: 'MENU_NOT_AVAILABLE' },
			{ index: 2, menu_id: other.menus[0].id, code: 'MENU_NOT_FOUND' },
			{ index: 3, menu_id: 9007199254740991, code: 'MENU_NOT_FOUND' },
			{ index: 5, menu_id: store.menus[1].id, code: 'MENU_NOT_AVAILABLE' },
		] });
		assert.equal(await traces(store), untouched);
	});
	refuses('a total that is not the expected one, with the new prices', async () => {
		const store = await newStore(stack);
		const untouched = await traces(store);
		const error = assertError(await post(store, { items: [line(store, 0, 3), line(store, 1)], expected_total_price: 4999 }), 409, 'PRICE_CHANGED');
		assert.equal(error.details.total_price, 5000);
		assert.deepEqual(error.details.items.map((/** @type {any} */ i) => [i.menu_id, i.unit_price, i.quantity]),
			[[store.menus[0].id, 1000, 3], [store.menus[1].id, 2000, 1]]);
		assert.equal(await traces(store), untouched);
	});
});

describe('an order that is malformed', () => {
	/** @type {import('./lib/store.mjs').Store} */
	let store;
	/** @type {string} */
	let untouched;

	before(async () => {
		store = await newStore(stack);
	});
	beforeEach(async () => {
		untouched = await traces(store);
	});

	/** @param {any} value */
	const items = (value) => ({ items: value });

	test('is refused with the name of the field', async () => {
		const id = store.menus[0].id;
		/** @type {[any, string][]} */
		const bad = [
			[{}, 'items'], [items(null), 'items'], [items({}), 'items'], [items('x'), 'items'], [items(3), 'items'], [items([]), 'items'],
			[items(Array(51).fill(line(store, 0))), 'items'],
			[items([1]), 'items[0]'], [items([null]), 'items[0]'], [items([[]]), 'items[0]'], [items(['x']), 'items[0]'],
			[items([{ quantity: 1 }]), 'items[0].menu_id'], [items([{ menu_id: null, quantity: 1 }]), 'items[0].menu_id'],
			[items([{ menu_id: String(id), quantity: 1 }]), 'items[0].menu_id'], [items([{ menu_id: 0, quantity: 1 }]), 'items[0].menu_id'],
			[items([{ menu_id: -1, quantity: 1 }]), 'items[0].menu_id'], [items([{ menu_id: true, quantity: 1 }]), 'items[0].menu_id'],
			[items([{ menu_id: 1.5, quantity: 1 }]), 'items[0].menu_id'], [items([{ menu_id: [id], quantity: 1 }]), 'items[0].menu_id'],
			[items([{ menu_id: 2 ** 53, quantity: 1 }]), 'items[0].menu_id'],
			[items([line(store, 0), { menu_id: id }]), 'items[1].quantity'], [items([{ menu_id: id, quantity: 0 }]), 'items[0].quantity'],
			[items([{ menu_id: id, quantity: 101 }]), 'items[0].quantity'], [items([{ menu_id: id, quantity: -1 }]), 'items[0].quantity'],
			[items([{ menu_id: id, quantity: 1.5 }]), 'items[0].quantity'], [items([{ menu_id: id, quantity: '1' }]), 'items[0].quantity'],
			[items([{ menu_id: id, quantity: null }]), 'items[0].quantity'],
			[{ items: [line(store, 0)], note: 5 }, 'note'], [{ items: [line(store, 0)], note: {} }, 'note'],
			[{ items: [line(store, 0)], note: 'x'.repeat(201) }, 'note'], [{ items: [line(store, 0)], note: 'a\u0000b' }, 'note'],
			[{ items: [line(store, 0)], expected_total_price: '1000' }, 'expected_total_price'],
			[{ items: [line(store, 0)], expected_total_price: -1 }, 'expected_total_price'],
			[{ items: [line(store, 0)], expected_total_price: 1000.5 }, 'expected_total_price'],
			[{ items: [line(store, 0)], expected_total_price: true }, 'expected_total_price'],
		];
		for (const [body, field] of bad)
			assertInvalid(await post(store, body), field);
		for (const number of ['9223372036854775807', '9223372036854775808', '18446744073709551617', '-9223372036854775809', '1e400', '1.0', '1e0'])
			assertInvalid(await store.client.post(PATH, { token: store.tables[0].token, raw: `{"items":[{"menu_id":${number},"quantity":1}]}` }), 'items[0].menu_id');
		for (const number of ['4294967297', '18446744073709551617', '1.0', '1e0'])
			assertInvalid(await store.client.post(PATH, { token: store.tables[0].token, raw: `{"items":[{"menu_id":${id},"quantity":${number}}]}` }), 'items[0].quantity');
		assert.equal(await traces(store), untouched);
	});
	test('is refused when it is no JSON object in UTF-8', async () => {
		const good = JSON.stringify(items([line(store, 0)]));
		const bad = ['', ' ', '[]', 'null', 'true', '1', '"x"', '{', good.slice(0, -1), `${good}}`, `${good}${good}`, `${good},`, good.replace(/"/g, "'"), '{items:[]}',
			`${good.slice(0, -1)},}`, `/* x */${good}`, `${good.slice(0, -1)},"note":NaN}`, `${good.slice(0, -1)},"note":"a\nb"}`, `${good.slice(0, -1)},"x":01}`,
			`${good.slice(0, -1)},"note":"\\x"}`,
			Buffer.concat([Buffer.from(`${good.slice(0, -1)},"note":"`), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
			Buffer.concat([Buffer.from(`${good.slice(0, -1)},"note":"`), Buffer.from([0xc0, 0x80]), Buffer.from('"}')]),
			Buffer.concat([Buffer.from(`${good.slice(0, -1)},"note":"`), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
			Buffer.concat([Buffer.from(good), Buffer.from([0])]), Buffer.from(good, 'utf16le'),
			`{"items":${'['.repeat(5000)}${']'.repeat(5000)}}`, `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`];
		const taken = [];
		for (const raw of bad) {
			const answer = await store.client.post(PATH, { token: store.tables[0].token, raw });
			if (answer.status !== 400)
				taken.push(`${answer.status} ${String(raw).slice(0, 100)}`);
			else
				assertError(answer, 400, 'INVALID_REQUEST');
		}
		assert.deepEqual(taken, []);
		assert.equal(await traces(store), untouched);
	});
	test('is refused in another type, or for another', async () => {
		const body = items([line(store, 0)]);
		for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', ''])
			assertError(await post(store, body, { 'Content-Type': type }), 415, 'UNSUPPORTED_MEDIA_TYPE');
		for (const type of ['text/html', 'image/*', 'application/json;q=0', 'text/event-stream'])
			assertError(await post(store, body, { Accept: type }), 406, 'NOT_ACCEPTABLE');
		assert.equal(await traces(store), untouched);
	});
	test('is refused when it is over 64 KiB, early', async () => {
		const raw = JSON.stringify({ ...items([line(store, 0)]), x: 'x'.repeat(64 * 1024) });
		assertError(await store.client.post(PATH, { token: store.tables[0].token, raw }), 413, 'PAYLOAD_TOO_LARGE');
		/* exactly that much is read, and found wanting */
		const limit = { items: [{ menu_id: 1, quantity: 0 }], x: '' };
		limit.x = 'x'.repeat(64 * 1024 - JSON.stringify(limit).length);
		assertInvalid(await post(store, limit), 'items[0].quantity');
		const head = await raw413(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${store.tables[0].token}\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n`);
		assert.match(head, /^HTTP\/1\.1 413 /);
		assert.equal(await traces(store), untouched);
	});
	test('is forgotten when its body never ends', async () => {
		const socket = net.connect(Number(stack.url.port), stack.url.hostname);
		await new Promise((done) => socket.once('connect', done));
		socket.end(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${store.tables[0].token}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"items":[`);
		await within('the end of the connection', new Promise((done) => socket.on('close', done).on('error', () => {}).resume()));
		assert.equal(await traces(store), untouched);
	});
	test('comes in pieces and is taken all the same', { skip: WEB === 'apache-cgi' && 'a CGI program is not told where such a body ends' }, async () => {
		const own = await newStore(stack, { tables: 1, menus: 1 });
		const body = JSON.stringify(items([line(own, 0)]));
		const socket = net.connect(Number(stack.url.port), stack.url.hostname);
		let answer = '';
		socket.setEncoding('utf8').on('data', (s) => { answer += s; });
		socket.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer ${own.tables[0].token}\r\nContent-Type: application/json\r\n\r\n`);
		for (const char of body)
			await new Promise((done) => socket.write(`1\r\n${char}\r\n`, done));
		socket.write('0\r\n\r\n');
		await within('an answer', new Promise((done) => socket.on('close', done)));
		assert.match(answer, /^HTTP\/1\.1 201 /);
	});

	/** @param {string} request @returns {Promise<string>} */
	function raw413(request) {
		const socket = net.connect(Number(stack.url.port), stack.url.hostname);
		return within('an answer before the body', new Promise((done) => {
			socket.setEncoding('utf8').once('data', (s) => {
				socket.destroy();
				done(String(s));
			});
			socket.write(request);
		}));
	}
});

describe('an Idempotency-Key', () => {
	test('gets the first answer again, byte for byte', async () => {
		const store = await newStore(stack);
		const headers = { 'Idempotency-Key': '!~key-1' };
		const body = { items: [line(store, 0)], note: 'once' };
		const first = await post(store, body, headers);
		await store.sql("update menus set price = 7, is_available = false where id = :id", { id: store.menus[0].id });
		await store.adminLogin();
		await store.move(first.json.id, 'preparing');
		const again = await post(store, body, headers);
		assertOk(again, 201);
		assert.deepEqual([again.text, again.headers.location, again.headers['content-type']], [first.text, first.headers.location, first.headers['content-type']]);
		assert.deepEqual([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']], [undefined, 'true']);
		assert.notEqual(again.headers['x-request-id'], first.headers['x-request-id']);
		assert.equal(await store.sql("select count(*) from orders where store_id = :'store'"), '1');
	});
	test('with another body is refused', async () => {
		const store = await newStore(stack);
		const headers = { 'Idempotency-Key': 'k' };
		await post(store, { items: [line(store, 0)] }, headers);
		assertError(await post(store, { items: [line(store, 0, 2)] }, headers), 422, 'IDEMPOTENCY_KEY_REUSED');
		assertError(await store.client.post(PATH, { token: store.tables[0].token, headers, raw: `${JSON.stringify({ items: [line(store, 0)] })} ` }), 422, 'IDEMPOTENCY_KEY_REUSED');
		assert.equal(await store.sql("select count(*) from orders where store_id = :'store'"), '1');
	});
	test('sent 30 times at once makes one order', async () => {
		const store = await newStore(stack);
		const answers = await Promise.all(Array.from({ length: 30 }, () => post(store, { items: [line(store, 0)] }, { 'Idempotency-Key': 'at-once' })));
		assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([201]));
		assert.equal(new Set(answers.map((a) => a.text)).size, 1);
		assert.equal(answers.filter((a) => a.headers['idempotent-replayed'] === undefined).length, 1);
		assert.equal(await store.sql("select count(*) from orders where store_id = :'store'"), '1');
		assert.equal(await store.sql("select last_seq || ' ' || last_order_number from store_counters where store_id = :'store'"), '1 1');
	});
	test('is each account\'s own', async () => {
		const store = await newStore(stack);
		const headers = { 'Idempotency-Key': 'same' };
		const orders = [await post(store, { items: [line(store, 0)] }, headers, 0), await post(store, { items: [line(store, 1)] }, headers, 1)];
		assert.deepEqual(orders.map((o) => [o.status, o.headers['idempotent-replayed']]), [[201, undefined], [201, undefined]]);
		assert.notEqual(orders[0].json.id, orders[1].json.id);
	});
	test('is 1 to 128 visible ASCII characters', async () => {
		const store = await newStore(stack);
		const body = { items: [line(store, 0)] };
		for (const key of ['', 'x'.repeat(129), 'a b', 'tab\tin', 'ü'])
			assertInvalid(await post(store, body, { 'Idempotency-Key': key }), 'Idempotency-Key');
		assertOk(await post(store, body, { 'Idempotency-Key': 'x'.repeat(128) }), 201);
	});
	test('keeps successes only', async () => {
		const store = await newStore(stack);
		const headers = { 'Idempotency-Key': 'later' };
		const body = { items: [line(store, 0)] };
		await store.sql('update menus set is_available = false where id = :id', { id: store.menus[0].id });
		assertError(await post(store, body, headers), 409, 'ORDER_ITEMS_UNAVAILABLE');
		assertInvalid(await post(store, { items: [] }, headers), 'items');
		await store.sql('update menus set is_available = true where id = :id', { id: store.menus[0].id });
		const answer = await post(store, body, headers);
		assertOk(answer, 201);
		assert.equal(answer.headers['idempotent-replayed'], undefined);
	});
	test('is forgotten after 24 hours', async () => {
		const store = await newStore(stack);
		const headers = { 'Idempotency-Key': 'old' };
		const first = await post(store, { items: [line(store, 0)] }, headers);
		await store.sql("update idempotency_keys set created_at = now() - interval '24 hours 1 minute' where store_id = :'store'");
		const next = await post(store, { items: [line(store, 1)] }, headers);
		assertOk(next, 201);
		assert.notEqual(next.json.id, first.json.id);
		assert.equal((await post(store, { items: [line(store, 1)] }, headers)).text, next.text);
	});
	test('does not open the door to who may not order any more', async () => {
		const store = await newStore(stack);
		const headers = { 'Idempotency-Key': 'k' };
		await post(store, { items: [line(store, 0)] }, headers);
		await store.sql('update dining_tables set token_generation = 1 where id = :id', { id: store.tables[0].table_id });
		assertError(await post(store, { items: [line(store, 0)] }, headers), 401, 'TOKEN_INVALID');
	});
	test('makes a retry wait for the counter only so long', async () => {
		const store = await newStore(stack, { tables: 1 });
		const lock = store.sql("select 1 from store_counters where store_id = :'store' for update; select pg_sleep(61)").catch((error) => error);
		const answer = await waitForLock(store).then(() => post(store, { items: [line(store, 0)] }, { 'Idempotency-Key': 'k' }));
		assertError(answer, 503, 'DEPENDENCY_UNAVAILABLE');
		await store.sql("select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep(61)%' and pid <> pg_backend_pid()");
		await lock;
		assertOk(await post(store, { items: [line(store, 0)] }, { 'Idempotency-Key': 'k' }), 201);
	});

	/** @param {import('./lib/store.mjs').Store} store Until somebody holds the store's counter. */
	async function waitForLock(store) {
		for (let i = 0; i < 200; i++)
			if (await store.sql("select 1 from store_counters where store_id = :'store' for update skip locked") === '')
				return;
		throw new Error('nobody took the lock');
	}
});

describe('orders at once', () => {
	test('50 over several tables are numbered 1 to 50, their events 1 to 50, one session a table', async () => {
		const store = await newStore(stack, { tables: 8 });
		const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => post(store, { items: [line(store, i % 6), line(store, (i + 1) % 6)] }, {}, i % 8)));
		const orders = answers.map((answer) => assertOk(answer, 201));
		const upTo50 = Array.from({ length: 50 }, (_, i) => i + 1);
		assert.deepEqual(orders.map((o) => o.order_number).sort((a, b) => a - b), upTo50);
		assert.equal(new Set(orders.map((o) => o.table_session_id)).size, 8);
		const events = (await store.sql("select payload from events where store_id = :'store' order by seq")).split('\n').map((s) => JSON.parse(s));
		assert.deepEqual(events.map((e) => e.seq), upTo50);
		assert.deepEqual(events.map((e) => e.order.order_number), upTo50);
		for (const event of events)
			assert.deepEqual(event.order, orders.find((o) => o.id === event.order.id));
	});
	test('a number that was given is not given again, and a new business day begins at 1', async () => {
		const store = await newStore(stack, { tables: 1 });
		await store.order(0);
		await store.sql("update store_counters set business_date = business_date - 1 where store_id = :'store'; update orders set business_date = business_date - 1 where store_id = :'store'");
		assert.equal((await store.order(0)).order_number, 1);
		await store.sql("update store_counters set business_date = business_date + 1, last_order_number = 6 where store_id = :'store'");
		const ahead = await store.order(0);
		assert.equal(ahead.order_number, 7);
		assert.equal(ahead.business_date, await store.sql("select business_date from store_counters where store_id = :'store'"));
	});
});
