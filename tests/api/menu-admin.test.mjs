/** The admin's menus and categories, without pictures. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { form } from './lib/form.mjs';
import { route } from './lib/route.mjs';
import { Streams } from './lib/sse.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';

const stack = sharedStack();
const streams = new Streams(stack);
afterEach(() => streams.closeAll());

const MENUS = '/api/admin/menus', CATEGORIES = '/api/admin/categories';
const NO_IDS = ['0', '-1', 'x', '1x', '1.0', '9007199254740992', '18446744073709551617', '%31'];
const NO_BODIES = ['', '[]', '{', '"x"', 'null', '{} {}', Buffer.from([123, 34, 97, 34, 58, 34, 0xff, 34, 125]), `{"a":${'['.repeat(2000)}`];
const NO_NAMES = ['', 5, true, [], {}, 'nul\u0000', 'x'.repeat(101), ' ', 'a\nb', '\u0001', '\u0085'];
const NO_NUMBERS = [-1, 1.5, '1', true, [], {}, 1e300];

/** @typedef {import('./lib/store.mjs').Store} Store */

/** @param {Store} store @param {string} method @param {string} path @param {unknown} [body] */
const as = (store, method, path, body) => store.client.api(method, path, { token: store.admin.token, body });
/** @param {Store} store @param {string} method @param {string} path @param {import('./lib/form.mjs').Part[]} parts */
const send = (store, method, path, parts) => store.client.api(method, path, { token: store.admin.token, ...form(parts) });

/** What the tablet reads, and through the cache. @param {Store} store @param {string} what */
async function tablet(store, what) {
	return assertOk(await store.client.get(`/api/customer/${what}`, { token: store.tables[0].token }), 200);
}
/** @param {Store} store Lets the cache hold what tablets read. */
async function warm(store) {
	for (let i = 0; i < 2; i++)
		for (const what of ['categories', 'menus', `menus/${store.menus[0].id}`, `menus?category_id=${store.categories[0].id}`])
			await tablet(store, what);
}

/** All MenuChanged events, as [menu_ids, category_ids]. @param {Store} store */
const changes = async (store) => (await store.sql("select payload from events where store_id = :'store' order by seq")).split('\n').filter(Boolean).map((s) => JSON.parse(s))
	.map((e) => [e.event_type, e.menu_ids, e.category_ids]);
/** @param {number[]} menus @param {number[]} [categories] */
const changed = (menus, categories = []) => ['MenuChanged', menus, categories];

/** A menu as newStore makes it. @param {Store} store @param {number} i */
const made = (store, i) => ({ id: store.menus[i].id, category_id: store.menus[i].category_id, name: store.menus[i].name, description: `No. ${i + 1}`, price: store.menus[i].price,
	image_url: null, thumbnail_url: null, is_available: true, display_order: i + 1 });
/** @param {any[]} list */
const ids = (list) => list.map((x) => x.id);

/** Bad values of a menu's fields, without what is required. @type {Record<string, any[]>} */
const BAD = {
	name: NO_NAMES,
	price: [...NO_NUMBERS, 0, 1000000001, 2 ** 63, 2 ** 53],
	category_id: [...NO_NUMBERS, 0, 2 ** 53],
	description: [5, true, [], {}, 'nul\u0000', 'x'.repeat(2001)],
	is_available: ['true', 0, 1, [], {}],
	display_order: [...NO_NUMBERS, 2 ** 31, 2 ** 53],
	image: ['x', 5, {}, [], false],
};

/* --- menus --------------------------------------------------------------------------------- */

