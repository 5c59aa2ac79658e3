/**
 * The tests of one route. What is the same for every route is here: its wrong method, and who may not use it; and each
 * must have at least one success and one refusal of its own.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Client, assertError, assertOk } from './client.mjs';
import { sharedStack } from './stack.mjs';
import { newStore } from './store.mjs';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * @typedef {(name: string, body: () => Promise<void>) => void} Add
 * @param {string} name 'POST /api/customer/orders', as the program prints it
 * @param {(add: {succeeds: Add, refuses: Add}) => void} body
 */
export function route(name, body) {
	const [method, pattern] = name.split(' ');
	describe(name, () => {
		let successes = 0, refusals = 0;
		body({
			succeeds(what, run) {
				successes++;
				test(what, run);
			},
			refuses(what, run) {
				refusals++;
				test(`refuses ${what}`, run);
			},
		});
		test('has its success and its refusals tested', () => {
			assert.ok(successes > 0, 'no success is tested');
			assert.ok(refusals > 0, 'no refusal is tested');
		});
		refusesStrangers(method, pattern);
		refusesMethods(method, pattern);
	});
}

/** @param {string} pattern */
function somePath(pattern) {
	return pattern.replace(/\{[a-z_]+\}/g, '1');
}

/** @param {string} method @param {string} pattern */
function refusesMethods(method, pattern) {
	test('refuses other methods, naming those it has', async () => {
		const stack = sharedStack();
		const client = new Client(stack);
		const served = stack.routes().filter((r) => fits(r.pattern, somePath(pattern))).map((r) => r.method);

		assert.ok(served.includes(method), `no program prints ${method} ${pattern}`);
		for (const other of METHODS.filter((m) => !served.includes(m))) {
			const answer = await client.api(other, somePath(pattern));
			assertError(answer, 405, 'METHOD_NOT_ALLOWED');
			const allowed = String(answer.headers.allow).split(/, */);
			for (const m of served)
				assert.ok(allowed.includes(m), `Allow: ${answer.headers.allow} is without ${m}`);
			assert.ok(!allowed.includes(other), `Allow: ${answer.headers.allow} has ${other}`);
		}
	});
}

/** @param {string} pattern @param {string} path */
function fits(pattern, path) {
	const a = pattern.split('/'), b = path.split('/');
	return a.length === b.length && a.every((part, i) => part.startsWith('{') || part === b[i]);
}

/** @param {string} method @param {string} pattern */
function refusesStrangers(method, pattern) {
	const stack = sharedStack();
	const row = stack.routes().find((r) => r.method === method && r.pattern === pattern);
	if (row === undefined || row.roles.length === 0)
		return;
	describe('lets in its roles only', () => {
		const client = new Client(stack);
		/** @type {Record<string, string>} */
		const tokens = {};

		before(async () => {
			const store = await newStore(stack, { tables: 1, menus: 1 });
			const owner = await client.post('/api/superadmin/auth/login', { body: stack.info.super_admin });
			tokens.table = store.tables[0].token;
			tokens.store_admin = store.admin.token;
			tokens.super_admin = assertOk(owner, 200).access_token;
		});
		test('no token', async () => {
			const answer = await client.api(method, somePath(pattern));
			assertError(answer, 401, 'TOKEN_MISSING');
		});
		test('no token of ours', async () => {
			for (const token of ['x', 'a.b.c', `${tokens.table.slice(0, -6)}AAAAAA`])
				assertError(await client.api(method, somePath(pattern), { token }), 401, 'TOKEN_INVALID');
		});
		test('a token of another role', async () => {
			for (const role of Object.keys(tokens).filter((r) => !row.roles.includes(r)))
				assertError(await client.api(method, somePath(pattern), { token: tokens[role] }), 403, 'FORBIDDEN');
		});
	});
}
