/** What the drills of a dying installation share. */
import { readFileSync } from 'node:fs';
import { Client } from '../api/lib/client.mjs';
import { orderThrough } from '../api/lib/load.mjs';
import { newStore } from '../api/lib/store.mjs';
import { until } from '../api/lib/until.mjs';

/** How long a trouble lasts. @param {number} ms */
export const lasts = (ms) => new Promise((next) => setTimeout(next, ms));

/** @param {import('../api/lib/stack.mjs').Stack} stack */
export const healthy = (stack) => until('health', async () => (await new Client(stack).get('/health').catch(() => undefined))?.json?.status === 'up', 60000);

/** @param {number} pid @returns {number[]} */
export function children(pid) {
	return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** Stands still, as a host does that hangs. @param {number} pid @param {() => Promise<any>} meanwhile */
export async function frozen(pid, meanwhile) {
	process.kill(pid, 'SIGSTOP');
	try {
		await meanwhile();
	} finally {
		try {
			process.kill(pid, 'SIGCONT');
		} catch {
			/* it was killed meanwhile */
		}
	}
}

/**
 * A restaurant at work, slowly, and a board; the longest silence of the board is told beside the counts.
 * @param {import('../api/lib/stack.mjs').Stack} stack @param {import('../api/lib/sse.mjs').Streams} streams @param {string} drill
 * @param {(acknowledged: () => number) => Promise<any>} hurt @param {{paceMs?: number, note?: () => string}} [options] the note is asked for at the end
 */
export async function through(stack, streams, drill, hurt, { paceMs = 100, note = () => '' } = {}) {
	const store = await newStore(stack, { tables: 4 });
	const board = await streams.open('/api/admin/orders/stream', { token: store.admin.token, retryMs: 500 });
	const silence = () => {
		const times = board.news.map((event) => event.at);
		return (Math.max(...times.slice(1).map((at, i) => at - times[i])) / 1000).toFixed(1);
	};
	await orderThrough(stack, streams, async (acknowledged) => {
		await until('the first orders', () => acknowledged() > 20, 60000);
		await hurt(acknowledged);
		const then = acknowledged();
		await until('more orders', () => acknowledged() > then + 20, 60000);
	}, { store, boards: [board], orders: 80, paceMs, drill, note: () => [`board silent for ${silence()} s`, note()].filter(Boolean).join(', ') });
}
