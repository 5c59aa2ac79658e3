/**
 * Two hosts, each with its own web server, services, relay and dispatcher, over one database, Redis and broker, behind the
 * HAProxy of etc/haproxy. The second one's way to Redis is etc/stunnel's, to the broker etc/rabbitmq's TLS. Whatever goes in at one comes out at both, and when one dies or freezes the other goes on.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Client, assertError, assertOk } from '../api/lib/client.mjs';
import { form } from '../api/lib/form.mjs';
import { orderThrough, persist, report } from '../api/lib/load.mjs';
import { png } from '../api/lib/picture.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { SOURCE, ownStack } from '../api/lib/stack.mjs';
import { newStore } from '../api/lib/store.mjs';
import { until } from '../api/lib/until.mjs';
import { Host, family, freePorts, makeDir, render, runAsUser, send, writeOwn } from './lib/host.mjs';

const ADMIN = '/api/admin/orders/stream';
const BASE = process.env.TABLE_ORDER_TESTS ?? '';
const PATIENCE_MS = 120000;
/** What two hosts of one installation have in common. */
const SHARED = ['DATABASE_URL', 'DATABASE_OWNER_URL', 'DISPATCHER_DATABASE_URL', 'RELAY_DATABASE_URL', 'REDIS_URL', 'RABBITMQ_URL', 'UPLOAD_DIR', 'JWT_PRIVATE_KEY_FILE', 'JWT_PUBLIC_KEYS_FILE'];

/** @typedef {import('../api/lib/stack.mjs').Stack} Stack */

/** @type {Stack[]} the first one has the servers, too; they are no part of its host */
const hosts = [];
/** @type {Record<string, string>[]} */
const settings = [{}, {}];
/** @type {Stack} both, as clients see them */
let balanced;
/** @type {Host} */
let balancer;
/** @type {Host} what stands between the second host and Redis */
let inner;
/** @type {Streams} */
let streams;

before(async () => {
	hosts[0] = await ownStack('host1', settings[0]);
	settings[1] = { ...Object.fromEntries(SHARED.map((key) => [key, hosts[0].env[key]])), ...await byTls() };
	mkdirSync(join(BASE, 'host2'));
	copyFileSync(join(hosts[0].dir, 'super-admin.password'), join(BASE, 'host2/super-admin.password'));
	hosts[1] = await ownStack('host2', settings[1]);

	const [port] = await freePorts(1);
	balancer = new Host(join(BASE, 'balancer'), 'balancer');
	const text = render(join(SOURCE, 'etc/haproxy/haproxy.cfg.in'), {
		BIND: `127.0.0.1:${port}`, HOST1: hosts[0].url.host, HOST2: hosts[1].url.host, ADMIN: join(balancer.dir, 'run/admin.sock'),
		USER: 'nobody', GROUP: 'nogroup', CHROOT: makeDir(join(balancer.dir, 'empty')),
	});
	/* only root can become another, and leave its files behind */
	const isRoot = process.getuid?.() === 0;
	const config = writeOwn(join(balancer.dir, 'haproxy.cfg'), isRoot ? text : text.replace(/^\t(user|group|chroot) .*\n/gm, ''));
	balancer.launch('haproxy', ['/usr/sbin/haproxy', '-db', '-f', config]);
	balanced = Object.assign(Object.create(hosts[0]), { url: new URL(`http://127.0.0.1:${port}`) });
	streams = new Streams(balanced);
});
after(async () => {
	await balancer?.kill();
	await inner?.kill();
	for (const host of [...hosts].reverse())
		await host.stop();
});
beforeEach(both);
afterEach(() => streams?.closeAll());

