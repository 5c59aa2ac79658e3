/**
 * Every service that writes is killed at every point of a request: before its first flush, before COMMIT, in it, after it, before
 * the answer and after it. Whoever asked tries again; what was asked for is there once, and told once.
 */
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Crashes, POINTS } from './lib/preload.mjs';
import { Streams } from './lib/sse.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { TTL_SECONDS, WRITES, assertEvents, crashDuring, orphans } from './lib/writes.mjs';

/** @type {import('./lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;
/** @type {Crashes} */
let crashes;
/** @type {Record<string, import('./lib/store.mjs').Store>} each service dies in a store of its own */
const stores = {};

before(async () => {
	crashes = new Crashes('trouble-points-crashes');
	stack = await ownStack('trouble-points', { CACHE_TTL_SECONDS: String(TTL_SECONDS) });
	streams = new Streams(stack);
	for (const service of Object.keys(WRITES))
		stores[service] = await newStore(stack);
});
after(() => {
	streams?.closeAll();
	return stack?.stop();
});

describe('killed at each point of a write, once and told once:', { concurrency: true }, () => {
	for (const [service, writes] of Object.entries(WRITES)) {
		test(`${service}: ${Object.keys(writes).join(', ')}`, async () => {
			const store = stores[service];
			const board = await streams.open('/api/admin/orders/stream', { token: store.admin.token });
			for (const name of Object.keys(writes))
				for (const point of POINTS)
					await crashDuring(crashes, store, service, point, name);
			await assertEvents(store, board);
			if (service === 'menu')
				await assertSwept(store);
		});
	}
});

/**
 * A program that dies between its files and the end of its request leaves files; maintenance takes them away when they are old.
 * @param {import('./lib/store.mjs').Store} store
 */
async function assertSwept(store) {
	const left = await orphans(stack, store), long = Date.now() / 1000 - 2 * 3600;
	assert.ok(left.length > 0 && left.length <= 2 * POINTS.length, `${left.length} files`);
	for (const name of left)
		utimesSync(join(stack.env.UPLOAD_DIR, name), long, long);
	await stack.orderctl('maintenance');
	assert.deepEqual(await orphans(stack, store), []);
}
