/** Programs and servers that die, are restarted, or are away, in the middle of the work: nothing is lost. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { form } from './lib/form.mjs';
import { orderThrough, persist } from './lib/load.mjs';
import { Streams } from './lib/sse.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

const ADMIN = '/api/admin/orders/stream';
const ORDERS = 200, TABLES = 8;
/** What orderctl after-restore adds to the number of a store's last event. */
const RAISE = 1000000;
const SERVERS = ['redis', 'rabbitmq', 'postgres', 'nginx'];

/** @type {import('./lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;

before(async () => {
	stack = await ownStack('trouble', {});
	streams = new Streams(stack);
});
after(() => stack?.stop());
afterEach(() => streams?.closeAll());

/** @typedef {import('./lib/client.mjs').Answer} Answer */

/** @param {string} name */
async function kill(name) {
	const before = stack.signal(name, 'KILL');
	/* its workers would live on, and hold the port */
	if (name === 'nginx')
		process.kill(-before, 'SIGKILL');
	if (SERVERS.includes(name))
		await stack.part('start', name);
	else
		await stack.replaced(name, before);
}

/** @param {() => Promise<any>} check */
const healthy = (check = async () => (await new Client(stack).get('/health')).json.status === 'up') => until('health', check, 60000);

describe('kill -9 in the middle of 200 orders loses and doubles nothing:', () => {
	afterEach(() => healthy());

	for (const name of ['create-order', 'update-order-status', 'order-query', 'outbox-dispatcher', 'sse-relay']) {
		test(`${name}, three times`, () => orderThrough(stack, streams, async (acknowledged) => {
			for (const part of [0.2, 0.4, 0.6]) {
				await until('so many orders', () => acknowledged() >= ORDERS * part, 60000);
				await kill(name);
			}
		}));
	}
	test('every program, one after the other', () => orderThrough(stack, streams, async (acknowledged) => {
		await until('the first orders', () => acknowledged() > 10, 60000);
		for (const name of Object.keys(stack.info.supervisors))
			await kill(name);
	}));
	for (const name of SERVERS) {
		test(name, () => orderThrough(stack, streams, async (acknowledged) => {
			await until('so many orders', () => acknowledged() >= ORDERS / 4, 60000);
			await kill(name);
		}));
	}
});

describe('a program that is restarted (SIGTERM) under load', () => {
	test('loses no request', async () => {
		const store = await newStore(stack, { tables: TABLES });
		const [menu] = store.menus;
		let loading = true;
		/** @type {string[]} */
		const failures = [];
		let answered = 0;
		/** @type {((table: import('./lib/store.mjs').Table) => Promise<Answer>)[]} */
		const requests = [
			({ token }) => store.client.post('/api/customer/orders', { token, body: { items: [{ menu_id: menu.id, quantity: 1 }] } }),
			({ token }) => store.client.get('/api/customer/orders', { token }),
			({ token }) => store.client.get('/api/customer/menus', { token }),
			({ token }) => store.client.get(`/api/customer/menus/${menu.id}`, { token }),
			() => store.client.get('/api/admin/orders?page_size=5', { token: store.admin.token }),
			({ table_number, password }) => store.client.post('/api/customer/auth/login', { body: { store_id: store.store_id, table_number, password } }),
			() => store.client.get('/api/auth/jwks.json'),
			() => store.client.get('/health'),
			async ({ token }) => {
				const order = await store.client.post('/api/customer/orders', { token, body: { items: [{ menu_id: menu.id, quantity: 2 }] } });
				return order.status !== 201 ? order : store.client.patch(`/api/admin/orders/${order.json.id}/status`, { token: store.admin.token, body: { status: 'cancelled' } });
			},
		];
		const load = Promise.all(store.tables.map(async (table, t) => {
			for (let i = t; loading; i++) {
				const answer = await requests[i % requests.length](table).catch((error) => ({ status: 0, text: String(error) }));
				answered++;
				if (answer.status < 200 || answer.status > 299)
					failures.push(`${i % requests.length}: ${answer.status} ${answer.text}`);
			}
		}));
		try {
			for (let round = 0; round < 3; round++)
				for (const name of Object.keys(stack.info.supervisors))
					await stack.replaced(name, stack.signal(name, 'TERM'));
		} finally {
			loading = false;
			await load;
		}
		assert.deepEqual(failures.slice(0, 10), []);
		assert.ok(answered > 200, `only ${answered} requests`);
	});
});