/** Redis and RabbitMQ of the first host for another one, as across machines. @returns {Promise<Record<string, string>>} where it finds them */
async function byTls() {
	const [server, client, amqps] = await freePorts(3);
	inner = new Host(join(BASE, 'inner'), 'inner');
	const CERTS = join(inner.dir, 'certs');
	runAsUser(inner.dir, [join(SOURCE, 'etc/patroni/make-certificates'), CERTS, 'localhost=127.0.0.1', 'host2=127.0.0.1']);
	/* what verifies the broker is the system's list of authorities */
	process.env.SSL_CERT_FILE = join(CERTS, 'ca.crt');
	const own = (/** @type {string} */ line) => !/^(listeners\.tcp|setuid|setgid)/.test(line);
	const sample = (/** @type {string} */ name, /** @type {Record<string, string>} */ words) =>
		render(join(SOURCE, 'etc', name), { CERTS, ...words }).replace(/^;.*\n/gm, '').split('\n').filter(own).join('\n');
	writeOwn(join(hosts[0].dir, 'rabbitmq/tls.conf'), sample('rabbitmq/table-order-tls.conf.in', { ADDRESS: `127.0.0.1:${amqps}`, NAME: 'localhost' }));
	await hosts[0].part('restart', 'rabbitmq');
	for (const [name, words] of Object.entries({
		'table-order-redis-server': { ADDRESS: `127.0.0.1:${server}`, REDIS: join(hosts[0].dir, 'run/redis.sock'), NAME: 'localhost' },
		'table-order-redis': { LISTEN: `127.0.0.1:${client}`, SERVER: `localhost:${server}`, SERVER_NAME: 'localhost', NAME: 'host2' },
	}))
		inner.spawn(name, ['/usr/bin/stunnel4', writeOwn(join(inner.dir, `${name}.conf`), sample(`stunnel/${name}.conf.in`, words))]);
	return {
		REDIS_URL: `redis://127.0.0.1:${client}/0`,
		RABBITMQ_URL: hosts[0].env.RABBITMQ_URL.replace(/^amqp:(.*@)[^/]*/, `amqps:$1localhost:${amqps}`),
	};
}

/** Until the balancer sends requests and streams to both. */
async function both() {
	await until('both hosts in service', async () => {
		balancer.assertRuns('haproxy');
		const lines = (await balancer.ask('run/admin.sock', 'show servers state')).split('\n').filter((line) => / (api|streams) /.test(line));
		return lines.length === 4 && lines.every((line) => line.split(' ')[5] === '2');
	}, 60000);
}

/** All that is a host's own. @param {Stack} host */
function machine(host) {
	return ['nginx', ...Object.keys(host.info.supervisors)].flatMap((name) => family(Number(readFileSync(join(host.dir, 'pids', name), 'utf8').split(' ')[0])));
}

/** @param {number[]} pids */
function kill(pids) {
	for (const signal of ['SIGSTOP', 'SIGKILL'])
		for (const pid of pids)
			send(pid, signal);
}

/** @param {number} i Puts a dead host into service again. */
async function revive(i) {
	hosts[i] = await ownStack(`host${i + 1}`, settings[i]);
	await both();
}

/** When its dispatcher last began to publish. @param {Stack} host */
function activeSince(host) {
	const line = host.log('outbox-dispatcher').findLast((entry) => entry.message.startsWith('active'));
	return line === undefined ? 0 : Date.parse(line.time);
}

/** The host whose dispatcher publishes. */
function publisher() {
	return activeSince(hosts[0]) > activeSince(hosts[1]) ? 0 : 1;
}

/** Orders through the balancer, with boards behind it and at each host that is named. @param {string} drill @param {Stack[]} at @param {(more: () => Promise<void>) => Promise<any>} hurt */
async function orders(drill, at, hurt) {
	const store = await newStore(balanced, { tables: 8 });
	const open = (/** @type {Stack} */ stack) => new Streams(stack).open(ADMIN, { token: store.admin.token, retryMs: 100 });
	const boards = await Promise.all([balanced, balanced, balanced, balanced, ...at].map(open));
	streams.all.push(...boards);
	await orderThrough(balanced, streams, async (acknowledged) => {
		const more = async () => {
			const enough = acknowledged() + 50;
			await until('more orders', () => acknowledged() >= enough, PATIENCE_MS);
		};
		await more();
		await hurt(more);
		await more();
	}, { store, boards, orders: 200, paceMs: 100, patienceMs: PATIENCE_MS, drill });
	return boards;
}

