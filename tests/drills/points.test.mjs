/** Every service that writes dies at every point of a request, while a restaurant is at work beside it. */
import { after, before, test } from 'node:test';
import { orderThrough } from '../api/lib/load.mjs';
import { Crashes, POINTS } from '../api/lib/preload.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { ownStack } from '../api/lib/stack.mjs';
import { newStore } from '../api/lib/store.mjs';
import { TTL_SECONDS, WRITES, assertEvents, crashDuring } from '../api/lib/writes.mjs';

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;
/** @type {Crashes} */
let crashes;

before(async () => {
	crashes = new Crashes('points-crashes');
	stack = await ownStack('points', { CACHE_TTL_SECONDS: String(TTL_SECONDS) });
	streams = new Streams(stack);
});
after(() => {
	streams?.closeAll();
	return stack?.stop();
});

for (const [service, writes] of Object.entries(WRITES)) {
	test(`${service}, at each of ${POINTS.length} points`, async () => {
		const store = await newStore(stack);
		const board = await streams.open('/api/admin/orders/stream', { token: store.admin.token });
		await orderThrough(stack, streams, async () => {
			for (const name of Object.keys(writes))
				for (const point of POINTS)
					await crashDuring(crashes, store, service, point, name);
			await assertEvents(store, board);
		}, { tables: 4, paceMs: 20, drill: `${service} killed at each point`, note: `${POINTS.length * Object.keys(writes).length} kills` });
	});
}