route('GET /api/admin/menus', ({ succeeds, refuses }) => {
	succeeds('all of the store in their order, page by page, and of one category', async () => {
		const [store] = [await newStore(stack), await newStore(stack)];
		await store.sql('update menus set is_available = false, display_order = 9 where id = :id', { id: store.menus[0].id });
		const all = [1, 2, 3, 4, 5].map((i) => made(store, i)).concat([{ ...made(store, 0), is_available: false, display_order: 9 }]);
		assert.deepEqual(assertOk(await as(store, 'GET', MENUS), 200), { data: all, pagination: { page: 1, page_size: 50, total_count: 6, total_pages: 1 } });
		const second = assertOk(await as(store, 'GET', `${MENUS}?page=2&page_size=4`), 200);
		assert.deepEqual(second, { data: all.slice(4), pagination: { page: 2, page_size: 4, total_count: 6, total_pages: 2 } });
		const category = assertOk(await as(store, 'GET', `${MENUS}?category_id=${store.categories[1].id}`), 200);
		assert.deepEqual([category.data, category.pagination.total_count], [all.slice(2, 5), 3]);
		assert.deepEqual(assertOk(await as(store, 'GET', `${MENUS}?category_id=999999999`), 200).data, []);
	});
	refuses('filters and pages that are none', async () => {
		const store = await newStore(stack);
		for (const [field, values] of /** @type {[string, string[]][]} */ ([['category_id', ['0', 'x', '-1', '1.5', '9007199254740992', '']], ['page', ['0', 'x', '']], ['page_size', ['0', '101', 'x']]]))
			for (const value of values)
				assertInvalid(await as(store, 'GET', `${MENUS}?${field}=${value}`), field);
	});
});

route('GET /api/admin/menus/{menu_id}', ({ succeeds, refuses }) => {
	succeeds('one', async () => {
		const store = await newStore(stack);
		assert.deepEqual(assertOk(await as(store, 'GET', `${MENUS}/${store.menus[3].id}`), 200), made(store, 3));
	});
	refuses('ids that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [other.menus[0].id, 999999999, ...NO_IDS])
			assertError(await as(store, 'GET', `${MENUS}/${id}`), 404, 'MENU_NOT_FOUND');
	});
});

