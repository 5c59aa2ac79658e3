/** Stores, admins and tables: made, changed, and their logins ended. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, before, describe, test } from 'node:test';
import { Client, assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { Streams } from './lib/sse.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';

const stack = sharedStack();
const client = new Client(stack);
const streams = new Streams(stack);
afterEach(() => streams.closeAll());

const STORES = '/api/superadmin/stores', ADMINS = '/api/superadmin/admins', TABLES = '/api/admin/tables';
const BOARD_STREAM = '/api/admin/orders/stream', TABLE_STREAM = '/api/customer/orders/stream';
const NO_IDS = ['0', '-1', 'x', '1x', '1.0', '9007199254740992', '18446744073709551617', '%31'];
const NO_BODIES = ['', '[]', '{', '"x"', 'null', '{} {}', Buffer.from([123, 34, 97, 34, 58, 34, 0xff, 34, 125])];
/** 72 bytes, the most that bcrypt takes; and one more. */
const LONG = `${'가'.repeat(23)}abc`;
/** of a tablet's or page's stream that has to end */
const SOON_MS = 10000;

/** @typedef {import('./lib/store.mjs').Store} Store */
/** @typedef {import('./lib/client.mjs').Answer} Answer */

/** The super admin's token. */
let owner = '';
before(async () => {
	owner = assertOk(await client.post('/api/superadmin/auth/login', { body: stack.info.super_admin }), 200).access_token;
});

let made = 0;
/** @param {string} what A name that nobody else has. */
const fresh = (what) => `${what}-${process.pid}-${++made}-${Math.random().toString(36).slice(2, 8)}`;

/** @param {string} method @param {string} path @param {unknown} [body] */
const own = (method, path, body) => client.api(method, path, { token: owner, body });
/** @param {Store} store @param {string} method @param {string} path @param {unknown} [body] */
const as = (store, method, path, body) => store.client.api(method, path, { token: store.admin.token, body });
/** @param {Store} store @param {number} i @param {string} [password] */
const tableLogin = (store, i, password = store.tables[i].password) =>
	new Client(stack).post('/api/customer/auth/login', { body: { store_id: store.store_id, table_number: store.tables[i].table_number, password } });
/** @param {string | undefined} store_id @param {string} username @param {string} password */
const adminLogin = (store_id, username, password) =>
	store_id === undefined ? new Client(stack).post('/api/superadmin/auth/login', { body: { username, password } })
		: new Client(stack).post('/api/admin/auth/login', { body: { store_id, username, password } });

/** @param {Store} store All its events of a type. @param {string} type @returns {Promise<any[]>} */
const events = async (store, type) =>
	(await store.sql("select payload from events where store_id = :'store' and event_type = :'type' order by seq", { type })).split('\n').filter(Boolean).map((s) => JSON.parse(s));

/** @param {import('./lib/sse.mjs').EventStream} stream It says why it ends, and the next try is refused. */
async function assertRevoked(stream) {
	await stream.until('closed', () => stream.news.some((e) => e.type === 'closed'), SOON_MS);
	assert.equal(stream.news.find((e) => e.type === 'closed')?.json.reason, 'revoked');
	await stream.ended();
	assert.deepEqual([stream.refusal?.status, JSON.parse(stream.refusal?.text ?? '{}').error.code], [401, 'TOKEN_INVALID']);
}

/** A token that is worth nothing any more, for answers of the cache, too. @param {string} token @param {string[]} paths */
async function assertEnded(token, paths) {
	for (const path of paths)
		assertError(await client.get(path, { token }), 401, 'TOKEN_INVALID');
}

/** Reads what the cache may answer, so that later it would. @param {string} token @param {string} path */
async function warm(token, path) {
	for (let i = 0; i < 3; i++)
		assertOk(await client.get(path, { token }), 200);
}

/** Values that no field of text takes, given its longest. @param {number} most */
const noText = (most) => ['', 5, true, [], {}, 'nul\u0000', 'x'.repeat(most + 1)];

/* --- stores ------------------------------------------------------------------------------------ */

