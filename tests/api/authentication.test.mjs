/** Logins, logout, and what a token is worth. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, createVerify, randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { Client, assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { route } from './lib/route.mjs';
import { sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { altered, decode, forgeries } from './lib/token.mjs';

const stack = sharedStack();
const LOGINS = { table: '/api/customer/auth/login', admin: '/api/admin/auth/login', owner: '/api/superadmin/auth/login' };

/** Somebody at an address of their own. */
const client = () => new Client(stack);

/** @param {string} password of at most 72 bytes */
function bcrypt(password) {
	return execFileSync('perl', ['-e', 'print crypt($ARGV[0], q($2b$04$).q(abcdefghijklmnopqrstuu))', password], { encoding: 'utf8' });
}

/** @param {import('./lib/store.mjs').Store} store */
function tableBody(store) {
	return { store_id: store.store_id, table_number: store.tables[0].table_number, password: store.tables[0].password };
}

/** @param {import('./lib/store.mjs').Store} store */
function adminBody(store) {
	return { store_id: store.store_id, username: store.admin.username, password: store.admin.password };
}

/** @param {any} token @param {any} expected */
function assertClaims(token, expected) {
	const { header, claims } = decode(token);
	assert.equal(header.alg, 'RS256');
	assert.match(header.kid, /^[\w-]{43}$/);
	assert.match(claims.jti, /^[\w-]{16,}$/);
	assert.equal(claims.exp - claims.iat, 57600);
	assert.ok(Math.abs(claims.iat - Date.now() / 1000) < 60);
	assert.equal(typeof claims.gen, 'number');
	for (const [name, value] of Object.entries(expected))
		assert.equal(claims[name], value, name);
}

/** @param {import('./lib/client.mjs').Answer} answer @param {string | null} path null: no cookie */
function assertCookie(answer, path) {
	const cookies = answer.headers['set-cookie'] ?? [];
	if (path === null) {
		assert.deepEqual(cookies, []);
		return;
	}
	assert.equal(cookies.length, 1);
	const [pair, ...attributes] = cookies[0].split(/; */);
	assert.equal(pair.slice(pair.indexOf('=') + 1), answer.json.access_token);
	assert.ok(attributes.includes('HttpOnly'));
	assert.ok(attributes.includes('SameSite=Strict'));
	assert.ok(attributes.includes(`Path=${path}`));
	assert.ok(!attributes.includes('Secure'), 'over http there is nothing secure');
}

