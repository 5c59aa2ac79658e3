/** An installation with small limits: few connections, few requests a minute, frequent heartbeats; and https in front. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, afterEach, before, describe, test } from 'node:test';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { Streams } from './lib/sse.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

const POOL = 5, RATE = 30, WAIT_SECONDS = 3;
/** @type {import('./lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;

before(async () => {
	stack = await ownStack('limits', {
		DB_POOL_SIZE: String(POOL), RATE_LIMIT_PER_MINUTE: String(RATE), SSE_HEARTBEAT_SECONDS: '1', PUBLIC_URL: 'https://tables.example.com',
		DB_POOL_WAIT_SECONDS: String(WAIT_SECONDS), BCRYPT_COST: '9',
	});
	streams = new Streams(stack);
});
after(() => stack?.stop());
afterEach(() => streams?.closeAll());

/** Counts the programs' connections all the time. Ends with the greatest number. */
function watchConnections() {
	const child = spawn('psql', ['-XqAt', stack.env.DATABASE_OWNER_URL], { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env.PATH } });
	const seen = { most: 0, samples: 0 };
	child.stdout.setEncoding('utf8').on('data', (text) => {
		for (const line of text.split('\n').filter((/** @type {string} */ s) => /^\d+$/.test(s))) {
			seen.samples++;
			seen.most = Math.max(seen.most, Number(line));
		}
	});
	child.stdin.write("select count(*) from pg_stat_activity where usename in ('table_order_service', 'table_order_dispatcher', 'table_order_relay')\n\\watch 0.02\n");
	return { seen, stop: () => child.kill('SIGKILL') };
}

describe('the pool of connections', () => {
	test('holds over all programs together, and everybody is answered', async () => {
		const store = await newStore(stack, { tables: 12 });
		const stream = await streams.open('/api/admin/orders/stream', { token: store.admin.token });
		const watch = watchConnections();
		try {
			await until('the first count', () => watch.seen.samples > 0);
			for (let round = 0; round < 3; round++) {
				const answers = await Promise.all(Array.from({ length: 40 }, async (_, i) => {
					const { token } = store.tables[i % 12];
					if (i % 4 === 0)
						return store.client.get('/api/customer/orders', { token });
					if (i % 4 === 1)
						return store.client.get(`/api/customer/menus/${store.menus[i % 6].id}`, { token });
					return store.client.post('/api/customer/orders', { token, body: { items: [{ menu_id: store.menus[i % 6].id, quantity: 1 }] } });
				}));
				for (const answer of answers)
					assert.ok(answer.status === 200 || answer.status === 201, `${answer.status} ${answer.text}`);
			}
			await stream.untilId(60);
			assert.equal(await store.sql("select last_order_number from store_counters where store_id = :'store'"), '60');
		} finally {
			watch.stop();
		}
		assert.ok(watch.seen.samples > 5, `${watch.seen.samples} samples`);
		assert.ok(watch.seen.most <= POOL, `there were ${watch.seen.most} connections`);
	});
	test('is passed on between programs: an idle one\'s connections are given up to whoever needs them', async () => {
		const store = await newStore(stack, { tables: 8 });
		for (const path of ['/api/customer/orders', '/api/customer/menus', '/api/customer/categories']) {
			const answers = await Promise.all(store.tables.map((table) => store.client.get(path, { token: table.token })));
			for (const answer of answers)
				assertOk(answer, 200);
		}
	});
});

describe('a pool that stays empty', () => {
	test('is 503 with Retry-After after the configured wait, not an endless one', async () => {
		const store = await newStore(stack, { tables: 12 });
		const lock = store.sql("select 1 from store_counters where store_id = :'store' for update; select pg_sleep(62)").catch((error) => error);
		await until('the lock', async () => await store.sql("select 1 from store_counters where store_id = :'store' for update skip locked") === '');
		const asked = store.tables.map(({ token }) => store.client.post('/api/customer/orders', { token, body: { items: [{ menu_id: store.menus[0].id, quantity: 1 }] } }));
		assertError(await Promise.race(asked), 503, 'DEPENDENCY_UNAVAILABLE');
		await store.sql("select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep(62)%' and pid <> pg_backend_pid()");
		const answers = await Promise.all([...asked, lock]).then((all) => all.slice(0, -1));
		const [taken, refused] = [answers.filter((a) => a.status === 201), answers.filter((a) => a.status !== 201)];
		assert.ok(taken.length >= 1 && refused.length >= 1, answers.map((a) => a.status).join(' '));
		for (const answer of refused)
			assertError(answer, 503, 'DEPENDENCY_UNAVAILABLE');
		assert.equal(await store.sql("select count(*) from orders where store_id = :'store'"), String(taken.length));
	});
	test('is told by /health within seconds, and does not count as down', async () => {
		const store = await newStore(stack, { tables: 12 });
		const lock = store.sql("select 1 from store_counters where store_id = :'store' for update; select pg_sleep(60)").catch((error) => error);
		await until('the lock', async () => await store.sql("select 1 from store_counters where store_id = :'store' for update skip locked") === '');
		const orders = Promise.all(store.tables.map(({ token }) => store.client.post('/api/customer/orders', { token, body: { items: [{ menu_id: store.menus[0].id, quantity: 1 }] } })));
		/* all but those of the dispatcher and the relay */
		await until('connections that are all taken', async () => await store.sql("select count(distinct pid) from pg_locks where not granted") === String(POOL - 2));
		const health = assertOk(await store.client.get('/health'), 200);
		assert.deepEqual([health.status, health.checks.database.state], ['degraded', 'busy']);
		assert.ok(health.checks.database.time_ms >= 2000, JSON.stringify(health));
		await store.sql("select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()");
		await Promise.all([lock, orders]);
		await until('health', async () => (await store.client.get('/health')).json.checks.database.state === 'up');
	});
});