route(`POST /api/superadmin/stores`, ({ succeeds, refuses }) => {
	succeeds('with what is not said as usual', async () => {
		const code = fresh('s');
		const answer = await own('POST', STORES, { code, name: '가게', other: 1 });
		const json = assertOk(answer, 201);
		assert.deepEqual(json, { id: json.id, code, name: '가게', currency: 'KRW', time_zone: 'Asia/Seoul', business_day_start: '05:00', is_active: true, created_at: json.created_at });
		assert.match(json.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
		assert.match(json.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
		assert.equal(answer.headers.location, `${STORES}/${json.id}`);
	});
	succeeds('with everything said, and then it works', async () => {
		const code = fresh('s');
		const store = assertOk(await own('POST', STORES, { code, name: '店'.repeat(100), currency: 'EUR', time_zone: 'Europe/Berlin', business_day_start: '23:59' }), 201);
		assert.deepEqual([store.currency, store.time_zone, store.business_day_start], ['EUR', 'Europe/Berlin', '23:59']);
		const username = fresh('admin');
		assertOk(await own('POST', ADMINS, { store_id: store.id, username, password: 'p' }), 201);
		const token = assertOk(await adminLogin(store.id, username, 'p'), 200).access_token;
		const api = (/** @type {string} */ method, /** @type {string} */ path, /** @type {unknown} */ body) => client.api(method, path, { token, body });
		const category = assertOk(await api('POST', '/api/admin/categories', { name: '면' }), 201);
		const menu = assertOk(await api('POST', '/api/admin/menus', { category_id: category.id, name: '국수', price: 7000 }), 201);
		assertOk(await api('POST', TABLES, { table_number: '1', password: 'q' }), 201);
		const login = assertOk(await client.post('/api/customer/auth/login', { body: { store_code: code, table_number: '1', password: 'q' } }), 200);
		assert.deepEqual(login.store, { id: store.id, code, name: '店'.repeat(100), currency: 'EUR', time_zone: 'Europe/Berlin', business_day_start: '23:59' });
		const order = assertOk(await client.post('/api/customer/orders', { token: login.access_token, body: { items: [{ menu_id: menu.id, quantity: 2 }] } }), 201);
		assert.deepEqual([order.order_number, order.total_price], [1, 14000]);
	});
	refuses('a code that another store has, in any case of letters', async () => {
		const code = fresh('Code');
		assertOk(await own('POST', STORES, { code, name: 'a' }), 201);
		for (const other of [code, code.toUpperCase(), code.toLowerCase()]) {
			const error = assertError(await own('POST', STORES, { code: other, name: 'b' }), 409, 'STORE_CODE_TAKEN');
			assert.equal(error.details.field, 'code');
		}
	});
	refuses('fields that are not right, making nothing', async () => {
		const count = async () => assertOk(await own('GET', `${STORES}?page_size=1`), 200).pagination.total_count;
		const good = { code: fresh('s'), name: '가게' };
		/** @type {Record<string, any[]>} */
		const bad = {
			code: [undefined, null, ...noText(32), 'a b', '-a', '_a', 'ä', 'a/b', 'a\n'],
			name: [undefined, null, ...noText(100)],
			currency: [...noText(3), 'KR', 'krw', 'K1W', '원화권', 'ZZZ', 'D E'],
			time_zone: [...noText(64), 'Mars/Olympus', 'Soul9', 'posix/Asia/Seoul', 'UTC+9', '+09:00', 'localtime'],
			business_day_start: [...noText(5), '24:00', '5:00', '05:60', '05-00', '0500', '05:0x', '+5:00', '05:00:00', 'ab:cd', ' 5:00', '-1:00'],
		};
		for (const [field, values] of Object.entries(bad))
			for (const value of values)
				assertInvalid(await own('POST', STORES, { ...good, [field]: value }), field);
		for (const raw of NO_BODIES)
			assertError(await client.post(STORES, { token: owner, raw }), 400, 'INVALID_REQUEST');
		assertError(await client.post(STORES, { token: owner, raw: JSON.stringify(good), headers: { 'Content-Type': 'text/plain' } }), 415, 'UNSUPPORTED_MEDIA_TYPE');
		const before = await count();
		assertOk(await own('POST', STORES, good), 201);
		assert.ok(await count() > before);
	});
});

route('GET /api/superadmin/stores', ({ succeeds, refuses }) => {
	succeeds('all of them, page by page', async () => {
		const mine = [];
		for (let i = 0; i < 3; i++)
			mine.push(assertOk(await own('POST', STORES, { code: fresh('s'), name: `n${i}` }), 201));
		const found = [];
		for (let page = 1, pages = 1; page <= pages; page++) {
			const json = assertOk(await own('GET', `${STORES}?page=${page}&page_size=20`), 200);
			assert.deepEqual([json.pagination.page, json.pagination.page_size], [page, 20]);
			assert.ok(json.data.length <= 20);
			pages = json.pagination.total_pages;
			found.push(...json.data);
		}
		assert.deepEqual(found.filter((s) => mine.some((m) => m.id === s.id)), mine);
	});
	refuses('pages that are none', async () => {
		for (const field of ['page', 'page_size'])
			for (const value of ['0', '-1', 'x', '1.5', '99999999999999999999', ...(field === 'page_size' ? ['101'] : [])])
				assertInvalid(await own('GET', `${STORES}?${field}=${value}`), field);
	});
});

route('PATCH /api/superadmin/stores/{store_id}', ({ succeeds, refuses }) => {
	succeeds('some fields, and leaves the others', async () => {
		const store = assertOk(await own('POST', STORES, { code: fresh('s'), name: '가게' }), 201);
		const code = fresh('t');
		assert.deepEqual(assertOk(await own('PATCH', `${STORES}/${store.id}`, {}), 200), store);
		assert.deepEqual(assertOk(await own('PATCH', `${STORES}/${store.id}`, { name: '새 이름' }), 200), { ...store, name: '새 이름' });
		const all = { code, name: '또', currency: 'USD', time_zone: 'America/New_York', business_day_start: '00:00' };
		assert.deepEqual(assertOk(await own('PATCH', `${STORES}/${store.id.toUpperCase()}`, all), 200), { ...store, ...all });
		assert.deepEqual(assertOk(await own('PATCH', `${STORES}/${store.id}`, { code: code.toUpperCase(), is_active: null }), 200), { ...store, ...all, code: code.toUpperCase() });
	});
	succeeds('deactivation, which ends every token and stream of the store, and of no other', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack, { tables: 1 })];
		const board = await streams.open(BOARD_STREAM, { token: store.admin.token, retryMs: 10 });
		const tablets = [];
		for (const table of store.tables)
			tablets.push(await streams.open(TABLE_STREAM, { token: table.token, retryMs: 10 }));
		const stays = await streams.open(BOARD_STREAM, { token: other.admin.token });
		for (const { token } of [...store.tables, ...other.tables])
			await warm(token, '/api/customer/menus');
		await warm(store.admin.token, '/api/admin/order-history');
		assert.equal(assertOk(await own('PATCH', `${STORES}/${store.store_id}`, { is_active: false }), 200).is_active, false);
		for (const { token } of store.tables)
			await assertEnded(token, ['/api/customer/menus', '/api/customer/orders']);
		await assertEnded(store.admin.token, ['/api/admin/order-history', '/api/admin/board']);
		await Promise.all([board, ...tablets].map(assertRevoked));
		assertError(await tableLogin(store, 0), 403, 'ACCOUNT_INACTIVE');
		assertError(await adminLogin(store.store_id, store.admin.username, store.admin.password), 403, 'ACCOUNT_INACTIVE');
		const told = await events(store, 'AccountRevoked');
		assert.deepEqual(told.map((e) => [e.subject, e.gen]).sort(), [[`admin:${store.admin.admin_id}`, 1], ...store.tables.map((t) => [`table:${t.table_id}`, 1])].sort());
		await other.order(0);
		await stays.untilId(1);
		assert.equal(stays.connections, 1);

		const events0 = (await events(store, 'AccountRevoked')).length;
		assertOk(await own('PATCH', `${STORES}/${store.store_id}`, { is_active: false }), 200);
		assert.equal((await events(store, 'AccountRevoked')).length, events0, 'an inactive store has nothing to end');
		assert.equal(assertOk(await own('PATCH', `${STORES}/${store.store_id}`, { is_active: true }), 200).is_active, true);
		await assertEnded(store.tables[0].token, ['/api/customer/menus', '/api/customer/orders']);
		assertOk(await client.get('/api/customer/menus', { token: assertOk(await tableLogin(store, 0), 200).access_token }), 200);
	});
	succeeds('deactivation at once, however the id is written', async () => {
		const store = await newStore(stack);
		const board = await streams.open(BOARD_STREAM, { token: store.admin.token, retryMs: 10 });
		await warm(store.tables[0].token, '/api/customer/menus');
		assertOk(await own('PATCH', `${STORES}/${store.store_id.toUpperCase()}`, { is_active: false }), 200);
		await assertEnded(store.tables[0].token, ['/api/customer/menus', '/api/customer/orders']);
		await assertRevoked(board);
		assert.ok((await events(store, 'AccountRevoked')).every((e) => e.store_id === store.store_id));
	});
	refuses('a code that another store has', async () => {
		const [a, b] = [assertOk(await own('POST', STORES, { code: fresh('s'), name: 'a' }), 201), assertOk(await own('POST', STORES, { code: fresh('s'), name: 'b' }), 201)];
		assertError(await own('PATCH', `${STORES}/${b.id}`, { code: a.code.toUpperCase(), name: 'c' }), 409, 'STORE_CODE_TAKEN');
		assert.deepEqual(assertOk(await own('PATCH', `${STORES}/${b.id}`, {}), 200), b);
	});
	refuses('stores that are not there', async () => {
		for (const id of [randomUUID(), 'x', '1', '%41', `${randomUUID()}x`, randomUUID().replaceAll('-', '')])
			assertError(await own('PATCH', `${STORES}/${id}`, { name: 'x' }), 404, 'STORE_NOT_FOUND');
	});
	refuses('fields that are not right, changing nothing', async () => {
		const store = assertOk(await own('POST', STORES, { code: fresh('s'), name: '가게' }), 201);
		/** @type {Record<string, any[]>} */
		const bad = { code: [...noText(32), 'a b'], name: [...noText(100), ' ', 'a\u0001'], currency: [...noText(3), 'krw'], time_zone: [...noText(64), 'Mars/Olympus'], business_day_start: [...noText(5), '24:00'],
			is_active: ['true', 0, 1, [], {}] };
		for (const [field, values] of Object.entries(bad))
			for (const value of values)
				assertInvalid(await own('PATCH', `${STORES}/${store.id}`, { [field]: value, ...(field === 'name' ? {} : { name: 'changed' }) }), field);
		for (const raw of NO_BODIES)
			assertError(await client.patch(`${STORES}/${store.id}`, { token: owner, raw }), 400, 'INVALID_REQUEST');
		assert.deepEqual(assertOk(await own('PATCH', `${STORES}/${store.id}`, {}), 200), store);
	});
});

