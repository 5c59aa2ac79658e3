/**
 * Who may use a route, for every route that a program prints: a table of routes against every kind of token that is not
 * good enough, and against the ids of another store. A route without a row here fails.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { altered, decode, encode, publicPem, signHs256, signRs256 } from './lib/token.mjs';

const stack = sharedStack();
const client = new Client(stack);
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

/**
 * Ids of a store, by their names in paths, and what else bodies need.
 * @typedef {{store_id: string, order_id: number, menu_id: number, category_id: number, table_id: number, session_id: number, admin_id: number}} Ids
 * Who may use a route (nobody: everybody may); a body that would do; what is answered when an id in the path is not
 * there; and where else an id may stand, with what is answered then.
 * @typedef {{roles: string[], body?: (ids: Ids) => any, absent?: string, elsewhere?: {query?: (ids: Ids) => string, body?: (ids: Ids, own: Ids) => any, answer: string}[]}} Row
 */

const ALL = [], TABLE = ['table'], STORE = ['store_admin'], SUPER = ['super_admin'];
const menuBody = (/** @type {Ids} */ i) => ({ category_id: i.category_id, name: '훔친 메뉴', price: 1 });
const reorder = (/** @type {number} */ id) => ({ items: [{ id, display_order: 7 }] });

/** @type {Record<string, Row>} */
const ROWS = {
	'POST /api/customer/auth/login': { roles: ALL },
	'POST /api/admin/auth/login': { roles: ALL },
	'POST /api/superadmin/auth/login': { roles: ALL },
	'POST /api/auth/logout': { roles: ['table', 'store_admin', 'super_admin'] },
	'GET /api/auth/jwks.json': { roles: ALL },
	'GET /health': { roles: ALL },
	'GET /metrics': { roles: ALL },
	'GET /docs': { roles: ALL },

	'GET /api/customer/categories': { roles: TABLE },
	'GET /api/customer/menus': { roles: TABLE, elsewhere: [{ query: (i) => `category_id=${i.category_id}`, answer: '200' }] },
	'GET /api/customer/menus/{menu_id}': { roles: TABLE, absent: '404 MENU_NOT_FOUND' },
	'POST /api/customer/orders': { roles: TABLE, body: (i) => ({ items: [{ menu_id: i.menu_id, quantity: 1 }] }),
		elsewhere: [{ body: (i) => ({ items: [{ menu_id: i.menu_id, quantity: 1 }] }), answer: '409 ORDER_ITEMS_UNAVAILABLE' }] },
	'GET /api/customer/orders': { roles: TABLE },
	'GET /api/customer/orders/{order_id}': { roles: TABLE, absent: '404 ORDER_NOT_FOUND' },
	'GET /api/customer/orders/stream': { roles: TABLE },

	'GET /api/admin/orders': { roles: STORE, elsewhere: [{ query: (i) => `table_id=${i.table_id}`, answer: '200' }] },
	'GET /api/admin/orders/{order_id}': { roles: STORE, absent: '404 ORDER_NOT_FOUND' },
	'GET /api/admin/board': { roles: STORE },
	'GET /api/admin/orders/stream': { roles: STORE },
	'PATCH /api/admin/orders/{order_id}/status': { roles: STORE, body: () => ({ status: 'preparing' }), absent: '404 ORDER_NOT_FOUND' },
	'DELETE /api/admin/orders/{order_id}': { roles: STORE, absent: '404 ORDER_NOT_FOUND' },
	'POST /api/admin/tables/{table_id}/complete-session': { roles: STORE, absent: '404 TABLE_NOT_FOUND',
		elsewhere: [{ body: (i) => ({ table_session_id: i.session_id }), answer: '404 SESSION_NOT_FOUND' }] },
	'GET /api/admin/tables/{table_id}/order-history': { roles: STORE, absent: '404 TABLE_NOT_FOUND' },
	'GET /api/admin/order-history': { roles: STORE, elsewhere: [{ query: (i) => `table_id=${i.table_id}`, answer: '404 TABLE_NOT_FOUND' }] },

	'GET /api/admin/menus': { roles: STORE, elsewhere: [{ query: (i) => `category_id=${i.category_id}`, answer: '200' }] },
	'POST /api/admin/menus': { roles: STORE, body: menuBody, elsewhere: [{ body: menuBody, answer: '404 CATEGORY_NOT_FOUND' }] },
	'PATCH /api/admin/menus/reorder': { roles: STORE, body: (i) => reorder(i.menu_id), elsewhere: [{ body: (i) => reorder(i.menu_id), answer: '404 MENU_NOT_FOUND' }] },
	'GET /api/admin/menus/{menu_id}': { roles: STORE, absent: '404 MENU_NOT_FOUND' },
	'PATCH /api/admin/menus/{menu_id}': { roles: STORE, body: () => ({ price: 1 }), absent: '404 MENU_NOT_FOUND',
		elsewhere: [{ body: (i) => ({ category_id: i.category_id }), answer: '404 CATEGORY_NOT_FOUND' }] },
	'DELETE /api/admin/menus/{menu_id}': { roles: STORE, absent: '404 MENU_NOT_FOUND' },
	'GET /api/admin/categories': { roles: STORE },
	'POST /api/admin/categories': { roles: STORE, body: () => ({ name: '훔친 분류' }) },
	'PATCH /api/admin/categories/reorder': { roles: STORE, body: (i) => reorder(i.category_id), elsewhere: [{ body: (i) => reorder(i.category_id), answer: '404 CATEGORY_NOT_FOUND' }] },
	'PATCH /api/admin/categories/{category_id}': { roles: STORE, body: () => ({ name: '훔친 분류' }), absent: '404 CATEGORY_NOT_FOUND' },
	'DELETE /api/admin/categories/{category_id}': { roles: STORE, absent: '404 CATEGORY_NOT_FOUND' },

	'GET /api/admin/tables': { roles: STORE },
	'POST /api/admin/tables': { roles: STORE, body: () => ({ table_number: 'X', password: 'x' }) },
	'PATCH /api/admin/tables/{table_id}': { roles: STORE, body: () => ({ table_number: 'X' }), absent: '404 TABLE_NOT_FOUND' },
	'DELETE /api/admin/tables/{table_id}': { roles: STORE, absent: '404 TABLE_NOT_FOUND' },

	'GET /api/superadmin/stores': { roles: SUPER },
	'POST /api/superadmin/stores': { roles: SUPER, body: () => ({ code: `stolen-${process.pid}`, name: 'x' }) },
	'PATCH /api/superadmin/stores/{store_id}': { roles: SUPER, body: () => ({ name: 'x' }) },
	'GET /api/superadmin/admins': { roles: SUPER },
	'POST /api/superadmin/admins': { roles: SUPER, body: (i) => ({ store_id: i.store_id, username: `stolen-${process.pid}`, password: 'x' }) },
	'PATCH /api/superadmin/admins/{admin_id}/activate': { roles: SUPER },
	'PATCH /api/superadmin/admins/{admin_id}/deactivate': { roles: SUPER },
	'PATCH /api/superadmin/admins/{admin_id}/password': { roles: SUPER, body: () => ({ password: 'x' }) },
};

