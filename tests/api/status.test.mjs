/** Health, metrics, and what holds for every answer: errors, languages, headers, other origins. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Client, assertCommonHeaders, assertError, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { SOURCE, sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until, within } from './lib/until.mjs';

const stack = sharedStack();
const client = new Client(stack);
const local = new Client(stack, '127.0.0.1');
const ORIGIN = 'https://board.example.com';

/**
 * Prometheus' text format, strictly.
 * @param {string} text @returns {Map<string, number>}
 */
function parseMetrics(text) {
	const series = new Map();
	const types = new Map();
	assert.ok(text.endsWith('\n'));
	for (const line of text.slice(0, -1).split('\n')) {
		const type = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
		if (type !== null) {
			assert.ok(!types.has(type[1]), `two TYPE lines of ${type[1]}`);
			types.set(type[1], type[2]);
			continue;
		}
		if (/^# HELP [a-z_:][a-z0-9_:]* /.test(line))
			continue;
		const sample = /^([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.]+(?:e[+-]?\d+)?|NaN|[+-]Inf)$/i.exec(line);
		assert.ok(sample !== null, `no sample: ${line}`);
		assert.ok(!series.has(sample[1] + (sample[2] ?? '')), `twice: ${line}`);
		const family = sample[1].replace(/_(bucket|sum|count)$/, '');
		assert.ok(types.has(sample[1]) || types.get(family) === 'histogram', `no TYPE before ${line}`);
		series.set(sample[1] + (sample[2] ?? ''), Number(sample[3]));
	}
	return series;
}

async function metrics() {
	const answer = await local.get('/metrics');
	assertOk(answer, 200);
	assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/);
	return parseMetrics(answer.text);
}

route('GET /health', ({ succeeds, refuses }) => {
	succeeds('without a login at the broker for each who asks', async () => {
		const text = () => readFileSync(join(stack.dir, 'log/rabbitmq.log'), 'utf8');
		const logins = () => text().match(/accepting AMQP connection/g)?.length ?? 0;
		const before = logins(), start = performance.now();
		await Promise.all(Array.from({ length: 50 }, () => client.get('/health').then((answer) => assertOk(answer, 200))));
		const seconds = (performance.now() - start) / 1000;
		/* one a second and process: Apache may have many of them */
		const most = (seconds + 1) * stack.pids('status').length + 1;
		assert.ok(logins() - before <= most, `${logins() - before} logins in ${seconds} s`);
	});
	succeeds('naming each dependency with its state and time', async () => {
		const json = assertOk(await client.get('/health'), 200);
		assert.equal(json.status, 'up');
		assert.deepEqual(Object.keys(json.checks).sort(), ['database', 'rabbitmq', 'redis']);
		for (const check of Object.values(json.checks)) {
			assert.equal(check.state, 'up');
			assert.ok(Number.isInteger(check.time_ms) && check.time_ms >= 0 && check.time_ms < 5000);
		}
	});
	succeeds('in 20 at once', async () => {
		for (const answer of await Promise.all(Array.from({ length: 20 }, () => client.get('/health'))))
			assertOk(answer, 200);
	});
	refuses('paths below it', async () => {
		assertError(await client.get('/health/x'), 404, 'NOT_FOUND');
	});
});

route('GET /metrics', ({ succeeds, refuses }) => {
	succeeds('counting each request, in a histogram too', async () => {
		const store = await newStore(stack);
		const labels = 'program="order-query",method="GET",route="/api/customer/orders/{order_id}"';
		const [name, bucket] = [`table_order_requests_total{${labels},status="404"}`, `table_order_request_duration_seconds_bucket{${labels},le="+Inf"}`];
		const before = await metrics();
		for (let i = 0; i < 5; i++)
			assertError(await store.client.get('/api/customer/orders/999999999', { token: store.tables[0].token }), 404, 'ORDER_NOT_FOUND');
		/* others may ask the same meanwhile */
		await until('5 more requests', async () => {
			const now = await metrics();
			return (now.get(name) ?? 0) >= (before.get(name) ?? 0) + 5 && (now.get(bucket) ?? 0) >= (before.get(bucket) ?? 0) + 5;
		});
	});
	succeeds('with the customer\'s limits among the buckets, each at least the one before', async () => {
		await client.get('/nothing');
		const series = await until('a request', async () => {
			const all = await metrics();
			return [...all.keys()].some((name) => name.includes('_bucket{')) && all;
		});
		const first = [...series.keys()].find((name) => name.includes('_bucket{')) ?? '';
		const of = first.replace(/le="[^"]*"\}$/, '');
		let last = 0;
		for (const le of ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2', '3', '5', '10', '+Inf']) {
			const value = series.get(`${of}le="${le}"}`) ?? last;
			assert.ok(value >= last, `bucket ${le} of ${of}`);
			last = value;
		}
		assert.equal(last, series.get(`${of.replace('_bucket{', '_count{').replace(/,$/, '')}}`));
	});
	refuses('strangers', async () => {
		assertError(await new Client(stack, '203.0.113.9').get('/metrics'), 403, 'FORBIDDEN');
	});
});