route('POST /api/admin/menus', ({ succeeds, refuses }) => {
	succeeds('as JSON, seen by the tablets at once, with an event', async () => {
		const store = await newStore(stack);
		await warm(store);
		const stream = await streams.open('/api/customer/orders/stream', { token: store.tables[0].token });
		const body = { category_id: store.categories[0].id, name: '비빔밥', description: '고추장', price: 9000, is_available: false, display_order: 0 };
		const answer = await as(store, 'POST', MENUS, { ...body, other: 1 });
		const menu = assertOk(answer, 201);
		assert.deepEqual(menu, { id: menu.id, image_url: null, thumbnail_url: null, ...body });
		assert.equal(answer.headers.location, `${MENUS}/${menu.id}`);
		assert.deepEqual(ids((await tablet(store, 'menus')).data), [menu.id, ...ids(store.menus)]);
		assert.deepEqual((await tablet(store, `menus?category_id=${body.category_id}`)).data[0], menu);
		assert.deepEqual(await changes(store), [changed([menu.id])]);
		await stream.untilId(1);
		assert.deepEqual([stream.news[0].type, stream.news[0].json.menu_ids, stream.news[0].json.category_ids], ['MenuChanged', [menu.id], []]);
		assert.equal(await store.sql("select actor from events where store_id = :'store'"), `admin:${store.admin.admin_id}`);
	});
	succeeds('with what is not said as usual, up to every limit', async () => {
		const store = await newStore(stack);
		const category_id = store.categories[0].id;
		const menu = assertOk(await as(store, 'POST', MENUS, { category_id, name: '밥', price: 1 }), 201);
		assert.deepEqual(menu, { id: menu.id, category_id, name: '밥', description: null, price: 1, image_url: null, thumbnail_url: null, is_available: true, display_order: 0 });
		const most = { category_id, name: '밥'.repeat(100), description: '밥'.repeat(2000), price: 1000000000, display_order: 1000000 };
		const next = assertOk(await as(store, 'POST', MENUS, most), 201);
		assert.deepEqual(next, { ...menu, ...most, id: next.id });
	});
	succeeds('as a form', async () => {
		const store = await newStore(stack);
		const menu = assertOk(await send(store, 'POST', MENUS, [['name', '비빔밥'], ['price', '9000'], ['category_id', String(store.categories[1].id)], ['description', '여러 줄\r\n"설명"; x=1'], ['is_available', 'false'],
			['display_order', '7'], ['other', 'x']]), 201);
		assert.deepEqual(menu, { id: menu.id, category_id: store.categories[1].id, name: '비빔밥', description: '여러 줄\r\n"설명"; x=1', price: 9000, image_url: null, thumbnail_url: null, is_available: false, display_order: 7 });
		const digits = assertOk(await send(store, 'POST', MENUS, [['name', '123'], ['price', '1'], ['category_id', String(store.categories[1].id)], ['description', 'true']]), 201);
		assert.deepEqual([digits.name, digits.description], ['123', 'true']);
	});
	refuses('fields that are not right, making nothing', async () => {
		const store = await newStore(stack);
		const good = { category_id: store.categories[0].id, name: '밥', price: 1000 };
		for (const [field, values] of Object.entries(BAD))
			for (const value of ['name', 'price', 'category_id'].includes(field) ? [...values, null, undefined] : values)
				assertInvalid(await as(store, 'POST', MENUS, { ...good, [field]: value }), field);
		for (const raw of NO_BODIES)
			assertError(await store.client.post(MENUS, { token: store.admin.token, raw }), 400, 'INVALID_REQUEST');
		for (const raw of ['{"price":18446744073709551617,"name":"x","category_id":1}', '{"price":9223372036854775807,"name":"x","category_id":1}', '{"price":1e3,"name":"x","category_id":1}', '{"price":1.0,"name":"x","category_id":1}'])
			assertInvalid(await store.client.post(MENUS, { token: store.admin.token, raw }), 'price');
		for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'image/png'])
			assertError(await store.client.post(MENUS, { token: store.admin.token, raw: JSON.stringify(good), headers: { 'Content-Type': type } }), 415, 'UNSUPPORTED_MEDIA_TYPE');
		assert.equal(await store.sql("select count(*) from menus where store_id = :'store'"), '6');
		assert.deepEqual(await changes(store), []);
	});
	refuses('fields of a form that are not right', async () => {
		const store = await newStore(stack);
		const good = { name: '밥', price: '1000', category_id: String(store.categories[0].id) };
		/** @type {Record<string, any[]>} */
		const bad = {
			name: [undefined, '', 'x'.repeat(101), Buffer.from([0xff, 0xfe]), 'a\u0000b'],
			price: [undefined, '', '0', '-1', '1.5', '1e3', ' 1', '0x10', '1000000001', '18446744073709551617', '１'],
			category_id: [undefined, '', 'x', '0', '9007199254740992'],
			is_available: ['', 'yes', '1', 'TRUE'], display_order: ['', '-1', 'x', '1.0'], description: ['x'.repeat(2001), Buffer.from([0xc3])],
		};
		for (const [field, values] of Object.entries(bad))
			for (const value of values) {
				const fields = Object.entries({ ...good, [field]: value }).filter(([, v]) => v !== undefined);
				assertInvalid(await send(store, 'POST', MENUS, /** @type {any} */ (fields)), field);
			}
		assert.equal(await store.sql("select count(*) from menus where store_id = :'store'"), '6');
	});
	refuses('categories that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const category_id of [999999999, other.categories[0].id, 2 ** 53 - 1])
			assertError(await as(store, 'POST', MENUS, { category_id, name: '밥', price: 1000 }), 404, 'CATEGORY_NOT_FOUND');
	});
	refuses('JSON over 64 KiB', async () => {
		const store = await newStore(stack);
		const body = { category_id: store.categories[0].id, name: '밥', price: 1000, other: 'x'.repeat(70000) };
		assertError(await as(store, 'POST', MENUS, body), 413, 'PAYLOAD_TOO_LARGE');
	});
});