/** Ids that nothing has. @type {Ids} */
const NOTHING = { store_id: '00000000-0000-4000-8000-000000000000', order_id: 987654321, menu_id: 987654321, category_id: 987654321, table_id: 987654321, session_id: 987654321, admin_id: 987654321 };

/** @type {Record<string, string>} a good token of each role */
const tokens = {};
/** @type {Record<string, string>} a token of each role that logged out */
const revoked = {};
/** @type {import('./lib/store.mjs').Store} */
let store;
/** @type {import('./lib/store.mjs').Store} */
let other;
/** @type {Ids} */
let own;
/** @type {Ids} */
let foreign;

/** @param {import('./lib/store.mjs').Store} s A store's ids, of things that are all there. @returns {Promise<Ids>} */
async function idsOf(s) {
	const order = await s.order(0);
	return { store_id: s.store_id, order_id: order.id, menu_id: s.menus[5].id, category_id: s.categories[0].id, table_id: s.tables[0].table_id, session_id: order.table_session_id, admin_id: s.admin.admin_id };
}

async function superLogin() {
	return assertOk(await new Client(stack).post('/api/superadmin/auth/login', { body: stack.info.super_admin }), 200).access_token;
}

before(async () => {
	[store, other] = [await newStore(stack), await newStore(stack)];
	[own, foreign] = [await idsOf(store), await idsOf(other)];
	Object.assign(revoked, { table: store.tables[0].token, store_admin: store.admin.token, super_admin: await superLogin() });
	await store.everybodyLogin();
	Object.assign(tokens, { table: store.tables[0].token, store_admin: store.admin.token, super_admin: await superLogin() });
	for (const token of Object.values(revoked))
		assertOk(await client.post('/api/auth/logout', { token }), 204);
});