route('POST /api/customer/auth/login', ({ succeeds, refuses }) => {
	succeeds('by store_id and by store_code, in any case of letters', async () => {
		const store = await newStore(stack, { login: false });
		const { store_id, ...rest } = tableBody(store);
		for (const by of [{ store_id }, { store_code: store.store_code }, { store_code: store.store_code.toUpperCase() }]) {
			const answer = await client().post(LOGINS.table, { body: { ...by, ...rest } });
			const json = assertOk(answer, 200);
			const { access_token, ...facts } = json;
			assert.deepEqual(facts, {
				token_type: 'Bearer', expires_in: 57600, role: 'table',
				store: { id: store_id, code: store.store_code, name: `시험 매장 ${store.store_code}`, currency: 'KRW', time_zone: 'Asia/Seoul', business_day_start: '05:00' },
				store_id, table_id: store.tables[0].table_id, table_number: 'T-1',
			});
			assertClaims(access_token, { sub: `table:${store.tables[0].table_id}`, role: 'table', store_id, table_id: store.tables[0].table_id, gen: 0 });
			assertCookie(answer, '/api/customer/orders/stream');
			assert.match(String(answer.headers['cache-control']), /no-store/);
		}
	});
	refuses('whatever is wrong alike', async () => {
		const store = await newStore(stack, { login: false });
		const good = tableBody(store);
		await store.sql('update dining_tables set deleted_at = now() where id = :id', { id: store.tables[1].table_id });
		const { store_id, ...rest } = good;
		const messages = new Set();
		for (const body of [{ ...good, password: 'wrong' }, { ...good, table_number: 'nobody' }, { ...good, store_id: randomUUID() },
			{ ...rest, store_code: 'no-such-store' }, { ...good, table_number: store.tables[1].table_number }])
			messages.add(assertError(await client().post(LOGINS.table, { body }), 401, 'INVALID_CREDENTIALS').message);
		assert.equal(messages.size, 1);
	});
	refuses('inactive tables and stores, to those who know the password', async () => {
		const store = await newStore(stack, { login: false });
		const body = tableBody(store);
		await store.sql('update dining_tables set is_active = false where id = :id', { id: store.tables[0].table_id });
		assertError(await client().post(LOGINS.table, { body }), 403, 'ACCOUNT_INACTIVE');
		assertError(await client().post(LOGINS.table, { body: { ...body, password: 'wrong' } }), 401, 'INVALID_CREDENTIALS');
		await store.sql("update dining_tables set is_active = true where store_id = :'store'; update stores set is_active = false where id = :'store'");
		const answer = await client().post(LOGINS.table, { body });
		assertError(answer, 403, 'ACCOUNT_INACTIVE');
		assertCookie(answer, null);
	});
	refuses('bodies that are not right, naming the field', async () => {
		const store = await newStore(stack, { login: false });
		const good = tableBody(store);
		const bad = {
			password: [undefined, null, 1, '', {}, 'x'.repeat(73), '가'.repeat(25), 'nul\u0000'],
			table_number: [undefined, null, 7, '', [], 'a\u0000b', 'x'.repeat(1000)],
			store_id: [5, 'no-uuid', '', {}],
		};
		for (const [field, values] of Object.entries(bad))
			for (const value of values)
				assertInvalid(await client().post(LOGINS.table, { body: { ...good, [field]: value } }), field);
		const { store_id, ...nowhere } = good;
		assertError(await client().post(LOGINS.table, { body: nowhere }), 400, 'INVALID_REQUEST');
		assertInvalid(await client().post(LOGINS.table, { body: { ...nowhere, store_code: 12 } }), 'store_code');
		for (const raw of ['', '[]', 'null', '"x"', '{', '{"a":1}x', 'not json'])
			assertError(await client().post(LOGINS.table, { raw }), 400, 'INVALID_REQUEST');
		assertError(await client().post(LOGINS.table, { raw: JSON.stringify(good), headers: { 'Content-Type': 'text/plain' } }), 415, 'UNSUPPORTED_MEDIA_TYPE');
	});
	succeeds('with a password of 72 bytes, of which each counts', async () => {
		const store = await newStore(stack, { login: false });
		const password = `${'가'.repeat(23)}abc`;
		assert.equal(Buffer.byteLength(password), 72);
		await store.sql("update dining_tables set password_hash = :'hash' where id = :id", { hash: bcrypt(password), id: store.tables[0].table_id });
		const body = { ...tableBody(store), password };
		assertOk(await client().post(LOGINS.table, { body }), 200);
		assertError(await client().post(LOGINS.table, { body: { ...body, password: `${'가'.repeat(23)}abd` } }), 401, 'INVALID_CREDENTIALS');
		assertInvalid(await client().post(LOGINS.table, { body: { ...body, password: `${password}d` } }), 'password');
	});
});

