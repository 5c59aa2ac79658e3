/** The servers around the database die, hang and are away, under load: RabbitMQ, Redis, nginx. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { assertOk } from '../api/lib/client.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { ownStack } from '../api/lib/stack.mjs';
import { newStore } from '../api/lib/store.mjs';
import { until } from '../api/lib/until.mjs';
import { children, frozen, healthy, lasts, through } from './lib.mjs';

const AWAY_MS = 180000;

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;

before(async () => {
	stack = await ownStack('servers', {});
	streams = new Streams(stack);
});
after(() => stack?.stop());
afterEach(async () => {
	streams?.closeAll();
	await healthy(stack);
});

/** How many events wait for the broker. @returns {Promise<number>} */
const backlog = async () => JSON.parse(await stack.orderctl('outbox', '--json')).unpublished;

/** @param {string[]} args */
function rabbitmqctl(...args) {
	const dir = join(stack.dir, 'rabbitmq'), { uid, gid } = statSync(dir);
	const [, , epmd] = readFileSync(join(dir, 'ports'), 'utf8').trim().split(' ');
	return promisify(execFile)('/usr/lib/rabbitmq/bin/rabbitmqctl', ['--quiet', ...args], { uid, gid, cwd: dir,
		env: { PATH: process.env.PATH, HOME: dir, LC_ALL: 'C.UTF-8', RABBITMQ_NODENAME: 'table_order@localhost', RABBITMQ_CONF_ENV_FILE: '/dev/null', ERL_EPMD_PORT: epmd } });
}

describe('RabbitMQ', () => {
	test('killed and started again', () => through(stack, streams, 'RabbitMQ killed', async () => {
		process.kill(stack.running('rabbitmq'), 'SIGKILL');
		await lasts(5000);
		await stack.part('start', 'rabbitmq');
	}));

	test('hangs for half a minute', () => through(stack, streams, 'RabbitMQ hangs', () => frozen(stack.running('rabbitmq'), () => lasts(30000)), { note: () => 'for 30 s' }));

	test('its disk is full: it takes nothing more until there is space', async () => {
		let waited = 0;

		await through(stack, streams, "RabbitMQ's disk full", async () => {
			/* more than there is: the broker's own alarm */
			await rabbitmqctl('set_disk_free_limit', '1000000GB');
			await lasts(15000);
			waited = await backlog();
			assert.ok(waited > 20, `only ${waited} events wait`);
			await rabbitmqctl('set_disk_free_limit', '10MB');
			await until('an outbox that keeps up', async () => await backlog() < 20, 60000);
		}, { note: () => `for 15 s, ${waited} events waited` });
	});

	test('away for three minutes: orders and boards go on, the outbox keeps all and empties by itself', async () => {
		let most = 0, seconds = 0;

		await through(stack, streams, 'RabbitMQ away', async (acknowledged) => {
			const before = acknowledged();
			await stack.part('stop', 'rabbitmq');
			await lasts(AWAY_MS);
			assert.ok(acknowledged() > before + AWAY_MS / 1000, 'orders did not go on');
			most = await backlog();
			await stack.part('start', 'rabbitmq');
			const start = performance.now();
			await until('an outbox that keeps up', async () => await backlog() < 20, 60000);
			seconds = (performance.now() - start) / 1000;
		}, { paceMs: 400, note: () => `for ${AWAY_MS / 1000} s, ${most} events waited and were out ${seconds.toFixed(1)} s after it was back` });
	});
});

describe('Redis', () => {
	test('killed, and away for ten seconds', () => through(stack, streams, 'Redis killed', async () => {
		process.kill(stack.running('redis'), 'SIGKILL');
		await lasts(10000);
		await stack.part('start', 'redis');
	}, { note: () => 'for 10 s' }));

	test('hangs for twenty seconds: a request waits 100 ms for it at most, and most do not', async () => {
		/** @type {number[]} */
		const times = [];

		await through(stack, streams, 'Redis hangs', () => frozen(stack.running('redis'), async () => {
			const store = await newStore(stack);
			for (const end = performance.now() + 20000; performance.now() < end; await lasts(50)) {
				const start = performance.now();
				assertOk(await store.client.get('/api/customer/menus', { token: store.tables[0].token }), 200);
				times.push(performance.now() - start);
			}
			times.sort((a, b) => a - b);
		}), { note: () => `for 20 s, menus took ${times[times.length >> 1].toFixed(0)} ms, at most ${times[times.length - 1].toFixed(0)} ms` });
	});
});

describe('nginx', () => {
	test('its workers killed, three times', () => through(stack, streams, 'nginx workers killed', async (acknowledged) => {
		for (let i = 0; i < 3; i++) {
			const then = acknowledged();
			for (const worker of children(stack.running('nginx')))
				process.kill(worker, 'SIGKILL');
			await until('more orders', () => acknowledged() > then + 10, 60000);
		}
	}));

	test('its master killed: the workers serve on; they have to go before another can start', () => through(stack, streams, 'nginx master killed', async (acknowledged) => {
		const master = stack.running('nginx'), then = acknowledged();
		process.kill(master, 'SIGKILL');
		await until('more orders', () => acknowledged() > then + 20, 60000);
		/* they are of the master's group */
		process.kill(-master, 'SIGKILL');
		await stack.part('start', 'nginx');
	}));
});