/* --- admins ------------------------------------------------------------------------------------ */

route('POST /api/superadmin/admins', ({ succeeds, refuses }) => {
	succeeds('of a store, and of the installation', async () => {
		const store = await newStore(stack, { tables: 1, login: false });
		for (const [body, role] of /** @type {[any, string][]} */ ([[{ store_id: store.store_id }, 'store_admin'], [{ store_id: store.store_id, role: 'store_admin' }, 'store_admin'], [{ role: 'super_admin' }, 'super_admin']])) {
			const username = fresh('직원');
			const answer = await own('POST', ADMINS, { ...body, username, password: 'p' });
			const json = assertOk(answer, 201);
			assert.deepEqual(json, { id: json.id, store_id: body.store_id ?? null, username, role, is_active: true, created_at: json.created_at });
			assert.equal(answer.headers.location, `${ADMINS}/${json.id}`);
			assert.doesNotMatch(answer.text, /password|hash/);
			const login = assertOk(await adminLogin(body.store_id, username, 'p'), 200);
			assert.deepEqual([login.role, login.admin_id], [role, json.id]);
		}
	});
	succeeds('with a password of 72 bytes, not with one of 73', async () => {
		const store = await newStore(stack, { tables: 1, login: false });
		const username = fresh('a');
		assertInvalid(await own('POST', ADMINS, { store_id: store.store_id, username, password: `${LONG}d` }), 'password');
		assertOk(await own('POST', ADMINS, { store_id: store.store_id, username, password: LONG }), 201);
		assertOk(await adminLogin(store.store_id, username, LONG), 200);
		assertError(await adminLogin(store.store_id, username, LONG.slice(0, -1)), 401, 'INVALID_CREDENTIALS');
	});
	refuses('a name that anyone has, in any store and any case of letters', async () => {
		const [store, other] = [await newStore(stack, { login: false }), await newStore(stack, { login: false })];
		const username = fresh('Name');
		assertOk(await own('POST', ADMINS, { store_id: store.store_id, username, password: 'p' }), 201);
		for (const body of [{ store_id: store.store_id, username }, { store_id: other.store_id, username: username.toUpperCase() }, { role: 'super_admin', username: username.toLowerCase() }])
			assert.equal(assertError(await own('POST', ADMINS, { ...body, password: 'p' }), 409, 'USERNAME_TAKEN').details.field, 'username');
	});
	refuses('stores that are not there', async () => {
		assertError(await own('POST', ADMINS, { store_id: randomUUID(), username: fresh('a'), password: 'p' }), 404, 'STORE_NOT_FOUND');
	});
	refuses('fields that are not right', async () => {
		const store = await newStore(stack, { login: false });
		const good = { store_id: store.store_id, username: fresh('a'), password: 'p' };
		/** @type {Record<string, any[]>} */
		const bad = {
			username: [undefined, null, ...noText(100)],
			password: [undefined, null, ...noText(72), '가'.repeat(25)],
			role: [...noText(20), 'table', 'SUPER_ADMIN', 'owner'],
			store_id: [undefined, null, '', 5, 'x', [], store.store_code, `${store.store_id}x`, 'z'.repeat(36)],
		};
		for (const [field, values] of Object.entries(bad))
			for (const value of values)
				assertInvalid(await own('POST', ADMINS, { ...good, [field]: value }), field);
		assertInvalid(await own('POST', ADMINS, { ...good, role: 'super_admin' }), 'store_id');
		for (const raw of NO_BODIES)
			assertError(await client.post(ADMINS, { token: owner, raw }), 400, 'INVALID_REQUEST');
		assertOk(await own('POST', ADMINS, good), 201);
	});
});