route('POST /api/admin/auth/login', ({ succeeds, refuses }) => {
	succeeds('by store_id and by store_code, the name in any case of letters', async () => {
		const store = await newStore(stack, { login: false });
		const { store_id, ...rest } = adminBody(store);
		for (const body of [{ store_id, ...rest }, { store_code: store.store_code, ...rest }, { store_id, ...rest, username: rest.username.toUpperCase() }]) {
			const answer = await client().post(LOGINS.admin, { body });
			const json = assertOk(answer, 200);
			assert.deepEqual([json.role, json.store_id, json.store.id, json.admin_id, json.token_type, json.expires_in],
				['store_admin', store_id, store_id, store.admin.admin_id, 'Bearer', 57600]);
			assertClaims(json.access_token, { sub: `admin:${store.admin.admin_id}`, role: 'store_admin', store_id, table_id: undefined });
			assertCookie(answer, '/api/admin/orders/stream');
		}
	});
	refuses('whatever is wrong alike', async () => {
		const [store, other] = [await newStore(stack, { login: false }), await newStore(stack, { login: false })];
		const good = adminBody(store);
		for (const body of [{ ...good, password: 'wrong' }, { ...good, username: 'nobody' }, { ...good, store_id: randomUUID() },
			{ ...good, store_id: other.store_id }, { ...good, username: stack.info.super_admin.username, password: stack.info.super_admin.password }])
			assertError(await client().post(LOGINS.admin, { body }), 401, 'INVALID_CREDENTIALS');
	});
	refuses('inactive admins', async () => {
		const store = await newStore(stack, { login: false });
		await store.sql('update admins set is_active = false where id = :id', { id: store.admin.admin_id });
		assertError(await client().post(LOGINS.admin, { body: adminBody(store) }), 403, 'ACCOUNT_INACTIVE');
	});
	refuses('bodies that are not right, naming the field', async () => {
		const good = { store_code: 'demo1', username: 'x', password: 'y' };
		assertInvalid(await client().post(LOGINS.admin, { body: { ...good, username: undefined } }), 'username');
		assertInvalid(await client().post(LOGINS.admin, { body: { ...good, username: 3 } }), 'username');
		assertInvalid(await client().post(LOGINS.admin, { body: { ...good, password: true } }), 'password');
	});
});

route('POST /api/superadmin/auth/login', ({ succeeds, refuses }) => {
	succeeds('with neither store nor cookie', async () => {
		const answer = await client().post(LOGINS.owner, { body: stack.info.super_admin });
		const json = assertOk(answer, 200);
		assert.equal(json.role, 'super_admin');
		assert.ok(!('store' in json) && !('store_id' in json));
		assertClaims(json.access_token, { sub: `admin:${json.admin_id}`, role: 'super_admin', store_id: undefined });
		assertCookie(answer, null);
	});
	refuses('wrong passwords, and store admins', async () => {
		const store = await newStore(stack, { login: false });
		assertError(await client().post(LOGINS.owner, { body: { ...stack.info.super_admin, password: 'no' } }), 401, 'INVALID_CREDENTIALS');
		assertError(await client().post(LOGINS.owner, { body: { username: store.admin.username, password: store.admin.password } }), 401, 'INVALID_CREDENTIALS');
	});
	refuses('bodies that are not right, naming the field', async () => {
		assertInvalid(await client().post(LOGINS.owner, { body: { password: 'x' } }), 'username');
		assertInvalid(await client().post(LOGINS.owner, { body: { username: 'x' } }), 'password');
	});
});

