/** The customer's menus and categories: content, cache, ETag. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';

const stack = sharedStack();

/** @param {import('./lib/store.mjs').Store} store @param {string} path @param {Record<string, string>} [headers] */
function get(store, path, headers) {
	return store.client.get(path, { token: store.tables[0].token, headers });
}

route('GET /api/customer/categories', ({ succeeds, refuses }) => {
	succeeds('whole and in their order of display', async () => {
		const store = await newStore(stack);
		await store.sql("update menu_categories set display_order = 9 where id = :id", { id: store.categories[0].id });
		const json = assertOk(await get(store, '/api/customer/categories'), 200);
		assert.deepEqual(json, { data: [
			{ id: store.categories[1].id, name: '메뉴 2', display_order: 2 },
			{ id: store.categories[0].id, name: '메뉴 1', display_order: 9 },
		] });
	});
	refuses('what it cannot answer in', async () => {
		const store = await newStore(stack);
		assertError(await get(store, '/api/customer/categories', { Accept: 'text/html' }), 406, 'NOT_ACCEPTABLE');
		assertOk(await get(store, '/api/customer/categories', { Accept: 'text/html, */*;q=0.1' }), 200);
	});
});

route('GET /api/customer/menus', ({ succeeds, refuses }) => {
	succeeds('whole, in their order, with the unavailable ones marked', async () => {
		const store = await newStore(stack);
		const [first, second] = store.menus;
		await store.sql('update menus set is_available = false, description = null where id = :id', { id: first.id });
		await store.sql("update menus set image_path = 'b.png', thumbnail_path = 'b-small.jpg', display_order = 0 where id = :id", { id: second.id });
		const { data } = assertOk(await get(store, '/api/customer/menus'), 200);
		assert.deepEqual(data.map((/** @type {any} */ m) => m.id), [second.id, first.id, ...store.menus.slice(2).map((m) => m.id)]);
		assert.deepEqual(data[0], { id: second.id, category_id: store.categories[0].id, name: '음식 2', description: 'No. 2', price: 2000,
			image_url: '/images/b.png', thumbnail_url: '/images/b-small.jpg', is_available: true, display_order: 0 });
		assert.deepEqual([data[1].is_available, data[1].description, data[1].image_url, data[1].thumbnail_url], [false, null, null, null]);
	});
	succeeds('of one category', async () => {
		const store = await newStore(stack);
		const other = await newStore(stack);
		const [, second] = store.categories;
		const { data } = assertOk(await get(store, `/api/customer/menus?category_id=${second.id}`), 200);
		assert.deepEqual(data.map((/** @type {any} */ m) => m.name), ['음식 4', '음식 5', '음식 6']);
		for (const id of [other.categories[0].id, 999999999])
			assert.deepEqual(assertOk(await get(store, `/api/customer/menus?category_id=${id}`), 200), { data: [] });
	});
	succeeds('never another store\'s, with the cache warm or cold', async () => {
		const stores = [await newStore(stack), await newStore(stack)];
		for (let i = 0; i < 2; i++)
			for (const store of stores) {
				const { data } = assertOk(await get(store, '/api/customer/menus'), 200);
				assert.deepEqual(data.map((/** @type {any} */ m) => m.id), store.menus.map((m) => m.id));
			}
	});
	succeeds('ignoring parameters it does not know', async () => {
		const store = await newStore(stack);
		assert.equal(assertOk(await get(store, '/api/customer/menus?x=1&y'), 200).data.length, 6);
	});
	refuses('a category_id that is no id', async () => {
		const store = await newStore(stack);
		for (const id of ['x', '0', '-1', '1.5', '9007199254740992', '18446744073709551617', '1e3', '%31%00', '%ff', '+1', ''])
			assertInvalid(await get(store, `/api/customer/menus?category_id=${id}`), 'category_id');
	});
});