route('GET /api/superadmin/admins', ({ succeeds, refuses }) => {
	succeeds('of a store, by id and by page, and of all', async () => {
		const store = await newStore(stack, { login: false });
		const list = [];
		for (let i = 0; i < 2; i++)
			list.push(assertOk(await own('POST', ADMINS, { store_id: store.store_id, username: fresh('a'), password: 'p' }), 201));
		const json = assertOk(await own('GET', `${ADMINS}?store_id=${store.store_id}`), 200);
		assert.deepEqual(json.data.map((/** @type {any} */ a) => a.id), [store.admin.admin_id, ...list.map((a) => a.id)]);
		assert.deepEqual(json.data.slice(1), list);
		assert.deepEqual(json.pagination, { page: 1, page_size: 50, total_count: 3, total_pages: 1 });
		assert.deepEqual(assertOk(await own('GET', `${ADMINS}?store_id=${store.store_id}&page=2&page_size=2`), 200).data, list.slice(1));
		assert.deepEqual(assertOk(await own('GET', `${ADMINS}?store_id=${randomUUID()}`), 200).data, []);
		const all = assertOk(await own('GET', `${ADMINS}?page_size=100`), 200);
		assert.ok(all.pagination.total_count >= 4);
		assert.ok(all.data.some((/** @type {any} */ a) => a.role === 'super_admin' && a.store_id === null && a.username === stack.info.super_admin.username));
		assert.ok(!JSON.stringify(all).includes('hash'));
	});
	refuses('filters and pages that are none', async () => {
		for (const [field, values] of /** @type {[string, string[]][]} */ ([['store_id', ['x', '5', `${randomUUID()}x`, '%00']], ['page', ['0', 'x']], ['page_size', ['0', '101']]]))
			for (const value of values)
				assertInvalid(await own('GET', `${ADMINS}?${field}=${value}`), field);
	});
});