/** Redis is asked, and answers: menus come from the cache. @param {import('./lib/store.mjs').Store} store @param {number} table */
const cached = (store, table) => until('an answer from the cache', async () => {
	const answer = await store.client.get('/api/customer/menus', { token: store.tables[table].token });
	return (await stack.logLine('menu', String(answer.headers['x-request-id']))).db_trips === 0;
});

/** How often Redis has let a request down. */
const failures = async () => Number(/^table_order_redis_failures_total(?:\{\})? (\d+)$/m.exec((await new Client(stack, '127.0.0.1').get('/metrics')).text)?.[1] ?? 0);

describe('Redis away', () => {
	test('is a warning, a metric and a state; orders and menus go on', async () => {
		const store = await newStore(stack);
		const { token } = store.tables[0];
		assertOk(await store.client.get('/api/customer/menus', { token }), 200);
		const before = await failures();
		await stack.part('stop', 'redis');
		try {
			for (let i = 0; i < 5; i++) {
				await store.order(0);
				const menus = await store.client.get('/api/customer/menus', { token });
				assert.equal(assertOk(menus, 200).data.length, 6);
				assert.match(String(menus.headers.etag), /^"/);
			}
			assertOk(await store.client.post('/api/auth/logout', { token }), 204);
			assertError(await store.client.get('/api/customer/menus', { token }), 401, 'TOKEN_INVALID');
			const health = assertOk(await store.client.get('/health'), 200);
			assert.deepEqual([health.status, health.checks.redis.state, health.checks.database.state], ['degraded', 'down', 'up']);
			await until('a warning', () => stack.log('menu').some((line) => line.level === 'WARNING' && /redis/i.test(JSON.stringify(line))));
			await until('a metric', async () => await failures() > before);
		} finally {
			await stack.part('start', 'redis');
		}
		await store.tableLogin(1);
		await cached(store, 1);
	});
	test('or hanging: requests wait 100 ms at most, then leave it alone for a while', async () => {
		const store = await newStore(stack);
		const pid = stack.running('redis');
		await cached(store, 0);
		process.kill(pid, 'SIGSTOP');
		try {
			const start = performance.now();
			assertOk(await store.client.get('/api/customer/menus', { token: store.tables[0].token }), 200);
			for (let i = 0; i < 20; i++)
				assertOk(await store.client.get('/api/customer/menus', { token: store.tables[0].token }), 200);
			assert.ok(performance.now() - start < 2000, `20 requests took ${performance.now() - start} ms`);
		} finally {
			process.kill(pid, 'SIGCONT');
		}
		await healthy();
	});
	test('for a moment only: what is changed right after it shows at once', async () => {
		const store = await newStore(stack), pid = stack.running('redis'), { id } = store.menus[0];
		const shown = () => store.client.get(`/api/customer/menus/${id}`, { token: store.tables[0].token });
		/** @param {number} price */
		const change = (price) => store.client.patch(`/api/admin/menus/${id}`, { token: store.admin.token, body: { price } });
		for (let i = 0; i < 2; i++)
			assertOk(await shown(), 200);
		process.kill(pid, 'SIGSTOP');
		try {
			assertOk(await change(7001), 200);
		} finally {
			process.kill(pid, 'SIGCONT');
		}
		assertOk(await change(7002), 200);
		await until('the new price', async () => assertOk(await shown(), 200).price === 7002);
	});
	test('does not bring a revoked token back from a cache that missed it', async () => {
		const store = await newStore(stack);
		const { token } = store.tables[0];
		for (let i = 0; i < 2; i++)
			assertOk(await store.client.get('/api/customer/menus', { token }), 200);
		await stack.part('stop', 'redis');
		try {
			assertOk(await store.client.post('/api/auth/logout', { token }), 204);
		} finally {
			await stack.part('start', 'redis');
		}
		assertError(await store.client.get('/api/customer/menus', { token }), 401, 'TOKEN_INVALID');
	});
});

describe('the broker away', () => {
	test('costs no order and no event; the outbox grows and drains by itself', async () => {
		const store = await newStore(stack);
		const stream = await streams.open(ADMIN, { token: store.admin.token });
		await stack.part('stop', 'rabbitmq');
		try {
			for (let i = 0; i < 20; i++)
				await store.order(i % 2);
			await stream.untilId(20);
			assert.equal(stream.connections, 1);
			assert.equal(JSON.parse(await stack.orderctl('outbox', '--json')).unpublished, 20);
			await until('its state', async () => assertOk(await store.client.get('/health'), 200).checks.rabbitmq.state === 'down');
			assert.equal(assertOk(await store.client.get('/health'), 200).status, 'degraded');
			await until('a warning of the dispatcher', () => stack.log('outbox-dispatcher').some((line) => ['WARNING', 'ERROR'].includes(line.level)));
		} finally {
			await stack.part('start', 'rabbitmq');
		}
		await until('an empty outbox', async () => await store.sql('select count(*) from events where published_at is null') === '0', 60000);
		await store.order(0);
		await stream.untilId(21);
		assert.deepEqual(stream.ids, Array.from({ length: 21 }, (_, i) => i + 1));
	});
});

describe('the broker hanging', () => {
	test('keeps no order and no stream waiting', async () => {
		const store = await newStore(stack);
		const stream = await streams.open(ADMIN, { token: store.admin.token });
		const pid = stack.pid('rabbitmq') ?? 0;
		process.kill(pid, 'SIGSTOP');
		try {
			for (let i = 0; i < 20; i++)
				await store.order(i % 2);
			await stream.untilId(20);
		} finally {
			process.kill(pid, 'SIGCONT');
		}
		await until('an empty outbox', async () => await store.sql('select count(*) from events where published_at is null') === '0', 60000);
		assert.deepEqual(stream.ids, Array.from({ length: 20 }, (_, i) => i + 1));
	});
});

describe('a program away', () => {
	test('is 503 with Retry-After in the API\'s form, until it is there again', async () => {
		const store = await newStore(stack);
		await stack.part('stop', 'menu');
		try {
			assertError(await store.client.get('/api/customer/menus', { token: store.tables[0].token }), 503, 'DEPENDENCY_UNAVAILABLE');
			/* a body that is larger than most may be */
			const upload = form([['image', Buffer.alloc(1 << 20), 'menu.png']]);
			assertError(await store.client.api('PATCH', `/api/admin/menus/${store.menus[0].id}`, { token: store.admin.token, ...upload }), 503, 'DEPENDENCY_UNAVAILABLE');
			await store.order(0);
		} finally {
			await stack.part('start', 'menu');
		}
		assertOk(await store.client.get('/api/customer/menus', { token: store.tables[0].token }), 200);
	});
});

describe('the database away', () => {
	test('is 503 with Retry-After; all comes back by itself, streams too', async () => {
		const store = await newStore(stack);
		const stream = await streams.open(ADMIN, { token: store.admin.token, retryMs: 100 });
		await store.order(0);
		const body = { items: [{ menu_id: store.menus[0].id, quantity: 1 }] };
		await stack.part('stop', 'postgres');
		try {
			const answers = await Promise.all([store.client.post('/api/customer/orders', { token: store.tables[0].token, body }), store.client.get('/api/admin/board', { token: store.admin.token }),
				store.client.post('/api/admin/auth/login', { body: { store_id: store.store_id, username: 'x', password: 'y' } }), store.client.get('/api/customer/categories', { token: store.tables[0].token })]);
			for (const answer of answers)
				assertError(answer, 503, 'DEPENDENCY_UNAVAILABLE');
			const health = await store.client.get('/health');
			assert.deepEqual([health.status, health.json.status, health.json.checks.database.state], [503, 'down', 'down']);
			const late = streams.start(ADMIN, { token: store.admin.token, reconnect: false });
			await late.ended();
			assert.deepEqual([late.refusal, late.retryMs], [undefined, 2000], 'a stream\'s URL must answer 200 or a browser gives up');
			assert.ok(stack.log('create-order').some((line) => line.level === 'ERROR' && /connection|server|socket/.test(JSON.stringify(line))), 'no log line names the server');
		} finally {
			await stack.part('start', 'postgres');
		}
		assertOk(await persist(() => store.client.post('/api/customer/orders', { token: store.tables[0].token, body })), 201);
		await store.order(1);
		await stream.untilId(3);
		assert.deepEqual(stream.ids, [1, 2, 3]);
	});
	test('restored to an earlier time: a page that has seen what is gone loads again, however late it comes back', async () => {
		const store = await newStore(stack);
		const token = store.admin.token;
		const page = await streams.open(ADMIN, { token });
		for (let i = 0; i < 6; i++)
			await store.order(0);
		await page.untilId(6);
		page.close();
		await stack.part('stop', 'sse-relay');
		try {
			/* as far as streams see it, the moment after the fourth order */
			await store.sql("delete from events where store_id = :'store' and seq > 4; update store_counters set last_seq = 4 where store_id = :'store'");
			await stack.orderctl('after-restore');
			for (let i = 0; i < 4; i++)
				await store.order(0);
		} finally {
			await stack.part('start', 'sse-relay');
		}
		const again = await streams.open(ADMIN, { token, lastEventId: page.lastEventId });
		await again.until('a reset', () => again.news.length > 0);
		const last = 4 + RAISE + 4;
		assert.deepEqual(again.news.map((e) => [e.type, e.id]), [['reset', String(last)]]);
		await store.order(0);
		await again.untilId(last + 1);
		/* the relay of another host was there all the time */
		await stack.orderctl('after-restore');
		await again.until('a second reset', () => again.news.some((e) => e.id === String(last + 1 + RAISE)));
		await store.order(0);
		await again.untilId(last + 2 + RAISE);
		assert.deepEqual(again.news.slice(1).map((e) => e.type), ['OrderCreated', 'reset', 'OrderCreated']);
	});
	test('restarted under load: orders are taken as soon as it is back', () => orderThrough(stack, streams, async (acknowledged) => {
		await until('so many orders', () => acknowledged() >= ORDERS / 4, 60000);
		await stack.part('restart', 'postgres');
	}));
});

describe('the relay away', () => {
	test('is an empty stream that a browser comes back to, and then gets all', async () => {
		const store = await newStore(stack);
		const stream = await streams.open(ADMIN, { token: store.admin.token, retryMs: 100 });
		await store.order(0);
		await stream.untilId(1);
		await stack.part('stop', 'sse-relay');
		try {
			const answer = await store.client.get(ADMIN, { token: store.admin.token });
			assert.equal(answer.status, 200);
			assert.match(String(answer.headers['content-type']), /^text\/event-stream\b/);
			assert.match(answer.text, /^retry: 2000\n\n/);
			await store.order(1);
			await stream.until('a try in vain', () => stream.connections > 1);
		} finally {
			await stack.part('start', 'sse-relay');
		}
		await store.order(0);
		await stream.untilId(3);
		assert.deepEqual(stream.ids, [1, 2, 3]);
	});
	test('restarted (SIGTERM): every page comes back and misses nothing', async () => {
		const store = await newStore(stack);
		const pages = await Promise.all(Array.from({ length: 20 }, () => streams.open(ADMIN, { token: store.admin.token, retryMs: 50 })));
		for (let i = 0; i < 30; i++) {
			if (i % 10 === 5)
				await stack.replaced('sse-relay', stack.signal('sse-relay', 'TERM'));
			await store.order(i % 2);
		}
		for (const page of pages) {
			await page.untilId(30);
			assert.deepEqual(page.ids, Array.from({ length: 30 }, (_, i) => i + 1));
			assert.ok(page.connections > 1);
		}
	});
});
