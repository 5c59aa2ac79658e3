/** doc/examples: the types that the document gives, and a client that uses them and works. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DOCUMENT } from './lib/openapi.mjs';
import { SOURCE, sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { within } from './lib/until.mjs';

const MODULES = join(dirname(fileURLToPath(import.meta.url)), 'node_modules');
const dir = mkdtempSync(join(tmpdir(), 'to-example.'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** @param {string} tool @param {string[]} args */
function node(tool, ...args) {
	try {
		execFileSync(process.execPath, [join(MODULES, tool), ...args], { cwd: dir, encoding: 'utf8', stdio: 'pipe' });
	} catch (error) {
		assert.fail(`${tool} ${args.join(' ')}:\n${/** @type {any} */ (error).stdout}${/** @type {any} */ (error).stderr}`);
	}
}

describe('the client example', () => {
	test('compiles with the types of the document', () => {
		cpSync(join(SOURCE, 'doc/examples'), dir, { recursive: true });
		writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
		node('openapi-typescript/bin/cli.js', DOCUMENT, '-o', 'table-order.d.ts');
		node('typescript/bin/tsc', '--noEmit', 'false', '--outDir', 'out');
	});
	test('is refused by the compiler when it takes a member for another', () => {
		const text = readFileSync(join(SOURCE, 'doc/examples/table-client.ts'), 'utf8');
		writeFileSync(join(dir, 'table-client.ts'), text.replace('login.access_token', 'login.acces_token'));
		assert.throws(() => node('typescript/bin/tsc'), /acces_token/);
	});
	test('logs in, orders once, and sees what becomes of it', async () => {
		const stack = sharedStack();
		const store = await newStore(stack);
		const { ApiError, TableClient } = await import(pathToFileURL(join(dir, 'out/table-client.js')).href);
		const client = new TableClient(stack.url.origin);
		const [table] = store.tables;

		await assert.rejects(client.login({ store_code: store.store_code, table_number: table.table_number, password: 'wrong' }),
			(/** @type {any} */ error) => error instanceof ApiError && error.code === 'INVALID_CREDENTIALS');
		assert.equal((await client.login({ store_code: store.store_code, table_number: table.table_number, password: table.password })).table_id, table.table_id);
		const [menu] = await client.menus();
		const { last_event_id: from } = await client.orders();
		const key = randomUUID();
		const order = await client.order({ items: [{ menu_id: menu.id, quantity: 2 }] }, key);
		assert.deepEqual(await client.order({ items: [{ menu_id: menu.id, quantity: 2 }] }, key), order);
		await store.move(order.id, 'preparing');

		const stop = new AbortController();
		/** @type {any[]} */
		const seen = [];
		await within('two events', (async () => {
			for await (const event of client.events(from, stop.signal)) {
				seen.push([event.event_type, event.order.id, event.order.status]);
				if (seen.length === 2)
					stop.abort();
			}
		})());
		assert.deepEqual(seen, [['OrderCreated', order.id, 'pending'], ['OrderStatusChanged', order.id, 'preparing']]);
	});
});
