/**
 * The database cluster of etc/patroni: three PostgreSQL servers under Patroni, each with an etcd member. Machines of it die and
 * freeze under load: no order that was acknowledged is lost or doubled, and every event arrives.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { orderThrough } from '../api/lib/load.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { ownStack } from '../api/lib/stack.mjs';
import { until } from '../api/lib/until.mjs';
import { startCluster } from './lib/patroni.mjs';

/** Longer than any wait for a new primary and for the programs to find it. */
const PATIENCE_MS = 180000;

/** @type {import('./lib/patroni.mjs').Cluster} */
let cluster;
/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Streams} */
let streams;

before(async () => {
	cluster = await startCluster(join(process.env.TABLE_ORDER_TESTS ?? '', 'cluster'));
	stack = await ownStack('patroni', cluster.settings);
	streams = new Streams(stack);
});
after(async () => {
	await stack?.stop();
	await cluster?.stop();
});
beforeEach(() => cluster.healthy());
afterEach(() => streams?.closeAll());

/** @typedef {import('./lib/patroni.mjs').Node} Node */

/**
 * Orders go on while something is done to the primary and the synchronous standby; it is undone under load, too.
 * @param {string} drill
 * @param {(primary: Node, standby: Node, more: () => Promise<void>) => Promise<any>} hurt more() waits for further orders
 */
async function orders(drill, hurt) {
	await orderThrough(stack, streams, async (acknowledged) => {
		const [primary, standby] = [await cluster.primary(), await cluster.having('sync_standby')];
		assert.ok(standby !== undefined);
		const more = async () => {
			const enough = acknowledged() + 50;
			await until('more orders', () => acknowledged() >= enough, PATIENCE_MS);
		};
		await more();
		await hurt(primary, standby, more);
		await cluster.healthy();
		await more();
	}, { orders: 200, paceMs: 200, patienceMs: PATIENCE_MS, drill });
}

/** Whether it has not reached etcd for longer than ttl. @param {Node} node */
async function longAlone(node) {
	const status = await cluster.status(node);
	return status !== undefined && Date.now() / 1000 - status.dcs_last_seen > 25;
}