describe('what no program serves', () => {
	test('is 404 for every method', async () => {
		for (const path of ['/', '/api', '/api/nothing', '/api/customer/orders/1/2', '/api/customer/orders/', '//api/customer/orders', '/API/customer/orders', '/api/customer/menus/1/', '/api/%63ustomer/orders'])
			for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'])
				assertError(await client.api(method, path), 404, 'NOT_FOUND');
	});
	test('HEAD of a GET is served, of others is not', async () => {
		assert.equal((await client.api('HEAD', '/api/auth/jwks.json')).status, 200);
		assert.equal((await client.api('HEAD', '/api/customer/auth/login')).status, 405);
	});
	test('unknown methods are 405 where there is something', async () => {
		for (const method of ['PROPFIND', 'LOCK', 'PURGE'])
			assertError(await client.api(method, '/api/customer/orders'), 405, 'METHOD_NOT_ALLOWED');
	});
	test('OPTIONS tells the methods of a path', async () => {
		const answer = await client.api('OPTIONS', '/api/customer/orders');
		assertOk(answer, 204);
		assert.deepEqual(String(answer.headers.allow).split(', ').sort(), ['GET', 'HEAD', 'OPTIONS', 'POST']);
		assert.equal(answer.headers['access-control-allow-origin'], undefined);
	});
});