route('PATCH /api/admin/menus/{menu_id}', ({ succeeds, refuses }) => {
	succeeds('some fields, and leaves the others; the tablets see it at once', async () => {
		const store = await newStore(stack);
		const path = `${MENUS}/${store.menus[0].id}`;
		let menu = made(store, 0);
		await warm(store);
		/** @type {any[]} */
		const steps = [{ is_available: false }, { price: 1500 }, { name: '새 이름' }, { description: '새 설명' }, { display_order: 3 }, { category_id: store.categories[1].id }, {},
			{ name: null, price: null, category_id: null, is_available: null, display_order: null }, { description: null }, { description: 'x', is_available: true }];
		for (const step of steps) {
			menu = { ...menu, ...Object.fromEntries(Object.entries(step).filter(([k, v]) => v !== null || k === 'description')) };
			assert.deepEqual(assertOk(await as(store, 'PATCH', path, step), 200), menu, JSON.stringify(step));
			assert.deepEqual(await tablet(store, `menus/${menu.id}`), menu);
			assert.deepEqual((await tablet(store, 'menus')).data.find((/** @type {any} */ m) => m.id === menu.id), menu);
		}
		assert.deepEqual(ids((await tablet(store, `menus?category_id=${store.categories[0].id}`)).data), ids(store.menus.slice(1, 3)));
		for (const event of await changes(store))
			assert.deepEqual(event, changed([menu.id]));
	});
	succeeds('as a form, by which a description can be cleared, too', async () => {
		const store = await newStore(stack);
		const path = `${MENUS}/${store.menus[0].id}`;
		assert.deepEqual(assertOk(await send(store, 'PATCH', path, [['price', '500'], ['is_available', 'false']]), 200), { ...made(store, 0), price: 500, is_available: false });
		assert.equal(assertOk(await send(store, 'PATCH', path, [['description', '']]), 200).description, null);
	});
	succeeds('a price, which orders before keep', async () => {
		const store = await newStore(stack);
		const order = await store.order(0);
		assertOk(await as(store, 'PATCH', `${MENUS}/${store.menus[0].id}`, { price: 5, name: '다른' }), 200);
		assert.deepEqual(assertOk(await as(store, 'GET', `/api/admin/orders/${order.id}`), 200), order);
		assert.equal((await store.order(0)).total_price, 5);
	});
	refuses('ids that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [other.menus[0].id, 999999999, ...NO_IDS])
			assertError(await as(store, 'PATCH', `${MENUS}/${id}`, { price: 1 }), 404, 'MENU_NOT_FOUND');
		assert.equal((await tablet(other, `menus/${other.menus[0].id}`)).price, 1000);
	});
	refuses('fields that are not right, changing nothing', async () => {
		const store = await newStore(stack);
		const path = `${MENUS}/${store.menus[0].id}`;
		for (const [field, values] of Object.entries(BAD))
			for (const value of values)
				assertInvalid(await as(store, 'PATCH', path, { is_available: field === 'is_available' ? undefined : false, [field]: value }), field);
		for (const raw of NO_BODIES)
			assertError(await store.client.patch(path, { token: store.admin.token, raw }), 400, 'INVALID_REQUEST');
		for (const category_id of [999999999, (await newStore(stack)).categories[0].id])
			assertError(await as(store, 'PATCH', path, { category_id, price: 5 }), 404, 'CATEGORY_NOT_FOUND');
		assert.deepEqual(assertOk(await as(store, 'GET', path), 200), made(store, 0));
		assert.deepEqual(await changes(store), []);
	});
});