route('POST /api/auth/logout', ({ succeeds, refuses }) => {
	succeeds('revoking this one token, for every role', async () => {
		const store = await newStore(stack, { tables: 1 });
		const second = await newStore(stack, { login: false, tables: 1 });
		const owner = assertOk(await client().post(LOGINS.owner, { body: stack.info.super_admin }), 200).access_token;
		const sibling = assertOk(await client().post(LOGINS.table, { body: tableBody(store) }), 200).access_token;
		assert.ok(second);
		for (const [token, path, name] of [[store.tables[0].token, '/api/customer/orders', 'customer'], [store.admin.token, '/api/admin/board', 'admin'], [owner, undefined, undefined]]) {
			const answer = await client().post('/api/auth/logout', { token });
			assertOk(answer, 204);
			assert.equal(answer.text, '');
			if (name !== undefined)
				assert.match(String(answer.headers['set-cookie']), new RegExp(`^table_order_${name}_stream=; Path=/api/${name}/orders/stream; Max-Age=0;`));
			if (path !== undefined)
				assertError(await client().get(path, { token }), 401, 'TOKEN_INVALID');
			assertError(await client().post('/api/auth/logout', { token }), 401, 'TOKEN_INVALID');
		}
		assertOk(await client().get('/api/customer/orders', { token: sibling }), 200);
	});
	succeeds('also for answers that Redis would have', async () => {
		const store = await newStore(stack, { tables: 1 });
		const { token } = store.tables[0];
		for (let i = 0; i < 3; i++)
			assertOk(await client().get('/api/customer/menus', { token }), 200);
		assertOk(await client().post('/api/auth/logout', { token }), 204);
		assertError(await client().get('/api/customer/menus', { token }), 401, 'TOKEN_INVALID');
	});
	refuses('without a token', async () => {
		assertError(await client().post('/api/auth/logout'), 401, 'TOKEN_MISSING');
	});
});

route('GET /api/auth/jwks.json', ({ succeeds, refuses }) => {
	succeeds('with a key that verifies a token', async () => {
		const answer = await client().get('/api/auth/jwks.json');
		const { keys } = assertOk(answer, 200);
		const token = assertOk(await client().post(LOGINS.owner, { body: stack.info.super_admin }), 200).access_token;
		const [header, claims, signature] = token.split('.');
		const jwk = keys.find((/** @type {any} */ key) => key.kid === decode(token).header.kid);
		assert.deepEqual([jwk.kty, jwk.alg, jwk.use], ['RSA', 'RS256', 'sig']);
		assert.ok(!('d' in jwk), 'the private half');
		assert.ok(createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(createPublicKey({ key: jwk, format: 'jwk' }), signature, 'base64url'));
	});
	refuses('paths below it', async () => {
		assertError(await client().get('/api/auth/jwks.json/x'), 404, 'NOT_FOUND');
	});
});