describe('two hosts over one database, Redis and broker', () => {
	test('what is ordered through either appears on the streams of both', async () => {
		const store = await newStore(hosts[0]);
		const boards = await Promise.all(hosts.map((host) => new Streams(host).open(ADMIN, { token: store.admin.token })));
		streams.all.push(...boards);
		const [token, body] = [store.tables[0].token, { items: [{ menu_id: store.menus[0].id, quantity: 1 }] }];
		const headers = { 'Idempotency-Key': 'either' };
		for (const host of hosts)
			assertOk(await new Client(host).post('/api/customer/orders', { token, body }), 201);
		/* a retry that comes to the other host is no second order */
		const [first, again] = [await new Client(hosts[0]).post('/api/customer/orders', { token, body, headers }), await new Client(hosts[1]).post('/api/customer/orders', { token, body, headers })];
		assert.deepEqual([assertOk(again, 201), again.headers['idempotent-replayed']], [assertOk(first, 201), 'true']);
		for (const board of boards) {
			await board.untilId(3);
			assert.deepEqual(board.ids, [1, 2, 3]);
		}
		assertOk(await new Client(hosts[1]).post('/api/auth/logout', { token }), 204);
		assertError(await new Client(hosts[0]).get('/api/customer/orders', { token }), 401, 'TOKEN_INVALID');
	});
	test('the second one has Redis and the broker by TLS', async () => {
		const { json } = await new Client(hosts[1]).get('/health');
		assert.deepEqual([json.status, json.checks.redis.state, json.checks.rabbitmq.state], ['up', 'up', 'up']);
		assert.match(hosts[1].env.RABBITMQ_URL, /^amqps:/);
	});
	test('the balancer is not root once it listens', () => {
		assert.doesNotMatch(readFileSync(`/proc/${balancer.started.get('haproxy')}/status`, 'utf8'), /^Uid:.*\t0\b/m);
	});
	test('the balancer spreads requests and streams over both', async () => {
		/* orders may all go to one and their changes to the other, when they come in turn */
		const requests = (/** @type {import('../api/lib/stack.mjs').Stack} */ host) => ['create-order', 'update-order-status'].flatMap((program) => host.log(program)).filter((line) => line.message === 'request');
		const before = hosts.map((host) => requests(host).length);
		const boards = await orders('two hosts: none dies', hosts, async () => {});
		for (const [i, host] of hosts.entries())
			assert.ok(requests(host).length > before[i] + 40, `host ${i + 1} got few requests`);
		assert.ok(boards.every((board) => board.connections === 1));
		const addresses = new Set(hosts.map((host) => requests(host).at(-1)?.address));
		assert.deepEqual([...addresses], ['127.0.0.1'], 'the address is not the client\'s as the balancer saw it');
	});
	for (const which of ['publishing', 'other']) {
		test(`the ${which} one is killed: tables and boards go on at the other`, async () => {
			const i = which === 'publishing' ? publisher() : 1 - publisher();
			let takeover = 0;
			const boards = await orders(`two hosts: the ${which} one killed`, [hosts[1 - i]], async (more) => {
				const at = Date.now();
				kill(machine(hosts[i]));
				await more();
				if (which === 'publishing') {
					await until('another dispatcher', () => activeSince(hosts[1 - i]) > at, PATIENCE_MS);
					takeover = activeSince(hosts[1 - i]) - at;
				}
				await revive(i);
			});
			assert.ok(boards.slice(0, 4).some((board) => board.connections > 1), 'no stream had been on that host');
			assert.equal(boards[4].connections, 1);
			if (which === 'publishing')
				report('two hosts: another dispatcher publishes after', { longestGapMs: takeover });
		});
	}
	test('the publishing one freezes, and thaws', async () => {
		const i = publisher();
		let takeover = 0;
		await orders('two hosts: one frozen', [hosts[1 - i]], async (more) => {
			const at = Date.now(), pids = machine(hosts[i]);
			for (const pid of pids)
				send(pid, 'SIGSTOP');
			try {
				await more();
				await until('another dispatcher', () => activeSince(hosts[1 - i]) > at, PATIENCE_MS);
				takeover = activeSince(hosts[1 - i]) - at;
			} finally {
				for (const pid of pids)
					send(pid, 'SIGCONT');
			}
			await both();
		});
		report('two hosts: the same, when its host is frozen', { longestGapMs: takeover });
	});
	test('both are dead: the balancer answers in the API\'s form, and streams with 200, until one is back', async () => {
		const store = await newStore(balanced);
		const board = await streams.open(ADMIN, { token: store.admin.token, retryMs: 100 });
		await store.order(0);
		await board.untilId(1);
		for (const host of hosts)
			kill(machine(host));
		const { token } = store.tables[0];
		assertError(await store.client.get('/api/customer/orders', { token }), 503, 'DEPENDENCY_UNAVAILABLE');
		const stream = await store.client.get(ADMIN, { token: store.admin.token });
		assert.deepEqual([stream.status, stream.headers['content-type'], stream.text], [200, 'text/event-stream', 'retry: 2000\n\n']);
		hosts[0] = await ownStack('host1', settings[0]);
		const body = { items: [{ menu_id: store.menus[0].id, quantity: 1 }] };
		assertOk(await persist(() => store.client.post('/api/customer/orders', { token, body }), PATIENCE_MS), 201);
		await board.untilId(2, PATIENCE_MS);
		assert.deepEqual(board.ids, [1, 2]);
		await revive(1);
	});
	test('the database is away: /health takes both out, and a host still says so itself', async () => {
		const store = await newStore(balanced);
		await hosts[0].part('stop', 'postgres');
		try {
			await until('no host in service', async () => (await balancer.ask('run/admin.sock', 'show servers state')).split('\n').filter((line) => / api /.test(line)).every((line) => line.split(' ')[5] === '0'), PATIENCE_MS);
			const answer = await store.client.get('/api/customer/orders', { token: store.tables[0].token });
			assert.equal(assertError(answer, 503, 'DEPENDENCY_UNAVAILABLE').code, 'DEPENDENCY_UNAVAILABLE');
			assert.ok(hosts.some((host) => host.log('order-query').some((line) => line.request_id === answer.headers['x-request-id'])), 'no host was asked');
		} finally {
			await hosts[0].part('start', 'postgres');
		}
	});
});

