#!/usr/bin/env node
/**
 * What bench/run measures on an installation that runs: bench/measure.mjs complete|history|orders DIR
 *
 * The client of tests/api is the stopwatch: from before a request is written until its answer is read and parsed.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, assertOk } from '../tests/api/lib/client.mjs';
import { Stack } from '../tests/api/lib/stack.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const AT_A_TIME = [1, 8, 32];

/** @param {string[]} command @param {string} [input] @returns {Promise<string>} what it prints */
function run([file, ...args], input = '') {
	return new Promise((done, failed) => {
		const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
		let out = '';
		child.stdout.setEncoding('utf8').on('data', (s) => { out += s; });
		child.on('error', failed);
		child.on('close', (code) => (code === 0 ? done(out.trim()) : failed(new Error(`${file} ended with ${code}`))));
		/* who reads none may be gone already; its status tells */
		child.stdin.on('error', () => {});
		child.stdin.end(input);
	});
}

/** @param {string} url @param {string} text @param {Record<string, string | number>} [values] @returns {Promise<string>} */
function psql(url, text, values = {}) {
	const variables = Object.entries(values).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
	return run(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', ...variables, url], text);
}

/** The text of a named statement. @param {string} program @param {string} name */
function statement(program, name) {
	const text = readFileSync(join(HERE, '../db/sql', `${program}.sql`), 'utf8');
	const found = new RegExp(`^-- name: ${name}\\(.*\\)\n([^;]*);`, 'm').exec(text);
	if (found === null)
		throw new Error(`${program}.sql has no ${name}`);
	return found[1];
}

/**
 * Shows how a statement is executed, by the service and in a store, with a plan made for these values, as at first, and
 * with the one for any values that a program may settle on later. What it changes is rolled back.
 * @param {Stack} stack @param {string} store @param {string} program @param {string} name @param {string[]} args SQL
 */
async function showPlan(stack, store, program, name, args) {
	for (const [mode, setting] of [['first', 'auto'], ['general', 'force_generic_plan']]) {
		console.log(`-- ${program}.sql: ${name}(${args.join(', ')}), ${mode} plan`);
		const plan = await psql(stack.env.DATABASE_URL, `prepare statement as ${statement(program, name)};
			begin;
			do $$ begin perform set_config('app.store_id', '${store}', true); end $$;
			set local plan_cache_mode = ${setting};
			explain (analyze, buffers) execute statement(${args.join(', ')});
			rollback;`);
		console.log(plan.split('\n').map((line) => `   ${line}`).join('\n'));
	}
}

/** @param {number[]} sorted @param {number} part */
const at = (sorted, part) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
/** @param {number} time in ms */
const ms = (time) => time.toFixed(1).padStart(9);

/** @param {string} what @param {number[]} took in ms */
function show(what, took) {
	const sorted = took.slice().sort((a, b) => a - b);
	console.log(`${what.padEnd(52)} ${String(sorted.length).padStart(5)} times  min ${ms(sorted[0])}  median ${ms(at(sorted, 0.5))}  p95 ${ms(at(sorted, 0.95))}  max ${ms(at(sorted, 1))} ms`);
}

/** @param {() => Promise<unknown>} act @returns {Promise<number>} ms */
async function time(act) {
	const start = performance.now();
	await act();
	return performance.now() - start;
}

class People {
	/** @param {Stack} stack */
	constructor(stack) {
		this.stack = stack;
		this.client = new Client(stack);
	}

	/** @param {number} i of which store */
	async admin(i) {
		const store = this.stack.info.stores[i];
		return assertOk(await this.client.post('/api/admin/auth/login', { body: { store_id: store.store_id, ...store.admin } }), 200).access_token;
	}

	/** @param {number} i of which store @returns {Promise<string[]>} */
	tables(i) {
		const store = this.stack.info.stores[i];
		return Promise.all(store.tables.map(async ({ table_number, password }) =>
			assertOk(await this.client.post('/api/customer/auth/login', { body: { store_id: store.store_id, table_number, password } }), 200).access_token));
	}
}

/** @param {Stack} stack */
async function complete(stack) {
	const [store] = stack.info.stores;
	const people = new People(stack), { client } = people;
	const token = await people.admin(0);
	await psql(stack.env.DATABASE_OWNER_URL, readFileSync(join(HERE, 'complete.sql'), 'utf8'), { store: store.store_id });
	const [kept, ...tables] = store.tables;
	const took = [];
	for (const { table_id } of tables) {
		took.push(await time(async () => {
			const { archived_orders_count } = assertOk(await client.post(`/api/admin/tables/${table_id}/complete-session`, { token }), 200);
			if (archived_orders_count !== 1000)
				throw new Error(`it had ${archived_orders_count} orders`);
		}));
	}
	show('a session of 1,000 orders with 5 items each ends', took);
	const session = await psql(stack.env.DATABASE_OWNER_URL, `select id from table_sessions where table_id = ${kept.table_id} and ended_at is null`);
	await showPlan(stack, store.store_id, 'complete-table-session', 'session_archive', [`${kept.table_id}`, session, 'clock_timestamp()']);
	await showPlan(stack, store.store_id, 'complete-table-session', 'session_clear', [`${kept.table_id}`, session]);
}

/** @param {Stack} stack */
async function history(stack) {
	const [store, ...others] = stack.info.stores;
	const wanted = Number(process.env.PAST_ORDERS ?? 2000000);
	const parties = Math.ceil(wanted / (1 + others.length) / 365 / 8);
	const superuser = stack.env.DATABASE_OWNER_URL.replace('table_order_owner', 'postgres');
	const loading = await time(() => psql(superuser, readFileSync(join(HERE, 'history.sql'), 'utf8'), { parties }));
	const facts = await psql(superuser, `select format('%s past orders, %s items, %s in all', count(*),
		(select count(*) from order_history_items), pg_size_pretty(pg_database_size('table_order'))) from order_history`);
	console.log(`${facts}, loaded in ${(loading / 1000).toFixed(0)} s`);

	const people = new People(stack), { client } = people;
	const token = await people.admin(0);
	const pages = assertOk(await client.get('/api/admin/order-history', { token }), 200).pagination.total_pages;
	const table = store.tables[0].table_id;
	const [to, from] = [1, 30].map((n) => new Date(Date.now() - (n + 180) * 86400000).toISOString().slice(0, 10));
	const ofTable = `/api/admin/tables/${table}/order-history`;
	const tablePages = assertOk(await client.get(ofTable, { token }), 200).pagination.total_pages;
	const middle = Math.ceil(pages / 2), tableMiddle = Math.ceil(tablePages / 2);
	const questions = {
		'first page': '/api/admin/order-history',
		[`page ${middle} of ${pages}`]: `/api/admin/order-history?page=${middle}`,
		[`page ${pages} of ${pages}`]: `/api/admin/order-history?page=${pages}`,
		'a day, first page': `/api/admin/order-history?from=${to}&to=${to}`,
		'30 days, first page': `/api/admin/order-history?from=${from}&to=${to}`,
		'a table, first page': ofTable,
		[`a table, page ${tableMiddle} of ${tablePages}`]: `${ofTable}?page=${tableMiddle}`,
		'a table, 30 days, first page': `${ofTable}?from=${from}&to=${to}`,
	};
	for (const [what, path] of Object.entries(questions)) {
		/** @type {number[]} */
		const fresh = [], cached = [];
		const ask = () => time(async () => assertOk(await client.get(path, { token }), 200));
		for (let i = 0; i < 10; i++) {
			await run(['redis-cli', '-s', join(stack.dir, 'run/redis.sock'), 'flushall']);
			fresh.push(await ask());
			cached.push(await ask(), await ask());
		}
		show(`${what}, from the database`, fresh);
		show(`${what}, from the cache`, cached);
	}

	const all = ["'-infinity'", "'infinity'"], days = [`'${from}'`, `'${to}'`];
	const plan = (/** @type {string} */ name, /** @type {string[]} */ ...args) => showPlan(stack, store.store_id, 'order-history-query', name, args);
	await plan('history_of_store', ...all, '50', '0');
	await plan('history_of_store', ...all, '50', `${50 * middle}`);
	await plan('history_of_store', ...days, '50', '0');
	await plan('history_of_store_count', ...all);
	await plan('history_of_store_count', ...days);
	await plan('history_of_table', `${table}`, ...all, '50', '0');
	await plan('history_of_table_count', `${table}`, ...all);
}

/**
 * Does something n times, so many at a time.
 * @param {number} n @param {number} atATime @param {(i: number) => Promise<unknown>} act
 */
async function crowd(n, atATime, act) {
	/** @type {number[]} */
	const took = [];
	let next = 0;
	const worker = async () => {
		while (next < n) {
			const i = next++;
			took.push(await time(() => act(i)));
		}
	};
	const all = await time(() => Promise.all(Array.from({ length: atATime }, worker)));
	return { took, rate: (n / all * 1000).toFixed(0) };
}

/** @param {Stack} stack */
async function orders(stack) {
	const people = new People(stack), { client } = people;
	const stores = await Promise.all(stack.info.stores.map(async (store, i) => {
		const tables = await people.tables(i);
		const menus = assertOk(await client.get('/api/customer/menus', { token: tables[0] }), 200).data.filter((/** @type {any} */ m) => m.is_available);
		return { ...store, admin: await people.admin(i), tokens: tables, menus };
	}));
	/** @param {number} i */
	const place = (i) => {
		const store = stores[i % stores.length], n = Math.floor(i / stores.length);
		return { store, token: store.tokens[n % store.tokens.length], menu: (/** @type {number} */ k) => store.menus[(n + k) % store.menus.length].id };
	};
	const order = async (/** @type {number} */ i) => {
		const { token, menu } = place(i);
		const items = [{ menu_id: menu(0), quantity: 1 + i % 3 }, { menu_id: menu(7), quantity: 1 }, { menu_id: menu(19), quantity: 2 }];
		assertOk(await client.post('/api/customer/orders', { token, body: { items } }), 201);
	};
	const read = async (/** @type {number} */ i) => assertOk(await client.get('/api/customer/menus', { token: place(i).token }), 200);
	const endAll = async () => {
		for (const { admin, tables } of stores)
			for (const { table_id } of tables)
				assertOk(await client.post(`/api/admin/tables/${table_id}/complete-session`, { token: admin }), 200);
	};

	await crowd(100, 8, order);
	for (const atATime of AT_A_TIME) {
		await endAll();
		const { took, rate } = await crowd(2000, atATime, order);
		show(`orders, ${atATime} at a time: ${rate} a second`, took);
	}
	await crowd(100, 8, read);
	for (const atATime of AT_A_TIME) {
		const { took, rate } = await crowd(2000, atATime, read);
		show(`menus from the cache, ${atATime} at a time: ${rate} a second`, took);
	}
}

/** @type {Record<string, (stack: Stack) => Promise<void>>} */
const parts = { complete, history, orders };
const [part, dir] = process.argv.slice(2);
if (!(part in parts) || dir === undefined) {
	console.error('usage: measure.mjs complete|history|orders DIR');
	process.exit(2);
}
await parts[part](new Stack(dir));
process.exit(0);