route('GET /api/customer/menus/{menu_id}', ({ succeeds, refuses }) => {
	succeeds('one', async () => {
		const store = await newStore(stack);
		const json = assertOk(await get(store, `/api/customer/menus/${store.menus[2].id}`), 200);
		assert.deepEqual(json, { id: store.menus[2].id, category_id: store.categories[0].id, name: '음식 3', description: 'No. 3', price: 3000,
			image_url: null, thumbnail_url: null, is_available: true, display_order: 3 });
	});
	refuses('ids that are not there, or another store\'s', async () => {
		const store = await newStore(stack);
		const other = await newStore(stack);
		for (const id of [other.menus[0].id, 999999999, 0, -1, 'x', '1x', '1.0', '9007199254740992', '18446744073709551617', '%31', `0${store.menus[0].id}`])
			assertError(await get(store, `/api/customer/menus/${id}`), 404, 'MENU_NOT_FOUND');
	});
	refuses('never answers an absent one from the cache later', async () => {
		const store = await newStore(stack);
		for (let i = 0; i < 2; i++)
			assertError(await get(store, '/api/customer/menus/999999999'), 404, 'MENU_NOT_FOUND');
	});
});

describe('the cache of menus', () => {
	const PATHS = ['/api/customer/categories', '/api/customer/menus', '/api/customer/menus?category_id=CATEGORY', '/api/customer/menus/MENU'];

	/** @param {import('./lib/store.mjs').Store} store @param {string} path */
	const actual = (store, path) => path.replace('CATEGORY', String(store.categories[0].id)).replace('MENU', String(store.menus[0].id));

	for (const path of PATHS) {
		test(`${path}: ETag, Cache-Control, Vary and 304`, async () => {
			const store = await newStore(stack);
			const other = await newStore(stack);
			const first = await get(store, actual(store, path));
			const etag = String(first.headers.etag);
			assertOk(first, 200);
			assert.match(etag, /^"[^"]+"$/);
			for (let i = 0; i < 2; i++) {
				const again = await get(store, actual(store, path), { 'If-None-Match': etag });
				assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', etag]);
				assert.equal(again.headers['cache-control'], 'private, no-cache');
				assert.equal(again.headers.vary, 'Authorization, Origin');
			}
			assert.equal(first.headers['cache-control'], 'private, no-cache');
			assert.equal(first.headers.vary, 'Authorization, Origin');
			for (const known of [`W/${etag}`, `"x", ${etag}`, '*'])
				assert.equal((await get(store, actual(store, path), { 'If-None-Match': known })).status, 304, known);
			assertOk(await get(store, actual(store, path), { 'If-None-Match': '"x"' }), 200);
			assert.notEqual((await get(other, actual(other, path))).headers.etag, etag);
		});
		test(`${path}: the second answer is Redis's, the same to the byte`, async () => {
			const store = await newStore(stack);
			const cold = await get(store, actual(store, path));
			const warm = await get(store, actual(store, path));
			assertOk(warm, 200);
			assert.equal(warm.text, cold.text);
			assert.equal(warm.headers.etag, cold.headers.etag);
			assert.equal(warm.headers['content-type'], cold.headers['content-type']);
			assert.equal((await stack.logLine('menu', String(cold.headers['x-request-id']))).db_trips, 1);
			assert.equal((await stack.logLine('menu', String(warm.headers['x-request-id']))).db_trips, 0);
		});
	}
	test('is shared by a store\'s tables, each of which was once seen by the database', async () => {
		const store = await newStore(stack);
		await get(store, '/api/customer/menus');
		const second = await store.client.get('/api/customer/menus', { token: store.tables[1].token });
		const third = await store.client.get('/api/customer/menus', { token: store.tables[1].token });
		assert.equal((await stack.logLine('menu', String(second.headers['x-request-id']))).db_trips, 1);
		assert.equal((await stack.logLine('menu', String(third.headers['x-request-id']))).db_trips, 0);
	});
	test('HEAD has the head of GET', async () => {
		const store = await newStore(stack);
		const get_ = await get(store, '/api/customer/menus');
		const head = await store.client.api('HEAD', '/api/customer/menus', { token: store.tables[0].token });
		assert.deepEqual([head.status, head.text, head.headers.etag, head.headers['content-length']],
			[200, '', get_.headers.etag, String(Buffer.byteLength(get_.text))]);
	});
});