/** All that a store has, as one word. @param {import('./lib/store.mjs').Store} s */
const fingerprint = (s) => s.sql(`select md5(string_agg(line, ' ' order by line)) from (
	select t::text as line from stores t where id = :'store'
	${['admins', 'dining_tables', 'table_sessions', 'menu_categories', 'menus', 'orders', 'order_items', 'order_history', 'store_counters']
		.map((t) => `union all select t::text from ${t} t where store_id = :'store'`).join('\n\t')}) all_of_it`);

/** @param {string} token A role's token as attackers have it, and the answers. @returns {[what: string, headers: Record<string, string>, code: string][]} */
function badTokens(token) {
	const { header, claims, signature } = decode(token);
	const now = Math.floor(Date.now() / 1000);
	/** @type {Record<string, string>} */
	const forged = {
		'garbage': 'x',
		'three parts of garbage': 'a.b.c',
		'two parts': `${encode(header)}.${encode(claims)}`,
		'alg none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
		'alg none with a signature': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.${signature}`,
		'HS256 signed with the public key': signHs256({ ...header, alg: 'HS256' }, claims, publicPem(stack)),
		'another key with our kid': signRs256(header, claims, stranger),
		'altered role': `${encode(header)}.${encode({ ...claims, role: 'super_admin', x: 1 })}.${signature}`,
		'altered subject': `${encode(header)}.${encode({ ...claims, sub: claims.sub.replace(/\d+$/, '1'), x: 1 })}.${signature}`,
		'altered store': `${encode(header)}.${encode({ ...claims, store_id: other.store_id })}.${signature}`,
		'altered expiry': `${encode(header)}.${encode({ ...claims, exp: claims.exp + 1 })}.${signature}`,
		'altered signature': `${token.slice(0, -6)}AAAAAA`,
		'wrong kid': altered(stack, token, {}, { kid: 'x' }),
		'no kid': altered(stack, token, {}, { kid: undefined }),
		'another generation': altered(stack, token, { gen: claims.gen + 1 }),
		'revoked': revoked[claims.role],
	};
	return [
		...Object.entries(forged).map(([what, bad]) => /** @type {[string, Record<string, string>, string]} */ ([what, { Authorization: `Bearer ${bad}` }, 'TOKEN_INVALID'])),
		['expired', { Authorization: `Bearer ${altered(stack, token, { iat: now - 57600, exp: now - 1 })}` }, 'TOKEN_EXPIRED'],
		['empty', { Authorization: 'Bearer ' }, 'TOKEN_INVALID'],
		['another scheme', { Authorization: `Basic ${token}` }, 'TOKEN_INVALID'],
		['none', {}, 'TOKEN_MISSING'],
		['in a cookie of another name', { Cookie: `token=${token}; access_token=${token}` }, 'TOKEN_MISSING'],
	];
}

for (const { method, pattern, roles } of stack.routes()) {
	const name = `${method} ${pattern}`;
	const row = ROWS[name];
	describe(name, () => {
		const path = (/** @type {Ids} */ ids) => pattern.replace(/\{(\w+)\}/g, (_, id) => String(ids[/** @type {keyof Ids} */ (id)] ?? assert.fail(`no ${id} here`)));
		const ask = (/** @type {Ids} */ ids, /** @type {Record<string, string>} */ headers, /** @type {any} */ body = row.body?.(own)) => client.api(method, path(ids), { headers, body });

		test('has a row that says what the program says', () => {
			assert.ok(row !== undefined, 'no row in ROWS');
			assert.deepEqual([...roles].sort(), [...row.roles].sort());
			const tenant = /\{(order|menu|category|table)_id\}/.test(pattern);
			assert.equal(row.absent !== undefined, tenant, 'what is answered to ids of another store?');
		});
		if (row === undefined)
			return;
		if (row.roles.length === 0) {
			test('is the same for whatever token', async () => {
				const headers = { 'X-Forwarded-For': '127.0.0.1' };
				const plain = await client.api(method, path(own), { headers, body: method === 'POST' ? {} : undefined });
				for (const bad of ['x', 'a.b.c', revoked.table]) {
					const answer = await client.api(method, path(own), { headers, token: bad, body: method === 'POST' ? {} : undefined });
					assert.deepEqual([answer.status, answer.json?.error?.code], [plain.status, plain.json?.error?.code]);
				}
				assert.ok(plain.status !== 401 && plain.status !== 403, plain.text);
			});
			return;
		}
		test('refuses every token that is not good', async () => {
			const before = [await fingerprint(store), await fingerprint(other)];
			for (const role of row.roles)
				await Promise.all(badTokens(tokens[role]).map(async ([what, headers, code]) => {
					const answer = await ask(own, headers);
					assert.deepEqual([answer.status, answer.json?.error?.code], [401, code], `${role}, ${what}: ${answer.text}`);
					assertError(answer, 401, code);
				}));
			assert.deepEqual([await fingerprint(store), await fingerprint(other)], before);
		});
		test('refuses the other roles', async () => {
			const before = [await fingerprint(store), await fingerprint(other)];
			for (const role of Object.keys(tokens).filter((r) => !row.roles.includes(r)))
				assertError(await ask(own, { Authorization: `Bearer ${tokens[role]}` }), 403, 'FORBIDDEN');
			assert.deepEqual([await fingerprint(store), await fingerprint(other)], before);
		});
		if (row.absent === undefined && row.elsewhere === undefined)
			return;
		test('takes another store\'s ids for ids that do not exist', async () => {
			const before = [await fingerprint(store), await fingerprint(other)];
			const headers = { Authorization: `Bearer ${tokens[row.roles[0]]}` };
			const said = (/** @type {import('./lib/client.mjs').Answer} */ a) => [a.status, a.json?.error?.code].filter(Boolean).join(' ');
			for (const ids of row.absent === undefined ? [] : [foreign, NOTHING])
				assert.equal(said(await ask(ids, headers)), row.absent, `${ids === foreign ? 'another store\'s' : 'unknown'} id in the path`);
			for (const place of row.elsewhere ?? []) {
				const answers = [];
				for (const ids of [foreign, NOTHING]) {
					const query = place.query === undefined ? '' : `?${place.query(ids)}`;
					answers.push(await client.api(method, path(own) + query, { headers, body: place.body?.(ids, own) }));
					assert.equal(said(answers[answers.length - 1]), place.answer);
				}
				assert.deepEqual(answers[0].json.data, answers[1].json.data);
				assert.deepEqual(answers[0].json.data ?? [], []);
			}
			assert.deepEqual([await fingerprint(store), await fingerprint(other)], before);
		});
	});
}

describe('the table of routes', () => {
	test('has no row without a route', () => {
		const printed = stack.routes().map((r) => `${r.method} ${r.pattern}`);
		assert.deepEqual(Object.keys(ROWS).filter((name) => !printed.includes(name)), []);
		assert.equal(new Set(printed).size, printed.length, 'a route is printed twice');
	});
});
