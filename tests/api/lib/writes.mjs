/**
 * What each service writes, as somebody asks for it who tries again until there is an answer; and what must be so afterwards,
 * whatever became of the tries.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertOk } from './client.mjs';
import { form } from './form.mjs';
import { persist } from './load.mjs';
import { png } from './picture.mjs';
import { until } from './until.mjs';

/** @typedef {import('./client.mjs').Answer} Answer @typedef {import('./store.mjs').Store} Store */
/**
 * One write that is about to be made.
 * @typedef {{ask: (headers: Record<string, string>) => Promise<Answer>, settled: (answer: Answer, point: string) => Promise<void>}} Write
 *   headers: of the request, besides its own; point: where the service ended at the first try
 */

/** CACHE_TTL_SECONDS of the installations that this is done to, and how much later than that an answer may be. */
export const TTL_SECONDS = 1;
const FRESH_MS = (TTL_SECONDS + 3) * 1000;

const PICTURE = png(20, 20, () => [220, 20, 20]);

let made = 0;

/** @param {Store} store @param {string} what a condition of SQL @param {Record<string, string | number>} values */
async function assertOne(store, what, values) {
	assert.equal(await store.sql(`select count(*) from ${what}`, values), '1', what);
}

/** One event of the type that tells of an order. @param {Store} store @param {string} type @param {number} order */
const oneEvent = (store, type, order) =>
	assertOne(store, "events where store_id = :'store' and event_type = :'type' and payload -> 'order' ->> 'id' = :'order'", { type, order });

/** An order that is there once, whoever dies meanwhile. @param {Store} store @param {number} table */
async function anOrder(store, table) {
	const body = { items: [{ menu_id: store.menus[0].id, quantity: 1 }] }, headers = { 'Idempotency-Key': `order-${++made}` };
	return assertOk(await persist(() => store.client.post('/api/customer/orders', { token: store.tables[table].token, body, headers })), 201);
}

/** A token. @param {Store} store @param {string} table_number @param {string} password */
async function login(store, table_number, password) {
	const body = { store_code: store.store_code, table_number, password };
	return assertOk(await persist(() => store.client.post('/api/customer/auth/login', { body })), 200).access_token;
}

