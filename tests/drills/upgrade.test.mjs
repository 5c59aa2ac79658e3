/**
 * A new version is installed while a restaurant is at work: first its migration, which adds to every table that programs
 * read or write, then its files, then each program is restarted behind its socket. No request may fail meanwhile. The new
 * version is the same programs in new files; tests/deb/run does it with two packages of different versions.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { orderThrough } from '../api/lib/load.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { SOURCE, ownStack } from '../api/lib/stack.mjs';
import { newStore } from '../api/lib/store.mjs';
import { until } from '../api/lib/until.mjs';

const TABLES = ['stores', 'admins', 'dining_tables', 'table_sessions', 'menu_categories', 'menus', 'orders', 'order_items',
	'order_history', 'order_history_items', 'events', 'store_counters', 'idempotency_keys'];
/** What the next version's migration adds, as HACKING.md says: one table a transaction. The present programs must not mind. */
const EXPAND = `set lock_timeout = '5s';
${TABLES.map((name) => `alter table ${name} add column if not exists later text, add column if not exists later_count integer not null default 0;`).join('\n')}
create table if not exists later_things (id bigint primary key);
`;

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;
let prefix = '';

before(async () => {
	const base = process.env.TABLE_ORDER_TESTS ?? '';
	prefix = join(base, 'upgrade-prefix');
	cpSync(process.env.TABLE_ORDER_PREFIX ?? join(SOURCE, 'var/install'), prefix, { recursive: true, verbatimSymlinks: true });
	process.env.TABLE_ORDER_PREFIX = prefix;
	stack = await ownStack('upgrade', {});
	streams = new Streams(stack);
});
after(() => {
	streams?.closeAll();
	return stack?.stop();
});

/** Every file gets a new inode under its old name, as dpkg and make install do it. */
function replaceFiles() {
	execFileSync('find', [prefix, '-type', 'f', '-not', '-name', '*.new', '-exec', 'sh', '-c', 'for f; do cp -p "$f" "$f.new" && mv "$f.new" "$f"; done', 'sh', '{}', '+']);
}

/** @returns {string} a sqitch project with one change more */
function laterMigrations() {
	const dir = join(prefix, 'later');
	cpSync(join(prefix, 'share/table-order/db'), dir, { recursive: true });
	appendFileSync(join(dir, 'sqitch.plan'), 'later [rights] 2026-11-24T12:00:00Z table-order <table-order@localhost> # what only the next version knows\n');
	writeFileSync(join(dir, 'deploy/later.sql'), EXPAND);
	writeFileSync(join(dir, 'verify/later.sql'), 'select later, later_count from orders where false;\n');
	writeFileSync(join(dir, 'revert/later.sql'), 'select 1 / 0;\n');
	return dir;
}

/** @param {() => boolean} on Whoever asks once: what is not 2xx has failed. */
async function askOnce(on) {
	const store = await newStore(stack, { tables: 4 });
	const [menu] = store.menus;
	/** @type {string[]} */
	const failures = [];
	let answered = 0;
	/** @type {((table: import('../api/lib/store.mjs').Table) => Promise<import('../api/lib/client.mjs').Answer>)[]} */
	const requests = [
		({ token }) => store.client.post('/api/customer/orders', { token, body: { items: [{ menu_id: menu.id, quantity: 1 }] } }),
		({ token }) => store.client.get('/api/customer/orders', { token }),
		({ token }) => store.client.get('/api/customer/menus', { token }),
		() => store.client.get('/api/admin/board', { token: store.admin.token }),
		() => store.client.get('/api/admin/order-history', { token: store.admin.token }),
		() => store.client.get('/api/admin/tables', { token: store.admin.token }),
		({ table_number, password }) => store.client.post('/api/customer/auth/login', { body: { store_id: store.store_id, table_number, password } }),
		({ table_id }) => store.client.post(`/api/admin/tables/${table_id}/complete-session`, { token: store.admin.token }),
		() => store.client.get('/health'),
	];
	await Promise.all(store.tables.map(async (table) => {
		for (let i = 0; on(); i++) {
			const answer = await requests[i % requests.length](table).catch((error) => ({ status: 0, text: String(error) }));
			answered++;
			if (answer.status < 200 || answer.status > 299)
				failures.push(`${i % requests.length}: ${answer.status} ${answer.text}`);
		}
	}));
	return { answered, failures };
}

test('an upgrade with a migration fails no request', async () => {
	let on = true;
	const asking = askOnce(() => on);
	/** @type {Record<string, number | undefined>} */
	const old = {};
	try {
		await orderThrough(stack, streams, async (acknowledged) => {
			const more = (/** @type {number} */ n) => {
				const from = acknowledged();
				return until('more orders', () => acknowledged() >= from + n, 60000);
			};
			await more(20);
			const said = await stack.orderctl('migrate', '--dir', laterMigrations());
			assert.match(said, /later/);
			await more(40);
			for (const name of Object.keys(stack.info.supervisors))
				old[name] = stack.pid(name);
			replaceFiles();
			await more(20);
			await stack.part('start');
			await more(40);
		}, { paceMs: 10, drill: 'upgrade with a migration', note: 'and single requests, of which none may fail' });
	} finally {
		on = false;
	}
	const { answered, failures } = await asking;
	assert.deepEqual(failures, []);
	assert.ok(answered > 200, `${answered} requests are no load`);
	console.log(`${answered} single requests, none failed`);
	for (const [name, pid] of Object.entries(old))
		assert.notEqual(stack.pid(name), pid, `${name} still runs from the former files`);
	assert.match(await stack.orderctl('migrate'), /the database is newer/);
});