route('DELETE /api/admin/menus/{menu_id}', ({ succeeds, refuses }) => {
	succeeds('one, gone from the tablets at once, with an event', async () => {
		const store = await newStore(stack);
		const id = store.menus[0].id;
		await warm(store);
		assertOk(await as(store, 'DELETE', `${MENUS}/${id}`), 204);
		assert.deepEqual(ids((await tablet(store, 'menus')).data), ids(store.menus.slice(1)));
		assertError(await store.client.get(`/api/customer/menus/${id}`, { token: store.tables[0].token }), 404, 'MENU_NOT_FOUND');
		assertError(await as(store, 'DELETE', `${MENUS}/${id}`), 404, 'MENU_NOT_FOUND');
		assert.deepEqual(await changes(store), [changed([id])]);
	});
	refuses('one in a live order, until that is history', async () => {
		const store = await newStore(stack);
		const order = await store.order(0);
		for (const status of ['preparing', 'cancelled']) {
			assertError(await as(store, 'DELETE', `${MENUS}/${store.menus[0].id}`), 409, 'MENU_IN_USE');
			await store.move(order.id, status);
		}
		assertError(await as(store, 'DELETE', `${MENUS}/${store.menus[0].id}`), 409, 'MENU_IN_USE');
		assertOk(await as(store, 'POST', `/api/admin/tables/${order.table_id}/complete-session`), 200);
		assertOk(await as(store, 'DELETE', `${MENUS}/${store.menus[0].id}`), 204);
		const past = assertOk(await as(store, 'GET', '/api/admin/order-history'), 200);
		assert.deepEqual(past.data[0].items, order.items);
	});
	refuses('ids that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [other.menus[0].id, 999999999, ...NO_IDS])
			assertError(await as(store, 'DELETE', `${MENUS}/${id}`), 404, 'MENU_NOT_FOUND');
		assert.equal((await tablet(other, 'menus')).data.length, 6);
	});
});

/* --- the order of display, alike for both --------------------------------------------------- */

/** Bad lists of an order of display, and the field that is named. @param {number} id @returns {[unknown, string][]} */
const badOrders = (id) => [
	[undefined, 'items'], [null, 'items'], [[], 'items'], [{}, 'items'], ['x', 'items'], [Array.from({ length: 1001 }, (_, i) => ({ id: i + 1, display_order: 1 })), 'items'],
	[[5], 'items[0]'], [[null], 'items[0]'], [[{ id, display_order: 1 }, []], 'items[1]'],
	...[...NO_NUMBERS, 0, null, undefined].map((v) => /** @type {[unknown, string]} */ ([[{ id: v, display_order: 1 }], 'items[0].id'])),
	...[...NO_NUMBERS, null, undefined, 2 ** 31].map((v) => /** @type {[unknown, string]} */ ([[{ id, display_order: v }], 'items[0].display_order'])),
	[[{ id, display_order: 1 }, { id, display_order: 2 }], 'items[1].id'],
];

route('PATCH /api/admin/menus/reorder', ({ succeeds, refuses }) => {
	succeeds('menus, answering them in their new order; the tablets see it at once', async () => {
		const store = await newStore(stack);
		await warm(store);
		const items = store.menus.map((m, i) => ({ id: m.id, display_order: 10 - i }));
		const json = assertOk(await as(store, 'PATCH', `${MENUS}/reorder`, { items }), 200);
		const back = [...ids(store.menus)].reverse();
		assert.deepEqual(json, { data: back.map((id) => ({ ...made(store, ids(store.menus).indexOf(id)), display_order: 10 - ids(store.menus).indexOf(id) })) });
		assert.deepEqual(ids((await tablet(store, 'menus')).data), back);
		const [event, ...more] = await changes(store);
		assert.deepEqual([event[0], [...event[1]].sort((a, b) => a - b), event[2], more], ['MenuChanged', ids(store.menus), [], []]);
		assert.deepEqual(ids(assertOk(await as(store, 'PATCH', `${MENUS}/reorder`, { items: [{ id: back[5], display_order: 0, other: 1 }] }), 200).data), [back[5]]);
		assert.deepEqual(ids((await tablet(store, 'menus')).data), [back[5], ...back.slice(0, 5)]);
	});
	refuses('all of them when one is not there or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [999999999, other.menus[0].id])
			assertError(await as(store, 'PATCH', `${MENUS}/reorder`, { items: [{ id: store.menus[0].id, display_order: 99 }, { id, display_order: 0 }] }), 404, 'MENU_NOT_FOUND');
		for (const s of [store, other]) {
			assert.deepEqual(ids((await tablet(s, 'menus')).data), ids(s.menus));
			assert.deepEqual(await changes(s), []);
		}
	});
	refuses('lists that are not right', async () => {
		const store = await newStore(stack);
		for (const [items, field] of badOrders(store.menus[0].id))
			assertInvalid(await as(store, 'PATCH', `${MENUS}/reorder`, { items }), field);
		for (const raw of NO_BODIES)
			assertError(await store.client.patch(`${MENUS}/reorder`, { token: store.admin.token, raw }), 400, 'INVALID_REQUEST');
		assertError(await send(store, 'PATCH', `${MENUS}/reorder`, [['items', '[]']]), 415, 'UNSUPPORTED_MEDIA_TYPE');
		assert.deepEqual(await changes(store), []);
	});
});

