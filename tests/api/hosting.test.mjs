/** What every web server has to do itself: pictures up and down, streams, its own errors. See tests/api/run --web. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { form } from './lib/form.mjs';
import { png } from './lib/picture.mjs';
import { Streams } from './lib/sse.mjs';
import { WEB, sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

const stack = sharedStack();
const STREAM = '/api/admin/orders/stream';
const streams = new Streams(stack);
afterEach(() => streams.closeAll());

describe(`behind ${WEB}`, () => {
	test('a picture is taken and served, to keep', async () => {
		const store = await newStore(stack, { tables: 1 });
		const picture = png(60, 40, () => [220, 20, 20]);
		const menu = assertOk(await store.client.post('/api/admin/menus', { token: store.admin.token,
			...form([['name', '그림'], ['price', '1000'], ['category_id', String(store.categories[0].id)], ['image', picture, 'picture.png']]) }), 201);
		for (const [path, type] of [[menu.image_url, 'image/png'], [menu.thumbnail_url, 'image/jpeg']]) {
			const answer = await fetch(new URL(path, stack.url));
			assert.deepEqual([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control'), answer.headers.get('x-content-type-options')],
				[200, type, 'public, max-age=86400, immutable', 'nosniff']);
			assert.match(String(answer.headers.get('x-request-id')), /^[\w.-]+$/);
			assert.ok((await answer.arrayBuffer()).byteLength > 0);
		}
		const refused = await fetch(new URL(menu.image_url, stack.url), { method: 'POST' });
		assert.deepEqual([refused.status, refused.headers.get('allow'), (await refused.json()).error.code], [405, 'GET, HEAD', 'METHOD_NOT_ALLOWED']);
	});
	test('an order is on its stream at once', async () => {
		const store = await newStore(stack);
		const stream = await streams.open(STREAM, { token: store.admin.token });
		await store.order(0);
		await store.order(1);
		await stream.untilId(2);
		assert.deepEqual(stream.news.map((event) => [event.type, event.id]), [['OrderCreated', '1'], ['OrderCreated', '2']]);
	});
	test('what runs for long has a heartbeat, and a program that does not run is missed by nobody', async () => {
		await newStore(stack);
		const client = new Client(stack, '127.0.0.1');
		await until('a heartbeat of each program that runs', async () => {
			const { text } = await client.get('/metrics');
			const [processes, heartbeats] = ['processes', 'heartbeat_timestamp_seconds'].map((name) =>
				new Map([...text.matchAll(new RegExp(`^table_order_${name}\\{program="([a-z-]+)"\\} (\\d+)$`, 'gm'))].map(([, program, value]) => [program, Number(value)])));
			const expected = ['outbox-dispatcher', 'sse-relay', ...WEB === 'apache-cgi' ? [] : ['menu', 'status']];
			return expected.every((program) => processes.has(program)) && processes.has('menu') === expected.includes('menu') && [...processes.values()].every((n) => n > 0)
				&& [...processes.keys()].join() === [...heartbeats.keys()].join() && [...heartbeats.values()].every((s) => Math.abs(Date.now() / 1000 - s) < 20);
		}, 20000);
	});
	test('its own errors have the form, the language and the headers of the others', async () => {
		const client = new Client(stack);
		const big = { token: 'x', raw: 'x'.repeat(70000), headers: { 'X-Request-Id': 'mine.1' } };
		const answer = await client.post('/api/customer/orders', big);
		assert.match(assertError(answer, 413, 'PAYLOAD_TOO_LARGE').message, /[가-힣]/);
		assert.equal(answer.headers['x-request-id'], 'mine.1');
		assert.equal(answer.headers['x-content-type-options'], 'nosniff');
		assert.match(assertError(await client.post('/api/customer/orders', { ...big, headers: { 'Accept-Language': 'en' } }), 413, 'PAYLOAD_TOO_LARGE').message, /^The /);
		const nothing = await fetch(new URL('/images/nothing.png', stack.url), { headers: { 'Accept-Language': 'en' } });
		assert.deepEqual([nothing.status, (await nothing.json()).error.message, nothing.headers.get('cache-control')], [404, 'There is nothing at this address.', 'no-store']);
	});
});