/** A store with a second admin, logged in, whose token the cache knows. */
async function withAdmin() {
	const store = await newStore(stack, { tables: 1 });
	const [username, password] = [fresh('a'), 'first'];
	const admin = assertOk(await own('POST', ADMINS, { store_id: store.store_id, username, password }), 201);
	const token = assertOk(await adminLogin(store.store_id, username, password), 200).access_token;
	await warm(token, '/api/admin/order-history');
	return { store, admin, username, password, token };
}

const ADMIN_PATHS = ['/api/admin/order-history', '/api/admin/board'];

/** @param {(add: {refuses: (name: string, body: () => Promise<void>) => void}) => void} _ @param {string} what @param {any} [body] */
const refusesAdmins = (_, what, body) => {
	_.refuses('admins that are not there', async () => {
		for (const id of [999999999, ...NO_IDS])
			assertError(await own('PATCH', `${ADMINS}/${id}/${what}`, body), 404, 'ADMIN_NOT_FOUND');
	});
};

route('PATCH /api/superadmin/admins/{admin_id}/deactivate', (add) => {
	add.succeeds('ending this admin\'s tokens and streams at once, with an event, and nobody else\'s', async () => {
		const { store, admin, username, password, token } = await withAdmin();
		const [gone, stays] = [await streams.open(BOARD_STREAM, { token, retryMs: 10 }), await streams.open(BOARD_STREAM, { token: store.admin.token })];
		assert.deepEqual(assertOk(await own('PATCH', `${ADMINS}/${admin.id}/deactivate`), 200), { ...admin, is_active: false });
		await assertEnded(token, ADMIN_PATHS);
		await assertRevoked(gone);
		assertError(await adminLogin(store.store_id, username, password), 403, 'ACCOUNT_INACTIVE');
		const [event, ...more] = await events(store, 'AccountRevoked');
		assert.deepEqual([event.subject, event.gen, event.store_id, more.length], [`admin:${admin.id}`, 1, store.store_id, 0]);
		assert.equal(await store.sql("select actor from events where store_id = :'store' and event_type = 'AccountRevoked'"),
			`admin:${await store.sql("select id from admins where username = :'name'", { name: stack.info.super_admin.username })}`);
		assertOk(await own('PATCH', `${ADMINS}/${admin.id}/deactivate`), 200);
		assert.equal((await events(store, 'AccountRevoked')).length, 1, 'an inactive admin has nothing to end');
		await store.order(0);
		await stays.untilId(event.seq + 1);
		assert.equal(stays.connections, 1);
	});
	add.succeeds('a super admin, without an event', async () => {
		const username = fresh('super');
		const admin = assertOk(await own('POST', ADMINS, { role: 'super_admin', username, password: 'p' }), 201);
		const token = assertOk(await adminLogin(undefined, username, 'p'), 200).access_token;
		assertOk(await client.get(STORES, { token }), 200);
		assertOk(await own('PATCH', `${ADMINS}/${admin.id}/deactivate`), 200);
		await assertEnded(token, [STORES, ADMINS]);
		assertError(await adminLogin(undefined, username, 'p'), 403, 'ACCOUNT_INACTIVE');
	});
	refusesAdmins(add, 'deactivate');
});

route('PATCH /api/superadmin/admins/{admin_id}/activate', (add) => {
	add.succeeds('which lets in again, but not by an old token', async () => {
		const { store, admin, username, password, token } = await withAdmin();
		assert.deepEqual(assertOk(await own('PATCH', `${ADMINS}/${admin.id}/activate`), 200), admin);
		assertOk(await client.get('/api/admin/board', { token }), 200);
		assertOk(await own('PATCH', `${ADMINS}/${admin.id}/deactivate`), 200);
		assert.deepEqual(assertOk(await own('PATCH', `${ADMINS}/${admin.id}/activate`, {}), 200), admin);
		await assertEnded(token, ADMIN_PATHS);
		const next = assertOk(await adminLogin(store.store_id, username, password), 200).access_token;
		await warm(next, '/api/admin/order-history');
		assert.equal((await events(store, 'AccountRevoked')).length, 1);
	});
	refusesAdmins(add, 'activate');
});