describe('three servers under Patroni, all of one machine', () => {
	test('the primary\'s: killed; the synchronous standby takes over', () => orders('patroni: primary killed', async (primary, standby, more) => {
		await primary.kill();
		assert.equal((await cluster.primary(primary.name)).name, standby.name);
		await more();
		primary.start();
	}));
	test('the primary\'s: frozen, and thawed when another is the primary', () => orders('patroni: primary frozen', async (primary, standby, more) => {
		const frozen = primary.signal('STOP');
		try {
			assert.equal((await cluster.primary(primary.name)).name, standby.name);
			await more();
		} finally {
			primary.signal('CONT', frozen);
		}
		await more();
	}));
	test('the primary\'s: relieved by patronictl switchover', () => orders('patroni: switchover', async (primary, standby, more) => {
		cluster.ctl('switchover', '--master', primary.name, '--candidate', standby.name, '--force');
		assert.equal((await cluster.primary(primary.name)).name, standby.name);
		await more();
	}));
	test('the synchronous standby\'s: killed; the other one takes its place', () => orders('patroni: synchronous standby killed', async (primary, standby, more) => {
		await standby.kill();
		await more();
		assert.equal((await cluster.primary()).name, primary.name);
		standby.start();
	}));
	test('the synchronous standby\'s: frozen; the other one takes its place', () => orders('patroni: synchronous standby frozen', async (primary, standby, more) => {
		const frozen = standby.signal('STOP');
		try {
			await more();
			assert.equal((await cluster.primary()).name, primary.name);
		} finally {
			standby.signal('CONT', frozen);
		}
	}));
	test('the primary\'s and the standby\'s: the third one is not promoted; all goes on when they are back', () => orders('patroni: two of three killed', async (primary, standby) => {
		const third = cluster.nodes.find((node) => node !== primary && node !== standby);
		assert.ok(third !== undefined);
		await primary.kill();
		await standby.kill();
		/* one each loop_wait */
		const looks = () => third.output('patroni').split(/INFO: .*I am \(?db/).length;
		const before = looks();
		await until('more than ttl alone', () => looks() > before + 10, PATIENCE_MS);
		assert.equal((await cluster.status(third))?.role, 'replica');
		primary.start();
		standby.start();
	}));
	test('etcd\'s: all three killed for longer than ttl; the primary goes on', () => orders('patroni: etcd away', async (primary, standby, more) => {
		for (const node of cluster.nodes)
			await node.kill(['etcd']);
		try {
			await until('more than ttl without etcd', () => longAlone(primary), PATIENCE_MS);
			await more();
			assert.equal((await cluster.status(primary))?.role, 'master');
		} finally {
			for (const node of cluster.nodes)
				node.startEtcd();
		}
	}));
});

/*
 * Why synchronous_mode and not "ANY 1" set by hand. One standby is behind for a moment, and the Patroni beside the other one does not answer
 * for a moment, when the primary's machine dies.
 */
describe('the primary dies while the standby that has it all does not answer', () => {
	/** @param {string} table @param {(behind: Node, primary: Node) => Promise<any>} chosen Returns how many of 100 acknowledged rows are there afterwards. */
	async function survivors(table, chosen) {
		const primary = await cluster.primary();
		const ahead = await cluster.having('sync_standby') ?? cluster.nodes.find((node) => node !== primary);
		const behind = cluster.nodes.find((node) => node !== primary && node !== ahead);
		assert.ok(ahead !== undefined && behind !== undefined);
		await cluster.writable();
		cluster.psql(`create table ${table} (n int)`);
		await until('the row of the slower standby', async () => (await cluster.members()).every((m) => (m.lag ?? 0) === 0));
		const receiver = behind.postgres().find((pid) => /walreceiver/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) ?? 0;
		const patroni = [ahead.started.get('patroni') ?? 0];
		behind.signal('STOP', [receiver]);
		cluster.psql(Array.from({ length: 100 }, (_, n) => `insert into ${table} values (${n});`).join('\n'));
		ahead.signal('STOP', patroni);
		await primary.kill();
		/* it ends before it reads what lies in its socket */
		process.kill(receiver, 'SIGTERM');
		behind.signal('CONT', [receiver]);
		await chosen(behind, primary);
		ahead.signal('CONT', patroni);
		await cluster.writable();
		const count = Number(cluster.psql(`select count(*) from ${table}`));
		primary.start();
		return count;
	}

	test('with the reference: nobody is promoted until that one answers; nothing is lost', async () => {
		assert.equal(await survivors('reference', async (behind) => {
			const refusals = () => behind.output('patroni').split('i am not the healthiest node').length;
			const before = refusals();
			await until('two refusals to be promoted', () => refusals() > before + 1, PATIENCE_MS);
			assert.equal((await cluster.members()).find((m) => m.role === 'leader'), undefined);
		}), 100);
	});
	test('with ANY 1 set by hand: the other one is promoted, and acknowledged rows are lost', async () => {
		cluster.ctl('edit-config', '--force', '-s', 'synchronous_mode=false', '-p', 'synchronous_standby_names=ANY 1 (*)');
		await until('ANY 1', async () => cluster.psql('show synchronous_standby_names') === 'ANY 1 (*)', PATIENCE_MS);
		const left = await survivors('by_hand', async (behind, primary) => assert.equal((await cluster.primary(primary.name)).name, behind.name));
		assert.ok(left < 100, 'nothing was lost, so this shows nothing');
		cluster.ctl('edit-config', '--force', '-s', 'synchronous_mode=true', '-p', 'synchronous_standby_names=null');
	});
});

describe('two machines are lost for good', () => {
	test('the synchronous standby that is left serves alone when it is told to, as failover.md says', async () => {
		const primary = await cluster.primary();
		const left = await cluster.having('sync_standby');
		assert.ok(left !== undefined);
		cluster.psql('create table left_over (n int); insert into left_over select generate_series(1, 100)');
		for (const node of cluster.nodes)
			if (node !== left)
				await node.kill();
		await left.kill(['etcd']);
		left.startEtcd('--force-new-cluster');
		await cluster.primary(primary.name);
		await cluster.writable();
		cluster.ctl('edit-config', '--force', '-s', 'synchronous_mode=false');
		await until('a commit that waits for nobody', () => cluster.psql('show synchronous_standby_names') === '', PATIENCE_MS);
		cluster.psql('insert into left_over values (101)');
		assert.equal(cluster.psql('select count(*) from left_over'), '101');
	});
});