describe('pictures of two hosts, in one directory', () => {
	test('one that is uploaded at either is served by both, and gone from both when it is replaced', async () => {
		const store = await newStore(hosts[0]);
		const { token } = store.admin;
		const upload = (/** @type {Stack} */ host, /** @type {number} */ red) => {
			const bytes = png(40, 30, () => [red, 0, 0]);
			return new Client(host).post('/api/admin/menus', { token, ...form([['name', '그림'], ['price', '1000'], ['category_id', String(store.categories[0].id)], ['image', bytes, 'p.png']]) });
		};
		for (const host of hosts) {
			const menu = assertOk(await upload(host, 200), 201);
			const images = await Promise.all(hosts.map((h) => new Client(h).get(menu.image_url)));
			assert.deepEqual(images.map((answer) => answer.status), [200, 200]);
			assert.equal(images[0].text, images[1].text);
			const other = hosts.find((h) => h !== host) ?? host;
			const changed = assertOk(await new Client(other).patch(`/api/admin/menus/${menu.id}`, { token, ...form([['image', png(30, 40, () => [0, 200, 0]), 'q.png']]) }), 200);
			assert.notEqual(changed.image_url, menu.image_url);
			for (const h of hosts) {
				assert.equal((await new Client(h).get(menu.image_url)).status, 404);
				assert.equal((await new Client(h).get(changed.image_url)).status, 200);
			}
		}
	});
	test('the nightly sweep of either host leaves what a menu names', async () => {
		const store = await newStore(hosts[0]);
		const menu = assertOk(await new Client(hosts[0]).post('/api/admin/menus', { token: store.admin.token,
			...form([['name', '그림'], ['price', '1000'], ['category_id', String(store.categories[0].id)], ['image', png(40, 30, () => [9, 9, 9]), 'p.png']]) }), 201);
		for (const host of hosts)
			await host.orderctl('maintenance');
		for (const host of hosts)
			assert.equal((await new Client(host).get(menu.image_url)).status, 200);
	});
});