route('PATCH /api/superadmin/admins/{admin_id}/password', (add) => {
	add.succeeds('ending the old password, tokens and streams', async () => {
		const { store, admin, username, password, token } = await withAdmin();
		const gone = await streams.open(BOARD_STREAM, { token, retryMs: 10 });
		assert.deepEqual(assertOk(await own('PATCH', `${ADMINS}/${admin.id}/password`, { password: LONG }), 200), admin);
		await assertEnded(token, ADMIN_PATHS);
		await assertRevoked(gone);
		assertError(await adminLogin(store.store_id, username, password), 401, 'INVALID_CREDENTIALS');
		assertOk(await adminLogin(store.store_id, username, LONG), 200);
		assert.deepEqual((await events(store, 'AccountRevoked')).map((e) => [e.subject, e.gen]), [[`admin:${admin.id}`, 1]]);
	});
	add.succeeds('one\'s own, too', async () => {
		const username = fresh('super');
		const admin = assertOk(await own('POST', ADMINS, { role: 'super_admin', username, password: 'p' }), 201);
		const token = assertOk(await adminLogin(undefined, username, 'p'), 200).access_token;
		assertOk(await client.patch(`${ADMINS}/${admin.id}/password`, { token, body: { password: 'q' } }), 200);
		await assertEnded(token, [STORES]);
		assertOk(await adminLogin(undefined, username, 'q'), 200);
	});
	refusesAdmins(add, 'password', { password: 'x' });
	add.refuses('what is no password, ending nothing', async () => {
		const { admin, token } = await withAdmin();
		for (const password of [undefined, null, ...noText(72), '가'.repeat(25), `${LONG}d`])
			assertInvalid(await own('PATCH', `${ADMINS}/${admin.id}/password`, { password }), 'password');
		for (const raw of NO_BODIES)
			assertError(await client.patch(`${ADMINS}/${admin.id}/password`, { token: owner, raw }), 400, 'INVALID_REQUEST');
		assertOk(await client.get('/api/admin/board', { token }), 200);
	});
});

/* --- tables ------------------------------------------------------------------------------------ */

route('GET /api/admin/tables', ({ succeeds, refuses }) => {
	succeeds('all of the store, by id, with who is in use', async () => {
		const store = await newStore(stack, { tables: 3 });
		await store.order(1);
		const { data } = assertOk(await as(store, 'GET', TABLES), 200);
		assert.deepEqual(data, store.tables.map((t, i) => ({ id: t.table_id, table_number: t.table_number, is_active: true, has_open_session: i === 1, created_at: data[i].created_at })));
		assertOk(await as(store, 'DELETE', `${TABLES}/${store.tables[0].table_id}`), 204);
		assert.deepEqual(assertOk(await as(store, 'GET', TABLES), 200).data, data.slice(1));
	});
	refuses('what it cannot answer in', async () => {
		const store = await newStore(stack);
		assertError(await store.client.get(TABLES, { token: store.admin.token, headers: { Accept: 'text/html' } }), 406, 'NOT_ACCEPTABLE');
	});
});

route('POST /api/admin/tables', ({ succeeds, refuses }) => {
	succeeds('one that can log in and order at once', async () => {
		const store = await newStore(stack);
		for (const table_number of ['A-1', '창가 자리', '가'.repeat(20)]) {
			const answer = await as(store, 'POST', TABLES, { table_number, password: LONG });
			const json = assertOk(answer, 201);
			assert.deepEqual(json, { id: json.id, table_number, is_active: true, has_open_session: false, created_at: json.created_at });
			assert.equal(answer.headers.location, `${TABLES}/${json.id}`);
			const login = assertOk(await new Client(stack).post('/api/customer/auth/login', { body: { store_code: store.store_code, table_number, password: LONG } }), 200);
			assert.equal(login.table_id, json.id);
			assertOk(await client.post('/api/customer/orders', { token: login.access_token, body: { items: [{ menu_id: store.menus[0].id, quantity: 1 }] } }), 201);
		}
	});
	refuses('a number that a table of the store has; another store\'s does not count', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		assert.equal(assertError(await as(store, 'POST', TABLES, { table_number: 'T-1', password: 'p' }), 409, 'TABLE_NUMBER_TAKEN').details.field, 'table_number');
		assertOk(await as(store, 'POST', TABLES, { table_number: 'Z', password: 'p' }), 201);
		assertOk(await as(other, 'POST', TABLES, { table_number: 'Z', password: 'p' }), 201);
		const both = await Promise.all([1, 2, 3].map(() => as(store, 'POST', TABLES, { table_number: 'Y', password: 'p' })));
		assert.deepEqual(both.map((a) => a.status).sort(), [201, 409, 409]);
	});
	refuses('fields that are not right, making nothing', async () => {
		const store = await newStore(stack);
		/** @type {Record<string, any[]>} */
		const bad = { table_number: [undefined, null, ...noText(20), ' ', ' 1', '1 ', '\t'], password: [undefined, null, ...noText(72), '가'.repeat(25), `${LONG}d`] };
		for (const [field, values] of Object.entries(bad))
			for (const value of values)
				assertInvalid(await as(store, 'POST', TABLES, { table_number: 'N', password: 'p', [field]: value }), field);
		for (const raw of NO_BODIES)
			assertError(await store.client.post(TABLES, { token: store.admin.token, raw }), 400, 'INVALID_REQUEST');
		assert.equal(assertOk(await as(store, 'GET', TABLES), 200).data.length, 2);
	});
});

const TABLE_PATHS = ['/api/customer/menus', '/api/customer/orders'];