route('PATCH /api/admin/categories/reorder', ({ succeeds, refuses }) => {
	succeeds('categories, answering them in their new order; the tablets see it at once', async () => {
		const store = await newStore(stack);
		await warm(store);
		const [a, b] = store.categories;
		const data = [{ id: b.id, name: b.name, display_order: 1 }, { id: a.id, name: a.name, display_order: 2 }];
		assert.deepEqual(assertOk(await as(store, 'PATCH', `${CATEGORIES}/reorder`, { items: [{ id: a.id, display_order: 2 }, { id: b.id, display_order: 1 }] }), 200), { data });
		assert.deepEqual(await tablet(store, 'categories'), { data });
		/* what else an element has is no business of ours */
		const noise = { x: 'nul\u0000', display_orders: [1e400] };
		assert.deepEqual(assertOk(await as(store, 'PATCH', `${CATEGORIES}/reorder`, { items: data.map(({ id, display_order }) => ({ id, display_order, ...noise })) }), 200), { data });
		assert.deepEqual((await changes(store)).slice(0, 1).map(([type, menus, categories]) => [type, menus, [...categories].sort((x, y) => x - y)]), [changed([], [a.id, b.id])]);
	});
	refuses('all of them when one is not there or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [999999999, other.categories[0].id])
			assertError(await as(store, 'PATCH', `${CATEGORIES}/reorder`, { items: [{ id: store.categories[0].id, display_order: 99 }, { id, display_order: 0 }] }), 404, 'CATEGORY_NOT_FOUND');
		for (const s of [store, other])
			assert.deepEqual(ids((await tablet(s, 'categories')).data), ids(s.categories));
	});
	refuses('lists that are not right', async () => {
		const store = await newStore(stack);
		for (const [items, field] of badOrders(store.categories[0].id))
			assertInvalid(await as(store, 'PATCH', `${CATEGORIES}/reorder`, { items }), field);
	});
});

/* --- categories ------------------------------------------------------------------------------ */

route('GET /api/admin/categories', ({ succeeds, refuses }) => {
	succeeds('all of the store, in their order', async () => {
		const [store] = [await newStore(stack), await newStore(stack)];
		const [a, b] = store.categories;
		assertOk(await as(store, 'PATCH', `${CATEGORIES}/${a.id}`, { display_order: 5 }), 200);
		assert.deepEqual(assertOk(await as(store, 'GET', CATEGORIES), 200), { data: [{ id: b.id, name: b.name, display_order: 2 }, { id: a.id, name: a.name, display_order: 5 }] });
	});
	refuses('what it cannot answer in', async () => {
		const store = await newStore(stack);
		assertError(await store.client.get(CATEGORIES, { token: store.admin.token, headers: { Accept: 'text/html' } }), 406, 'NOT_ACCEPTABLE');
	});
});

