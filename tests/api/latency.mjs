#!/usr/bin/env node
/**
 * How late the board sees an order: from just before the request is sent until the event is read from the admin's stream.
 *
 *   tests/api/latency.mjs [ORDERS] [QUICKSTART.JSON]     default: 20 orders, var/quickstart.json of the source tree
 *
 * Prints p50, p95 and max. Exits 1 when the p95 is over the customer's 500 ms.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EventStream } from './lib/sse.mjs';
import { SOURCE, Stack } from './lib/stack.mjs';
import { Client, assertOk } from './lib/client.mjs';

const LIMIT_MS = 500;

async function main() {
	const count = Number(process.argv[2] ?? 20);
	const file = process.argv[3] ?? join(SOURCE, 'var/quickstart.json');
	if (!Number.isInteger(count) || count < 1 || !existsSync(file)) {
		console.error(`usage: latency.mjs [ORDERS] [QUICKSTART.JSON] (${file} must be there: ./quickstart)`);
		process.exit(2);
	}
	const stack = new Stack(dirname(file));
	const client = new Client(stack);
	const [store] = stack.info.stores;
	const admin = assertOk(await client.post('/api/admin/auth/login', { body: { store_id: store.store_id, ...store.admin } }), 200).access_token;
	const tables = [];
	for (const { table_number, password } of store.tables)
		tables.push(assertOk(await client.post('/api/customer/auth/login', { body: { store_id: store.store_id, table_number, password } }), 200).access_token);
	const menus = assertOk(await client.get('/api/customer/menus', { token: tables[0] }), 200).data.filter((/** @type {any} */ m) => m.is_available);
	const stream = await new EventStream(stack, '/api/admin/orders/stream', { token: admin }).opened();
	const took = [];

	for (let i = 0; i < count; i++) {
		const start = performance.now();
		const items = [{ menu_id: menus[i % menus.length].id, quantity: 1 + i % 3 }, { menu_id: menus[(i + 7) % menus.length].id, quantity: 1 }];
		const order = assertOk(await client.post('/api/customer/orders', { token: tables[i % tables.length], body: { items } }), 201);
		await stream.until(`order ${order.id}`, () => stream.news.some((e) => e.json?.order?.id === order.id));
		took.push((stream.news.find((e) => e.json?.order?.id === order.id)?.at ?? 0) - start);
	}
	stream.close();
	took.sort((a, b) => a - b);
	const at = (/** @type {number} */ part) => took[Math.max(0, Math.ceil(took.length * part) - 1)];
	console.log(`${count} orders, from request to board: p50 ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms, max ${at(1).toFixed(1)} ms`);
	process.exit(at(0.95) <= LIMIT_MS ? 0 : 1);
}

await main();