describe('a token', () => {
	/** @type {import('./lib/store.mjs').Store} */
	let store;
	/** @type {import('./lib/store.mjs').Store} */
	let other;

	before(async () => {
		store = await newStore(stack, { tables: 2 });
		other = await newStore(stack, { tables: 1 });
	});

	/** Both a route that may be answered from Redis, and one that never is. @param {string} token @param {string} code */
	async function assertRefused(token, code) {
		for (const path of ['/api/customer/menus', '/api/customer/orders'])
			assertError(await client().get(path, { token }), 401, code);
	}

	test('that is forged is worth nothing', async () => {
		for (const [what, token] of Object.entries(forgeries(stack, store.tables[0].token))) {
			const answer = await client().get('/api/customer/orders', { token });
			assert.equal(answer.json?.error?.code, 'TOKEN_INVALID', `${what}: ${answer.status} ${answer.text}`);
			assertError(answer, 401, 'TOKEN_INVALID');
		}
	});
	test('that our own key signed must still have the right claims', async () => {
		const { token, table_id } = store.tables[0];
		assertOk(await client().get('/api/customer/orders', { token: altered(stack, token, {}) }), 200);
		const bad = [{ role: 'waiter' }, { role: 'store_admin' }, { sub: 'table:0' }, { sub: `table:${table_id}x` }, { sub: `admin:${table_id}` }, { sub: table_id },
			{ store_id: undefined }, { store_id: 'x' }, { store_id: other.store_id }, { table_id: store.tables[1].table_id }, { table_id: undefined }, { table_id: String(table_id) },
			{ gen: undefined }, { gen: 1 }, { gen: '0' }, { gen: -1 }, { exp: undefined }, { exp: 'never' }, { exp: 1e300 }, { jti: undefined }, { jti: '' },
			{ iat: undefined }, { iat: Math.floor(Date.now() / 1000) + 3600 }];
		for (const claims of bad) {
			const answer = await client().get('/api/customer/orders', { token: altered(stack, token, claims) });
			assert.equal(answer.json?.error?.code, 'TOKEN_INVALID', `${JSON.stringify(claims)}: ${answer.status} ${answer.text}`);
		}
		for (const header of [{ kid: 'x' }, { kid: undefined }, { kid: '../../etc/passwd' }, { alg: 'RS512' }, { alg: undefined }])
			assertError(await client().get('/api/customer/orders', { token: altered(stack, token, {}, header) }), 401, 'TOKEN_INVALID');
	});
	test('whose time is over says so', async () => {
		const now = Math.floor(Date.now() / 1000);
		await assertRefused(altered(stack, store.tables[0].token, { iat: now - 57600, exp: now - 1 }), 'TOKEN_EXPIRED');
	});
	test('of another store does not fit into this one', async () => {
		const strange = altered(stack, store.tables[0].token, { store_id: other.store_id });
		await assertRefused(strange, 'TOKEN_INVALID');
	});
	test('needs the scheme Bearer', async () => {
		for (const Authorization of ['Basic eDp5', store.tables[0].token, 'Bearer', 'Bearer ', ''])
			assert.equal((await client().get('/api/customer/orders', { headers: { Authorization } })).status, 401, Authorization);
		assertOk(await client().get('/api/customer/orders', { headers: { Authorization: `bearer ${store.tables[0].token}` } }), 200);
	});
	test('in a cookie opens streams only', async () => {
		assertError(await client().get('/api/customer/orders', { headers: { Cookie: store.tables[0].cookie } }), 401, 'TOKEN_MISSING');
	});
	test('ends with its account: generation, activity, store', async () => {
		const victim = await newStore(stack, { tables: 3 });
		const tokens = victim.tables.map((table) => table.token);
		await victim.sql('update dining_tables set token_generation = token_generation + 1 where id = :id', { id: victim.tables[0].table_id });
		await victim.sql('update dining_tables set is_active = false where id = :id', { id: victim.tables[1].table_id });
		assertError(await client().get('/api/customer/orders', { token: tokens[0] }), 401, 'TOKEN_INVALID');
		assertError(await client().get('/api/customer/orders', { token: tokens[1] }), 401, 'TOKEN_INVALID');
		assertOk(await client().get('/api/customer/orders', { token: tokens[2] }), 200);
		assertOk(await client().get('/api/admin/board', { token: victim.admin.token }), 200);
		await victim.sql("update stores set is_active = false where id = :'store'");
		assertError(await client().get('/api/customer/orders', { token: tokens[2] }), 401, 'TOKEN_INVALID');
		assertError(await client().get('/api/admin/board', { token: victim.admin.token }), 401, 'TOKEN_INVALID');
		assertError(await client().post('/api/customer/orders', { token: tokens[2], body: { items: [{ menu_id: victim.menus[0].id, quantity: 1 }] } }), 401, 'TOKEN_INVALID');
	});
});

