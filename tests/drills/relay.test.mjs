/** The programs behind the orders die and hang, under load: relay, dispatcher; and a service that hangs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { Streams } from '../api/lib/sse.mjs';
import { ownStack } from '../api/lib/stack.mjs';
import { until } from '../api/lib/until.mjs';
import { frozen, healthy, lasts, through } from './lib.mjs';

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;

before(async () => {
	stack = await ownStack('relay', {});
	streams = new Streams(stack);
});
after(() => stack?.stop());
afterEach(async () => {
	streams?.closeAll();
	await healthy(stack);
});

/** @param {string} name */
function killed(name) {
	return through(stack, streams, `${name} killed`, async (acknowledged) => {
		for (let i = 0; i < 5; i++) {
			const then = acknowledged();
			await stack.replaced(name, stack.signal(name, 'KILL'));
			await until('more orders', () => acknowledged() > then + 10, 60000);
		}
	}, { note: () => '5 times' });
}

describe('the relay', () => {
	test('killed, five times', () => killed('sse-relay'));
	test('hangs for ten seconds: orders go on, boards catch up', () => through(stack, streams, 'sse-relay hangs', () => frozen(stack.running('sse-relay'), () => lasts(10000)),
		{ note: () => 'for 10 s' }));
	test('hangs, and is killed: boards come back and miss nothing', () => through(stack, streams, 'sse-relay hangs, is killed', () => frozen(stack.running('sse-relay'), async () => {
		await lasts(5000);
		await stack.replaced('sse-relay', stack.signal('sse-relay', 'KILL'));
	}), { note: () => 'after 5 s' }));
});

/** When each dispatcher that logs here became active, by its pid. */
function taken() {
	return stack.log('outbox-dispatcher').filter((line) => /^active/.test(line.message)).map((line) => ({ pid: line.pid, at: Date.parse(line.time) }));
}

/** A second dispatcher, as another host has one. */
function secondDispatcher() {
	const program = join(readFileSync(join(stack.dir, 'prefix'), 'utf8').trim(), 'libexec/table-order/outbox-dispatcher');
	const { uid, gid } = statSync(stack.env.UPLOAD_DIR);
	return spawn(program, [], { stdio: 'ignore', uid, gid, env: { PATH: process.env.PATH, TABLE_ORDER_ENV: stack.info.env_file } });
}

describe('the dispatcher', () => {
	test('killed, five times', () => killed('outbox-dispatcher'));

	test('hangs, alone: boards go on, the broker gets all when it is killed', () => through(stack, streams, 'outbox-dispatcher hangs, alone', () => frozen(stack.running('outbox-dispatcher'), async () => {
		await lasts(15000);
		await stack.replaced('outbox-dispatcher', stack.signal('outbox-dispatcher', 'KILL'));
	}), { note: () => 'killed after 15 s' }));

	test('hangs, and another takes over when the database has cut it off', async () => {
		const other = secondDispatcher();
		let tookMs = 0, gone = false;

		other.on('exit', () => { gone = true; });
		try {
			await until('another that waits', () => stack.log('outbox-dispatcher').some((line) => line.pid === other.pid && line.message === 'connected to the database'));
			await through(stack, streams, 'outbox-dispatcher hangs, another takes over', () => frozen(stack.running('outbox-dispatcher'), async () => {
				const start = Date.now();
				tookMs = await until('the takeover', () => taken().find((one) => one.pid === other.pid && one.at >= start), 60000).then((one) => one.at - start);
			}), { note: () => `after ${(tookMs / 1000).toFixed(1)} s` });
			const active = taken().at(-1)?.pid;
			assert.equal(active, other.pid, 'the first must not publish as if nothing had been');
		} finally {
			other.kill('SIGTERM');
			await until('its end', () => gone, 10000);
		}
	});
});

describe('a service', () => {
	test('hangs in the middle of orders: those wait until it is killed, and are there once', () => through(stack, streams, 'create-order hangs, is killed', () => frozen(stack.running('create-order'), async () => {
		await lasts(10000);
		await stack.replaced('create-order', stack.signal('create-order', 'KILL'));
	}), { note: () => 'after 10 s' }));
	test('hangs for ten seconds', () => through(stack, streams, 'update-order-status hangs', () => frozen(stack.running('update-order-status'), () => lasts(10000)), { note: () => 'for 10 s' }));
});