route('PATCH /api/admin/tables/{table_id}', ({ succeeds, refuses }) => {
	succeeds('its number, which its tablet outlives', async () => {
		const store = await newStore(stack);
		const [{ table_id, token }] = store.tables;
		const order = await store.order(0);
		const json = assertOk(await as(store, 'PATCH', `${TABLES}/${table_id}`, { table_number: '테라스 1' }), 200);
		assert.deepEqual(json, { id: table_id, table_number: '테라스 1', is_active: true, has_open_session: true, created_at: json.created_at });
		assert.deepEqual(assertOk(await client.get('/api/customer/orders', { token }), 200).data, [{ ...order, table_number: '테라스 1' }]);
		assert.deepEqual(assertOk(await as(store, 'PATCH', `${TABLES}/${table_id}`, {}), 200), json);
		assert.deepEqual(assertOk(await as(store, 'PATCH', `${TABLES}/${table_id}`, { table_number: '테라스 1', is_active: true, password: null }), 200), json);
		assert.deepEqual(await events(store, 'AccountRevoked'), []);
		assertOk(await client.get('/api/customer/orders', { token }), 200);
	});
	succeeds('its password, ending its tokens and stream, and no other table\'s', async () => {
		const store = await newStore(stack);
		const [first, second] = store.tables;
		for (const { token } of store.tables)
			await warm(token, '/api/customer/menus');
		const [gone, stays, board] = [await streams.open(TABLE_STREAM, { token: first.token, retryMs: 10 }), await streams.open(TABLE_STREAM, { token: second.token }), await streams.open(BOARD_STREAM, { token: store.admin.token })];
		const json = assertOk(await as(store, 'PATCH', `${TABLES}/${first.table_id}`, { password: LONG }), 200);
		assert.deepEqual([json.id, json.is_active], [first.table_id, true]);
		await assertEnded(first.token, TABLE_PATHS);
		await assertRevoked(gone);
		assertError(await tableLogin(store, 0), 401, 'INVALID_CREDENTIALS');
		const login = assertOk(await tableLogin(store, 0, LONG), 200);
		const young = await streams.open(TABLE_STREAM, { token: login.access_token });
		const [event] = await events(store, 'AccountRevoked');
		assert.deepEqual([event.subject, event.gen, event.table_id, event.table_number], [`table:${first.table_id}`, 1, first.table_id, 'T-1']);
		assertOk(await client.get('/api/customer/menus', { token: second.token }), 200);
		first.token = login.access_token;
		await store.order(0);
		await store.order(1);
		await stays.untilId(event.seq + 2);
		await young.untilId(event.seq + 1);
		await board.untilId(event.seq + 2);
		assert.deepEqual([stays.connections, young.connections, board.connections], [1, 1, 1]);
	});
	succeeds('deactivation, which ends its tokens and stream; and activation, by which an old token is worth nothing', async () => {
		const store = await newStore(stack);
		const [{ table_id, token }] = store.tables;
		await warm(token, '/api/customer/menus');
		const gone = await streams.open(TABLE_STREAM, { token, retryMs: 10 });
		assert.equal(assertOk(await as(store, 'PATCH', `${TABLES}/${table_id}`, { is_active: false }), 200).is_active, false);
		await assertEnded(token, TABLE_PATHS);
		await assertRevoked(gone);
		assertError(await tableLogin(store, 0), 403, 'ACCOUNT_INACTIVE');
		assert.deepEqual((await events(store, 'AccountRevoked')).map((e) => [e.subject, e.gen]), [[`table:${table_id}`, 1]]);
		assertOk(await as(store, 'PATCH', `${TABLES}/${table_id}`, { is_active: false }), 200);
		assert.equal((await events(store, 'AccountRevoked')).length, 1);
		assert.equal(assertOk(await as(store, 'PATCH', `${TABLES}/${table_id}`, { is_active: true }), 200).is_active, true);
		await assertEnded(token, TABLE_PATHS);
		assertOk(await tableLogin(store, 0), 200);
	});
	succeeds('all at once, with one event', async () => {
		const store = await newStore(stack);
		const [table] = store.tables;
		assertOk(await as(store, 'PATCH', `${TABLES}/${table.table_id}`, { table_number: 'B', password: 'p', is_active: false }), 200);
		assert.deepEqual((await events(store, 'AccountRevoked')).map((e) => e.gen), [1]);
		assertOk(await as(store, 'PATCH', `${TABLES}/${table.table_id}`, { is_active: true }), 200);
		table.table_number = 'B';
		assertOk(await tableLogin(store, 0, 'p'), 200);
	});
	refuses('a number that another table has, ending nothing', async () => {
		const store = await newStore(stack);
		assertError(await as(store, 'PATCH', `${TABLES}/${store.tables[0].table_id}`, { table_number: 'T-2', password: 'p' }), 409, 'TABLE_NUMBER_TAKEN');
		assertOk(await client.get('/api/customer/orders', { token: store.tables[0].token }), 200);
		assertOk(await tableLogin(store, 0), 200);
	});
	refuses('tables that are not there, are deleted, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		assertOk(await as(store, 'DELETE', `${TABLES}/${store.tables[1].table_id}`), 204);
		for (const id of [store.tables[1].table_id, other.tables[0].table_id, 999999999, ...NO_IDS])
			assertError(await as(store, 'PATCH', `${TABLES}/${id}`, { table_number: 'X', password: 'p', is_active: false }), 404, 'TABLE_NOT_FOUND');
		assertOk(await client.get('/api/customer/orders', { token: other.tables[0].token }), 200);
	});
	refuses('fields that are not right, changing nothing', async () => {
		const store = await newStore(stack);
		const path = `${TABLES}/${store.tables[0].table_id}`;
		/** @type {Record<string, any[]>} */
		const bad = { table_number: [...noText(20), ' ', ' 1', '1 '], password: [...noText(72), '가'.repeat(25), `${LONG}d`], is_active: ['true', 0, 1, [], {}] };
		for (const [field, values] of Object.entries(bad))
			for (const value of values)
				assertInvalid(await as(store, 'PATCH', path, { [field]: value }), field);
		for (const raw of NO_BODIES)
			assertError(await store.client.patch(path, { token: store.admin.token, raw }), 400, 'INVALID_REQUEST');
		assertOk(await client.get('/api/customer/orders', { token: store.tables[0].token }), 200);
		assert.equal(assertOk(await as(store, 'GET', TABLES), 200).data[0].table_number, 'T-1');
	});
});