describe('the throttle of logins', () => {
	/** @param {Client} who @param {any} body @param {number} n */
	async function fail(who, body, n) {
		for (let i = 0; i < n; i++)
			assertError(await who.post(LOGINS.admin, { body: { ...body, password: 'wrong' } }), 401, 'INVALID_CREDENTIALS');
	}

	/** @param {Client} who @param {any} body */
	async function assertThrottled(who, body) {
		const answer = await who.post(LOGINS.admin, { body });
		assertError(answer, 429, 'LOGIN_THROTTLED');
		assert.ok(Number(answer.headers['retry-after']) <= 900);
	}

	test('lets 5 failures of an account and address pass, then none, not even the right password', async () => {
		const store = await newStore(stack, { login: false });
		const [here, elsewhere] = [client(), client()];
		await fail(here, adminBody(store), 5);
		await assertThrottled(here, { ...adminBody(store), password: 'wrong' });
		await assertThrottled(here, adminBody(store));
		assertOk(await elsewhere.post(LOGINS.admin, { body: adminBody(store) }), 200);
	});
	test('knows an account however the letters of its name are written', async () => {
		const store = await newStore(stack, { login: false });
		const here = client();
		const username = `${adminBody(store).username}-école`;
		await store.sql("update admins set username = :'username' where store_id = :'store'", { username });
		const body = { ...adminBody(store), username };
		assertOk(await here.post(LOGINS.admin, { body: { ...body, username: username.toUpperCase() } }), 200);
		await fail(here, body, 2);
		await fail(here, { ...body, username: username.toUpperCase() }, 3);
		await assertThrottled(here, body);
	});
	test('forgives an account after its success, and counts no success', async () => {
		const store = await newStore(stack, { login: false });
		const here = client();
		for (let i = 0; i < 3; i++) {
			await fail(here, adminBody(store), 4);
			assertOk(await here.post(LOGINS.admin, { body: adminBody(store) }), 200);
		}
		for (let i = 0; i < 8; i++)
			assertOk(await here.post(LOGINS.admin, { body: adminBody(store) }), 200);
	});
	test('treats accounts that do not exist alike', async () => {
		const store = await newStore(stack, { login: false });
		const here = client();
		const nobody = { store_id: store.store_id, username: 'nobody', password: 'x' };
		await fail(here, nobody, 5);
		await assertThrottled(here, nobody);
		await assertThrottled(here, { ...nobody, username: 'NOBODY' });
		await fail(here, { ...nobody, username: 'somebody' }, 1);
	});
	test('is the same whichever way the store is named', async () => {
		const store = await newStore(stack, { login: false });
		const here = client();
		const { store_id, ...rest } = adminBody(store);
		await fail(here, { store_id, ...rest }, 3);
		await fail(here, { store_code: store.store_code, ...rest }, 2);
		await assertThrottled(here, { store_id, ...rest });
		await assertThrottled(here, { store_code: store.store_code.toUpperCase(), ...rest });
	});
	test('lets 50 failures of an account pass from all addresses', async () => {
		const store = await newStore(stack, { login: false });
		for (let i = 0; i < 10; i++)
			await fail(client(), adminBody(store), 5);
		await assertThrottled(client(), adminBody(store));
	});
	test('lets 100 failures of an address pass, and a success does not take those back', async () => {
		const stores = await Promise.all([1, 2].map(() => newStore(stack, { login: false })));
		const here = client();
		await Promise.all(Array.from({ length: 24 }, (_, i) => fail(here, { ...adminBody(stores[0]), username: `nobody${i}` }, 4)));
		await fail(here, adminBody(stores[0]), 3);
		assertOk(await here.post(LOGINS.admin, { body: adminBody(stores[0]) }), 200);
		await fail(here, adminBody(stores[0]), 1);
		await assertThrottled(here, adminBody(stores[1]));
		assertOk(await client().post(LOGINS.admin, { body: adminBody(stores[1]) }), 200);
	});
	test('counts attempts that are made at once', async () => {
		const store = await newStore(stack, { login: false });
		const here = client();
		const answers = await Promise.all(Array.from({ length: 20 }, () => here.post(LOGINS.admin, { body: { ...adminBody(store), password: 'wrong' } })));
		assert.deepEqual(answers.map((a) => a.status).sort(), [...Array(5).fill(401), ...Array(15).fill(429)]);
	});
	test('forgets when its window is over', async () => {
		const store = await newStore(stack, { login: false });
		const here = client();
		await fail(here, adminBody(store), 5);
		await store.sql("update login_failures set failed_at = failed_at - interval '16 minutes' where address = :'address'", { address: here.address });
		assertOk(await here.post(LOGINS.admin, { body: adminBody(store) }), 200);
	});
});