describe('a login', () => {
	test('takes as long for an account that does not exist as for one that does', async () => {
		/* in turns, and the best of so many that whatever else the machine does has met both alike */
		const least = { known: Infinity, unknown: Infinity };
		const alike = () => least.unknown > least.known * 0.6 && least.known > least.unknown * 0.6;
		for (let round = 0; round < 4 || (round < 20 && !alike()); round++) {
			const store = await newStore(stack, { login: false });
			for (let i = 0; i < 10; i++) {
				const which = i % 2 === 0 ? 'known' : 'unknown';
				const body = { store_id: store.store_id, username: which === 'known' ? store.admin.username : 'nobody', password: 'wrong' };
				const start = performance.now();
				assertError(await store.client.post('/api/admin/auth/login', { body }), 401, 'INVALID_CREDENTIALS');
				least[which] = Math.min(least[which], performance.now() - start);
			}
		}
		assert.ok(alike(), JSON.stringify(least));
	});
});

describe('the rate limit', () => {
	test('lets so many requests a minute of an account pass, then tells when to come back', async () => {
		const store = await newStore(stack);
		const { token } = store.tables[0];
		for (let i = 1; i <= RATE; i++) {
			const answer = await new Client(stack).get('/api/customer/menus', { token });
			assertOk(answer, 200);
			assert.deepEqual([answer.headers['ratelimit-limit'], answer.headers['ratelimit-remaining']], [String(RATE), String(RATE - i)]);
			assert.ok(Number(answer.headers['ratelimit-reset']) >= 0 && Number(answer.headers['ratelimit-reset']) <= 60);
		}
		const answer = await store.client.get('/api/customer/orders', { token });
		assertError(answer, 429, 'RATE_LIMITED');
		assert.ok(Number(answer.headers['retry-after']) <= 60);
		assert.equal(answer.headers['ratelimit-remaining'], '0');
		assertOk(await store.client.get('/api/customer/orders', { token: store.tables[1].token }), 200);
		assertOk(await store.client.get('/api/admin/board', { token: store.admin.token }), 200);
		assertError(await store.client.post('/api/customer/orders', { token, body: { items: [{ menu_id: store.menus[0].id, quantity: 1 }] } }), 429, 'RATE_LIMITED');
	});
	test('is exact when all come at once', async () => {
		const store = await newStore(stack);
		const answers = await Promise.all(Array.from({ length: RATE + 10 }, () => store.client.get('/api/customer/menus', { token: store.tables[0].token })));
		assert.deepEqual([200, 429].map((status) => answers.filter((a) => a.status === status).length), [RATE, 10]);
	});
	test('does not count streams', async () => {
		const store = await newStore(stack);
		for (let i = 0; i < RATE + 5; i++)
			(await streams.open('/api/admin/orders/stream', { token: store.admin.token })).close();
		assertOk(await store.client.get('/api/admin/board', { token: store.admin.token }), 200);
	});
});

describe('heartbeats', () => {
	test('come without an id, and without moving a board\'s cursor', async () => {
		const store = await newStore(stack);
		await store.order(0);
		const stream = await streams.open('/api/admin/orders/stream', { token: store.admin.token });
		await stream.until('3 heartbeats', () => stream.events.filter((e) => e.type === 'heartbeat').length >= 3);
		assert.equal(stream.lastEventId, '1');
		assert.equal(stream.connections, 1);
	});
	test('keep a quiet table\'s cursor up with the store', async () => {
		const store = await newStore(stack);
		const stream = await streams.open('/api/customer/orders/stream', { token: store.tables[0].token });
		for (let i = 0; i < 3; i++)
			await store.order(1);
		await stream.until('the cursor of the store', () => stream.lastEventId === '3');
		assert.deepEqual(stream.news, []);
	});
});

describe('an installation behind https', () => {
	test('says so: Secure cookies and Strict-Transport-Security', async () => {
		const store = await newStore(stack);
		const answer = await store.client.post('/api/admin/auth/login', { body: { store_id: store.store_id, username: store.admin.username, password: store.admin.password } });
		assertOk(answer, 200);
		assert.ok(String(answer.headers['set-cookie']?.[0]).split('; ').includes('Secure'));
		assert.match(String(answer.headers['strict-transport-security']), /^max-age=\d{7,}/);
	});
});