route('POST /api/admin/categories', ({ succeeds, refuses }) => {
	succeeds('one, seen by the tablets at once, with an event', async () => {
		const store = await newStore(stack);
		await warm(store);
		const answer = await as(store, 'POST', CATEGORIES, { name: '음료' });
		const category = assertOk(answer, 201);
		assert.deepEqual(category, { id: category.id, name: '음료', display_order: 0 });
		assert.ok(answer.headers.location?.startsWith(CATEGORIES));
		assert.deepEqual((await tablet(store, 'categories')).data[0], category);
		assert.deepEqual(await changes(store), [changed([], [category.id])]);
		const next = assertOk(await as(store, 'POST', CATEGORIES, { name: '술'.repeat(100), display_order: 1000000 }), 201);
		assert.deepEqual(next, { id: next.id, name: '술'.repeat(100), display_order: 1000000 });
		assert.ok(next.id > category.id);
	});
	refuses('a name that another has; another store\'s does not count', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		assert.equal(assertError(await as(store, 'POST', CATEGORIES, { name: '메뉴 1' }), 409, 'CATEGORY_NAME_TAKEN').details.field, 'name');
		assertOk(await as(store, 'POST', CATEGORIES, { name: '새' }), 201);
		assertOk(await as(other, 'POST', CATEGORIES, { name: '새' }), 201);
	});
	refuses('fields that are not right, making nothing', async () => {
		const store = await newStore(stack);
		for (const name of [undefined, null, ...NO_NAMES])
			assertInvalid(await as(store, 'POST', CATEGORIES, { name }), 'name');
		for (const display_order of [...NO_NUMBERS, 2 ** 31])
			assertInvalid(await as(store, 'POST', CATEGORIES, { name: '새', display_order }), 'display_order');
		for (const raw of NO_BODIES)
			assertError(await store.client.post(CATEGORIES, { token: store.admin.token, raw }), 400, 'INVALID_REQUEST');
		assertError(await send(store, 'POST', CATEGORIES, [['name', '새']]), 415, 'UNSUPPORTED_MEDIA_TYPE');
		assert.deepEqual(ids((await tablet(store, 'categories')).data), ids(store.categories));
		assert.deepEqual(await changes(store), []);
	});
});

route('PATCH /api/admin/categories/{category_id}', ({ succeeds, refuses }) => {
	succeeds('some fields, and leaves the others; the tablets see it at once', async () => {
		const store = await newStore(stack);
		const [{ id }] = store.categories;
		await warm(store);
		for (const [body, expected] of /** @type {[any, any][]} */ ([[{ name: '새' }, { id, name: '새', display_order: 1 }], [{ display_order: 0 }, { id, name: '새', display_order: 0 }], [{}, { id, name: '새', display_order: 0 }],
			[{ name: '새', display_order: null }, { id, name: '새', display_order: 0 }]])) {
			assert.deepEqual(assertOk(await as(store, 'PATCH', `${CATEGORIES}/${id}`, body), 200), expected);
			assert.deepEqual((await tablet(store, 'categories')).data[0], expected);
		}
		for (const event of await changes(store))
			assert.deepEqual(event, changed([], [id]));
	});
	refuses('a name that another has', async () => {
		const store = await newStore(stack);
		assertError(await as(store, 'PATCH', `${CATEGORIES}/${store.categories[0].id}`, { name: '메뉴 2' }), 409, 'CATEGORY_NAME_TAKEN');
		assert.deepEqual(await changes(store), []);
	});
	refuses('ids that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [other.categories[0].id, 999999999, ...NO_IDS])
			assertError(await as(store, 'PATCH', `${CATEGORIES}/${id}`, { name: '새' }), 404, 'CATEGORY_NOT_FOUND');
		assert.equal((await tablet(other, 'categories')).data[0].name, '메뉴 1');
	});
	refuses('fields that are not right, changing nothing', async () => {
		const store = await newStore(stack);
		const path = `${CATEGORIES}/${store.categories[0].id}`;
		for (const name of NO_NAMES)
			assertInvalid(await as(store, 'PATCH', path, { name }), 'name');
		for (const display_order of NO_NUMBERS)
			assertInvalid(await as(store, 'PATCH', path, { name: '새', display_order }), 'display_order');
		for (const raw of NO_BODIES)
			assertError(await store.client.patch(path, { token: store.admin.token, raw }), 400, 'INVALID_REQUEST');
		assert.equal((await tablet(store, 'categories')).data[0].name, '메뉴 1');
	});
});