/** @type {Record<string, Record<string, (store: Store) => Promise<Write>>>} by service, each under a name of its own */
export const WRITES = {
	'create-order': {
		'an order': async (store) => {
			const note = `write-${++made}`, { token } = store.tables[0];
			const body = { items: [{ menu_id: store.menus[0].id, quantity: 2 }], note };
			return {
				ask: (headers) => store.client.post('/api/customer/orders', { token, body, headers: { ...headers, 'Idempotency-Key': note } }),
				settled: async (answer, point) => {
					const order = assertOk(answer, 201);
					/* which also shows that the points are what they are called */
					if (point !== 'sent')
						assert.equal(answer.headers['idempotent-replayed'], ['committed', 'answer'].includes(point) ? 'true' : undefined, point);
					await assertOne(store, "orders where store_id = :'store' and note = :'note'", { note });
					await oneEvent(store, 'OrderCreated', order.id);
				},
			};
		},
	},
	'update-order-status': {
		'a status': async (store) => {
			const { id } = await anOrder(store, 0);
			return {
				ask: (headers) => store.client.patch(`/api/admin/orders/${id}/status`, { token: store.admin.token, body: { status: 'preparing', version: 1 }, headers }),
				settled: async (answer) => {
					const order = answer.status === 409 ? answer.json.error.details.order : assertOk(answer, 200);
					assert.deepEqual([order.status, order.version], ['preparing', 2]);
					await oneEvent(store, 'OrderStatusChanged', id);
				},
			};
		},
	},
	'delete-order': {
		'a deletion': async (store) => {
			const { id } = await anOrder(store, 0);
			return {
				ask: (headers) => store.client.api('DELETE', `/api/admin/orders/${id}`, { token: store.admin.token, headers }),
				settled: async (answer) => {
					assert.ok([204, 404].includes(answer.status), answer.text);
					assert.equal((await store.client.get(`/api/admin/orders/${id}`, { token: store.admin.token })).status, 404);
					await oneEvent(store, 'OrderDeleted', id);
				},
			};
		},
	},
	'complete-table-session': {
		'a completion': async (store) => {
			const order = await anOrder(store, 1), table = store.tables[1].table_id, session = order.table_session_id;
			const history = async () => assertOk(await store.client.get(`/api/admin/tables/${table}/order-history?page_size=100`, { token: store.admin.token }), 200)
				.data.filter((/** @type {any} */ o) => o.table_session_id === session);
			assert.equal((await history()).length, 0);
			return {
				ask: (headers) => store.client.post(`/api/admin/tables/${table}/complete-session`, { token: store.admin.token, body: { table_session_id: session }, headers }),
				settled: async (answer) => {
					assert.equal(assertOk(answer, 200).archived_orders_count, 1);
					await until('the history with it', async () => (await history()).length === 1, FRESH_MS);
					await assertOne(store, "events where store_id = :'store' and event_type = 'TableSessionCompleted' and table_session_id = :session", { session });
					await assertOne(store, "order_history where store_id = :'store' and table_session_id = :session", { session });
				},
			};
		},
	},
	menu: {
		'a price and a picture': async (store) => {
			const { id } = store.menus[1], price = 5000 + ++made;
			const shown = async () => assertOk(await store.client.get(`/api/customer/menus/${id}`, { token: store.tables[0].token }), 200);
			assert.notEqual((await shown()).price, price);
			const upload = form([['price', String(price)], ['image', PICTURE, 'menu.png']]);
			return {
				ask: (headers) => store.client.api('PATCH', `/api/admin/menus/${id}`, { token: store.admin.token, raw: upload.raw, headers: { ...headers, ...upload.headers } }),
				settled: async (answer) => {
					const menu = assertOk(answer, 200);
					await until('the new price on the tablets', async () => (await shown()).price === price, FRESH_MS);
					for (const url of [menu.image_url, menu.thumbnail_url])
						assert.equal((await store.client.get(new URL(url, store.stack.url).pathname)).status, 200);
				},
			};
		},
		'a category': async (store) => {
			const name = `분류 ${++made}`;
			const names = async () => assertOk(await store.client.get('/api/customer/categories', { token: store.tables[0].token }), 200)
				.data.map((/** @type {any} */ c) => c.name);
			assert.ok(!(await names()).includes(name));
			return {
				ask: (headers) => store.client.post('/api/admin/categories', { token: store.admin.token, body: { name }, headers }),
				settled: async (answer) => {
					if (answer.status !== 409)
						assertOk(answer, 201);
					await until('the category on the tablets', async () => (await names()).includes(name), FRESH_MS);
					await assertOne(store, "menu_categories where store_id = :'store' and name = :'name'", { name });
				},
			};
		},
	},
	'manage-admin': {
		'a table': async (store) => {
			const number = `N-${++made}`;
			return {
				ask: (headers) => store.client.post('/api/admin/tables', { token: store.admin.token, body: { table_number: number, password: 'x' }, headers }),
				settled: async (answer) => {
					if (answer.status !== 409)
						assertOk(answer, 201);
					await assertOne(store, "dining_tables where store_id = :'store' and table_number = :'number'", { number });
				},
			};
		},
		'a table out of use': async (store) => {
			const number = `N-${++made}`;
			const { id } = assertOk(await store.client.post('/api/admin/tables', { token: store.admin.token, body: { table_number: number, password: 'x' } }), 201);
			const token = await login(store, number, 'x');
			const menus = () => store.client.get('/api/customer/menus', { token });
			/* the second comes from the cache */
			for (let i = 0; i < 2; i++)
				assertOk(await persist(menus), 200);
			return {
				ask: (headers) => store.client.patch(`/api/admin/tables/${id}`, { token: store.admin.token, body: { is_active: false }, headers }),
				settled: async (answer) => {
					assert.equal(assertOk(answer, 200).is_active, false);
					await until('a refusal, from the cache too', async () => (await menus()).status === 401, FRESH_MS);
				},
			};
		},
	},
	authentication: {
		'a logout': async (store) => {
			const token = await login(store, store.tables[1].table_number, store.tables[1].password);
			const menus = () => store.client.get('/api/customer/menus', { token });
			for (let i = 0; i < 2; i++)
				assertOk(await persist(menus), 200);
			return {
				ask: (headers) => store.client.post('/api/auth/logout', { token, headers }),
				settled: async (answer) => {
					assert.ok([204, 401].includes(answer.status), answer.text);
					await until('a refusal, from the cache too', async () => (await menus()).status === 401, FRESH_MS);
				},
			};
		},
		'a login': async (store) => {
			const { table_number, password } = store.tables[1];
			return {
				ask: (headers) => store.client.post('/api/customer/auth/login', { body: { store_code: store.store_code, table_number, password }, headers }),
				settled: async (answer) => {
					assertOk(await store.client.get('/api/customer/orders', { token: assertOk(answer, 200).access_token }), 200);
				},
			};
		},
	},
};

/**
 * Ends a service at a point of one of its writes, and holds what it finds against what was asked.
 * @param {import('./preload.mjs').Crashes} crashes @param {Store} store @param {string} service @param {string} point
 * @param {string} name of the write
 */
export async function crashDuring(crashes, store, service, point, name) {
	const write = await WRITES[service][name](store), id = `crash-${++made}`;
	const before = store.stack.pid(service) ?? 0;
	crashes.arm(service, point, id);
	await write.settled(await persist(() => write.ask({ 'X-Request-Id': id })), point);
	assert.ok(crashes.happened(service, point, id), `${service} never came to "${point}"`);
	await store.stack.replaced(service, before);
}

/** A store's events count 1, 2, 3, and its board was told each once. @param {Store} store @param {import('./sse.mjs').EventStream} board */
export async function assertEvents(store, board) {
	const [last, count, distinct] = (await store.sql("select coalesce(max(seq), 0), count(*), count(distinct seq) from events where store_id = :'store'")).split('|').map(Number);
	assert.deepEqual([count, distinct], [last, last]);
	assert.equal(await store.sql("select last_seq from store_counters where store_id = :'store'"), String(last));
	if (last > 0)
		await board.untilId(last, 30000);
	assert.deepEqual(board.ids, Array.from({ length: last }, (_, i) => i + 1));
	await until('an empty outbox', async () => await store.sql("select count(*) from events where store_id = :'store' and published_at is null") === '0', 60000);
}

/** Each picture that a menu names is there; those that no menu names are returned. @param {import('./stack.mjs').Stack} stack @param {Store} store */
export async function orphans(stack, store) {
	const named = (await store.sql('select image_path from menus where image_path is not null union all select thumbnail_path from menus where thumbnail_path is not null')).split('\n').filter(Boolean);
	for (const name of named)
		assert.ok(existsSync(join(stack.env.UPLOAD_DIR, name)), `a menu names ${name}, which is not there`);
	return readdirSync(stack.env.UPLOAD_DIR).filter((name) => !named.includes(name));
}