describe('pages of other origins', () => {
	/** @param {string} origin @param {string} path @param {string} method */
	const preflight = (origin, path = '/api/customer/orders', method = 'POST') =>
		client.api('OPTIONS', path, { headers: { Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization,content-type' } });

	/** @param {any} value */
	const words = (value) => String(value).toLowerCase().split(/, */).sort();

	test('are let in by preflight when listed', async () => {
		for (const origin of [ORIGIN, 'https://tablet.example.com:8443']) {
			const answer = await preflight(origin);
			assertOk(answer, 204);
			assert.equal(answer.headers['access-control-allow-origin'], origin);
			assert.equal(answer.headers['access-control-allow-credentials'], 'true');
			assert.ok(words(answer.headers['access-control-allow-methods']).includes('post'));
			assert.deepEqual(words(answer.headers['access-control-allow-headers']), ['authorization', 'content-type', 'idempotency-key', 'if-none-match', 'last-event-id']);
			assert.equal(answer.headers['access-control-max-age'], '3600');
			assert.ok(words(answer.headers.vary).includes('origin'));
		}
	});
	test('can be let in on every route', async () => {
		for (const { method, pattern } of stack.routes()) {
			const answer = await preflight(ORIGIN, pattern.replace(/\{[a-z_]+\}/g, '1'), method);
			assert.equal(answer.status, 204, `${method} ${pattern}`);
			assert.ok(words(answer.headers['access-control-allow-methods']).includes(method.toLowerCase()), `${method} ${pattern}`);
		}
	});
	test('are not let in when not listed exactly', async () => {
		for (const origin of ['https://evil.example.com', `${ORIGIN}.evil.com`, 'http://board.example.com', `${ORIGIN}:443`, ORIGIN.toUpperCase(), `${ORIGIN}/`, 'null', '*', `${ORIGIN},https://tablet.example.com:8443`]) {
			for (const answer of [await preflight(origin), await client.get('/api/auth/jwks.json', { headers: { Origin: origin } })])
				for (const name of Object.keys(answer.headers))
					assert.ok(!name.startsWith('access-control-'), `${name} for ${origin}`);
		}
	});
	test('may read what they asked for, errors too', async () => {
		const answers = [await client.get('/api/auth/jwks.json', { headers: { Origin: ORIGIN } }), await client.get('/api/customer/orders', { headers: { Origin: ORIGIN } }),
			await client.get('/nowhere', { headers: { Origin: ORIGIN } })];
		for (const answer of answers) {
			assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
			assert.equal(answer.headers['access-control-allow-credentials'], 'true');
			for (const name of ['etag', 'location', 'retry-after', 'x-request-id', 'idempotent-replayed', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'])
				assert.ok(words(answer.headers['access-control-expose-headers']).includes(name), name);
		}
	});
});

describe('every answer', () => {
	test('keeps a client\'s request id if it is one, or has its own', async () => {
		for (const id of ['a', 'Ab.c_9-', 'x'.repeat(64)])
			assert.equal((await client.get('/api/auth/jwks.json', { headers: { 'X-Request-Id': id } })).headers['x-request-id'], id);
		const made = new Set();
		for (const id of ['', 'x'.repeat(65), 'a b', 'a"b', 'é', '{}', undefined])
			made.add((await client.get('/api/auth/jwks.json', { headers: id === undefined ? {} : { 'X-Request-Id': id } })).headers['x-request-id']);
		assert.equal(made.size, 7);
		for (const id of made)
			assert.match(String(id), /^[A-Za-z0-9._-]{16,64}$/);
	});
	test('speaks Korean, or English when that is preferred', async () => {
		const message = async (/** @type {string | undefined} */ language) =>
			(await client.get('/api/customer/orders', { headers: language === undefined ? {} : { 'Accept-Language': language } })).json.error.message;
		for (const language of [undefined, '', 'ko', 'ko-KR,ko;q=0.9,en;q=0.8', 'fr', '*', 'en;q=0.5, ko', 'en;q=0'])
			assert.match(await message(language), /[가-힣]/, language);
		for (const language of ['en', 'en-US,en;q=0.9', 'EN-gb', 'de, en;q=0.3', 'ko;q=0.4, en;q=0.5'])
			assert.match(await message(language), /^[\x20-\x7e]+$/, language);
	});
	test('is in the same form and language when the web server itself gives it', async () => {
		const big = { token: 'x', raw: 'x'.repeat(70000) };
		assert.match(assertError(await client.post('/api/customer/orders', big), 413, 'PAYLOAD_TOO_LARGE').message, /[가-힣]/);
		assert.match(assertError(await client.post('/api/customer/orders', { ...big, headers: { 'Accept-Language': 'en' } }), 413, 'PAYLOAD_TOO_LARGE').message, /^The /);
	});
	test('tells nothing of the inside', async () => {
		const answer = await client.get('/api/auth/jwks.json');
		assertCommonHeaders(answer);
		assert.equal(answer.headers['x-powered-by'], undefined);
		assert.doesNotMatch(String(answer.headers.server), /\d/);
	});
	test('survives requests that are none', async () => {
		const bad = ['GET /api/customer/orders\r\n\r\n', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n', '\x00\x01\x02\r\n\r\n', `GET /${'x'.repeat(70000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
			'GET /api/auth/jwks.json HTTP/1.1\r\n\r\n', 'POST /api/customer/orders HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
			'POST /api/customer/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(70000)}\r\n\r\n`];
		for (const request of bad) {
			const socket = net.connect(Number(stack.url.port), stack.url.hostname);
			socket.on('error', () => {});
			socket.end(request, 'latin1');
			await within('the end of the connection', new Promise((done) => socket.on('close', done).resume()));
		}
		assertOk(await client.get('/health'), 200);
	});
	test('reads a query and a path without falling over', async () => {
		const store = await newStore(stack, { tables: 1 });
		for (const query of ['?', '?&&&', '?=', '?page', '?page=%', '?page=%g1', '?%70age=1', '?page=1&page=2', `?${'a=b&'.repeat(1000)}`, '?page=1#x', '?page=%C0%80']) {
			const status = await new Promise((done, failed) => {
				http.get({ host: stack.url.hostname, port: stack.url.port, path: `/api/admin/orders${query}`, headers: { Authorization: `Bearer ${store.admin.token}` } },
					(response) => done(response.resume().statusCode)).on('error', failed);
			});
			assert.ok([200, 400].includes(Number(status)), `${query}: ${status}`);
		}
	});
});

describe('the logs', () => {
	test('tell of a request who, what and how long, but no password and no token', async () => {
		const store = await newStore(stack);
		const password = `secret-${Math.random().toString(36).slice(2)}`;
		await client.post('/api/admin/auth/login', { body: { store_id: store.store_id, username: store.admin.username, password } });
		const answer = await store.client.get(`/api/customer/orders?access_token=${store.tables[0].token}`, { token: store.tables[0].token, headers: { Cookie: store.tables[0].cookie } });
		const line = await stack.logLine('order-query', String(answer.headers['x-request-id']));
		assert.deepEqual([line.level, line.program, line.method, line.path, line.status, line.subject, line.store_id, line.address],
			['INFO', 'order-query', 'GET', '/api/customer/orders', 200, `table:${store.tables[0].table_id}`, store.store_id, store.client.address]);
		assert.ok(line.duration_us > 0 && !Number.isNaN(Date.parse(line.time)));
		const signature = store.tables[0].token.split('.')[2];
		for (const name of readdirSync(join(stack.dir, 'log'))) {
			const text = readFileSync(join(stack.dir, 'log', name), 'utf8');
			assert.ok(!text.includes(password) && !text.includes(signature), `a secret is in ${name}`);
		}
	});
	test('survive whatever clients send, a line each', async () => {
		const path = '/api/customer/menus/%22%0a%7b%ff';
		const answer = await client.get(`${path}?"\\`, { headers: { 'X-Request-Id': 'log-test' } });
		assert.ok([401, 404].includes(answer.status));
		assert.equal((await stack.logLine('menu', 'log-test')).path, path);
	});
});

describe('the tests', () => {
	test('have each route that a program prints', () => {
		const dir = join(SOURCE, 'tests/api');
		const text = readdirSync(dir).filter((name) => name.endsWith('.test.mjs')).map((name) => readFileSync(join(dir, name), 'utf8')).join('\n');
		const missing = stack.routes().map((r) => `${r.method} ${r.pattern}`).filter((name) => !['\'', '"', '`'].some((quote) => text.includes(`route(${quote}${name}${quote}`)));
		assert.deepEqual(missing, []);
	});
});