route('DELETE /api/admin/categories/{category_id}', ({ succeeds, refuses }) => {
	succeeds('an empty one, gone from the tablets at once', async () => {
		const store = await newStore(stack);
		const { id } = assertOk(await as(store, 'POST', CATEGORIES, { name: '음료' }), 201);
		await warm(store);
		assertOk(await as(store, 'DELETE', `${CATEGORIES}/${id}`), 204);
		assert.deepEqual(ids((await tablet(store, 'categories')).data), ids(store.categories));
		assertError(await as(store, 'DELETE', `${CATEGORIES}/${id}`), 404, 'CATEGORY_NOT_FOUND');
		assert.deepEqual((await changes(store)).slice(1), [changed([], [id])]);
	});
	refuses('one with menus', async () => {
		const store = await newStore(stack, { menus: 1 });
		const [{ id }] = store.categories;
		assertError(await as(store, 'DELETE', `${CATEGORIES}/${id}`), 409, 'CATEGORY_NOT_EMPTY');
		assertOk(await as(store, 'DELETE', `${MENUS}/${store.menus[0].id}`), 204);
		assertOk(await as(store, 'DELETE', `${CATEGORIES}/${id}`), 204);
	});
	refuses('ids that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [other.categories[1].id, 999999999, ...NO_IDS])
			assertError(await as(store, 'DELETE', `${CATEGORIES}/${id}`), 404, 'CATEGORY_NOT_FOUND');
	});
});

describe('ETags of what the admin reads', () => {
	for (const path of [MENUS, `${MENUS}/MENU`, CATEGORIES]) {
		test(`${path}: 304 until it changes, never another store's`, async () => {
			const store = await newStore(stack), other = await newStore(stack);
			const at = path.replace('MENU', String(store.menus[0].id));
			/** @param {string} [known] */
			const get = (known) => store.client.get(at, { token: store.admin.token, headers: known === undefined ? {} : { 'If-None-Match': known } });
			const first = await get(), etag = String(first.headers.etag);
			assertOk(first, 200);
			assert.match(etag, /^"[^"]+"$/);
			const again = await get(etag);
			assert.deepEqual([again.status, again.text, again.headers.etag, again.headers['cache-control'], again.headers.vary],
				[304, '', etag, 'private, no-cache', 'Authorization, Origin']);
			if (path === MENUS)
				assert.notEqual((await as(other, 'GET', MENUS)).headers.etag, etag);
			/* changed behind the services' back: no cache stands before the admin */
			await store.sql("update menus set name = 'x' || name where store_id = :'store'; update menu_categories set name = 'x' || name where store_id = :'store'");
			const changed = await get(etag);
			assertOk(changed, 200);
			assert.notEqual(changed.headers.etag, etag);
		});
	}
});

describe('changes of the menu and orders at once', () => {
	test('a menu that is deleted while it is ordered is either in use or not there', async () => {
		const store = await newStore(stack, { menus: 6 });
		await Promise.all(store.menus.map(async (menu, i) => {
			const order = () => store.client.post('/api/customer/orders', { token: store.tables[0].token, body: { items: [{ menu_id: menu.id, quantity: 1 }] } });
			const first = i % 2 === 0 ? order() : undefined;
			const [gone, ordered] = await Promise.all([as(store, 'DELETE', `${MENUS}/${menu.id}`), first ?? order()]);
			assert.ok((gone.status === 204 && ordered.json?.error?.code === 'ORDER_ITEMS_UNAVAILABLE') || (gone.status === 409 && ordered.status === 201), `${gone.status} ${ordered.text}`);
		}));
	});
	test('a category that is deleted while a menu comes into it stays, or the menu does not come', async () => {
		const store = await newStore(stack, { menus: 1 });
		for (let i = 0; i < 6; i++) {
			const { id } = assertOk(await as(store, 'POST', CATEGORIES, { name: `c${i}` }), 201);
			const [gone, came] = await Promise.all([as(store, 'DELETE', `${CATEGORIES}/${id}`), as(store, 'POST', MENUS, { category_id: id, name: 'm', price: 1 })]);
			assert.ok((gone.status === 204 && came.json?.error?.code === 'CATEGORY_NOT_FOUND') || (gone.json?.error?.code === 'CATEGORY_NOT_EMPTY' && came.status === 201), `${gone.status} ${came.text}`);
		}
	});
});