route('DELETE /api/admin/tables/{table_id}', ({ succeeds, refuses }) => {
	succeeds('one, ending its tokens and stream; its number is free again', async () => {
		const store = await newStore(stack);
		const [{ table_id, token }] = store.tables;
		await warm(token, '/api/customer/menus');
		const gone = await streams.open(TABLE_STREAM, { token, retryMs: 10 });
		const answer = await as(store, 'DELETE', `${TABLES}/${table_id}`);
		assertOk(answer, 204);
		assert.equal(answer.text, '');
		await assertEnded(token, TABLE_PATHS);
		await assertRevoked(gone);
		assertError(await tableLogin(store, 0), 401, 'INVALID_CREDENTIALS');
		assertError(await as(store, 'DELETE', `${TABLES}/${table_id}`), 404, 'TABLE_NOT_FOUND');
		const next = assertOk(await as(store, 'POST', TABLES, { table_number: 'T-1', password: 'p' }), 201);
		assert.notEqual(next.id, table_id);
		assertOk(await tableLogin(store, 0, 'p'), 200);
		await assertEnded(token, TABLE_PATHS);
		assert.deepEqual((await events(store, 'AccountRevoked')).map((e) => [e.subject, e.gen, e.table_id]), [[`table:${table_id}`, 1, table_id]]);
	});
	refuses('one whose party is still there, until that is completed', async () => {
		const store = await newStore(stack);
		const [{ table_id, token }] = store.tables;
		await store.order(0);
		assertError(await as(store, 'DELETE', `${TABLES}/${table_id}`), 409, 'TABLE_IN_USE');
		assertOk(await client.get('/api/customer/orders', { token }), 200);
		assertOk(await as(store, 'POST', `${TABLES}/${table_id}/complete-session`), 200);
		assertOk(await as(store, 'DELETE', `${TABLES}/${table_id}`), 204);
	});
	refuses('tables that are not there, or another store\'s', async () => {
		const [store, other] = [await newStore(stack), await newStore(stack)];
		for (const id of [other.tables[0].table_id, 999999999, ...NO_IDS])
			assertError(await as(store, 'DELETE', `${TABLES}/${id}`), 404, 'TABLE_NOT_FOUND');
		assertOk(await client.get('/api/customer/orders', { token: other.tables[0].token }), 200);
	});
});

describe('a token that has ended', () => {
	test('hears nothing of what the database would have said', async () => {
		const store = await newStore(stack);
		assertOk(await store.client.post('/api/auth/logout', { token: store.admin.token }), 204);
		/** @type {[string, string, unknown][]} each of which is refused for another reason */
		const refused = [
			['POST', TABLES, { table_number: store.tables[0].table_number, password: 'x' }],
			['POST', '/api/admin/menus', { category_id: 999999999, name: 'm', price: 1 }],
			['POST', '/api/admin/categories', { name: store.categories[0].name }],
			['PATCH', `${TABLES}/${store.tables[0].table_id}`, { table_number: store.tables[1].table_number }],
			['PATCH', '/api/admin/menus/reorder', { items: [{ id: 999999999, display_order: 1 }] }],
		];
		for (const [method, path, body] of refused)
			assertError(await as(store, method, path, body), 401, 'TOKEN_INVALID');
	});
});

describe('a table that is deleted while its guests order', () => {
	test('is either in use or takes no order', async () => {
		const store = await newStore(stack, { tables: 8 });
		await Promise.all(store.tables.map(async ({ table_id, token }, i) => {
			const order = () => client.post('/api/customer/orders', { token, body: { items: [{ menu_id: store.menus[0].id, quantity: 1 }] } });
			const first = i % 2 === 0 ? order() : undefined;
			const [gone, ordered] = await Promise.all([as(store, 'DELETE', `${TABLES}/${table_id}`), first ?? order()]);
			assert.ok((gone.status === 204 && ordered.status === 401) || (gone.status === 409 && ordered.status === 201), `${gone.status} ${ordered.status}`);
		}));
		assert.equal(await store.sql("select count(*) from orders o join dining_tables t on t.id = o.table_id where o.store_id = :'store' and t.deleted_at is not null"), '0');
	});
});
