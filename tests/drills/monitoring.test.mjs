/** Prometheus with the sample of etc/ watches an installation by the exporters of Debian. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertError, assertOk } from '../api/lib/client.mjs';
import { Daemons, freePort } from '../api/lib/daemon.mjs';
import { report } from '../api/lib/load.mjs';
import { dashboardExpressions, metricsInUse, startExporter, startPrometheus, watchPostgres } from '../api/lib/monitoring.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { ownStack } from '../api/lib/stack.mjs';
import { newStore } from '../api/lib/store.mjs';
import { until } from '../api/lib/until.mjs';

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Daemons} */
let daemons;
/** @type {Streams} */
let streams;
/** @type {import('../api/lib/monitoring.mjs').Prometheus} */
let prometheus;

/* in a chroot that is no mount, node_exporter sees no disk */
const SEES_DISKS = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').some((line) => line.split(' ')[4] === '/');
/** @param {string} text a metric's name, or an expression */
const isToBeSeen = (text) => SEES_DISKS || !text.includes('node_filesystem_');

/** RabbitMQ's own plugin, on a port that is free. */
async function watchRabbitmq() {
	const dir = join(stack.dir, 'rabbitmq'), port = await freePort();
	const [, , epmd] = readFileSync(join(dir, 'ports'), 'utf8').trim().split(' ');
	const user = process.getuid?.() === 0 ? { uid: daemons.owner.uid, gid: daemons.owner.gid } : {};
	/** @param {string} tool @param {string[]} args */
	const run = (tool, ...args) => execFileSync(`/usr/lib/rabbitmq/bin/${tool}`, args, {
		stdio: 'pipe', cwd: dir, ...user, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', HOME: dir, RABBITMQ_NODENAME: 'table_order@localhost', ERL_EPMD_PORT: epmd,
			RABBITMQ_CONF_ENV_FILE: '/dev/null', RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins') },
	});
	run('rabbitmqctl', 'eval', `application:set_env(rabbitmq_prometheus, tcp_config, [{ip, "127.0.0.1"}, {port, ${port}}]).`);
	run('rabbitmq-plugins', 'enable', 'rabbitmq_prometheus');
	return `127.0.0.1:${port}`;
}

/** A day at the restaurant, with what goes wrong on one. */
async function work() {
	const store = await newStore(stack);
	const board = await streams.open('/api/admin/orders/stream', { token: store.admin.token });
	const order = await store.order(0);
	await board.until('the order', () => board.news.some((event) => event.type === 'OrderCreated'));
	await store.move(order.id, 'preparing');
	assertError(await store.client.post('/api/customer/orders', { token: store.tables[0].token, body: { items: [{ menu_id: 1, quantity: 1 }] } }), 409, 'ORDER_ITEMS_UNAVAILABLE');
	assertOk(await store.client.post(`/api/admin/tables/${store.tables[0].table_id}/complete-session`, { token: store.admin.token }), 200);
	for (let i = 0; i < 2; i++)
		assertOk(await store.client.get('/api/customer/menus', { token: store.tables[1].token }), 200);
	assertError(await store.client.post('/api/admin/auth/login', { body: { store_id: store.store_id, username: store.admin.username, password: 'wrong' } }), 401, 'INVALID_CREDENTIALS');
}

/** What table-order-backup and orderctl doctor write. @returns {Promise<string>} a pattern of their directories */
async function writeFiles() {
	const base = daemons.directory('node');
	const [doctors, dir] = ['table-order', 'table-order-backup'].map((part) => daemons.directory(`node/${part}/metrics`));
	for (const name of ['backup', 'restore_test']) {
		const values = { last_success_timestamp_seconds: Math.floor(Date.now() / 1000), last_run_success: 1, last_duration_seconds: 7, ...name === 'backup' && { last_size_bytes: 1e6 } };
		writeFileSync(join(dir, `${name}.prom`), Object.entries(values).map(([key, value]) => `# TYPE table_order_${name}_${key} gauge\ntable_order_${name}_${key} ${value}\n`).join(''));
	}
	await stack.orderctl('doctor', '--metrics', join(doctors, 'doctor.prom'));
	return join(base, 'table-order*/metrics');
}

describe('an installation that is watched', () => {
	before(async () => {
		/* all is slow, so that slow requests are there to be counted */
		stack = await ownStack('monitoring', { SLOW_READ_MS: '1', SLOW_WRITE_MS: '1' });
		daemons = new Daemons(stack);
		streams = new Streams(stack);
		const files = await writeFiles();
		prometheus = await startPrometheus(daemons, {
			'localhost:80': stack.url.host,
			'localhost:9187': await watchPostgres(daemons),
			'localhost:9121': await startExporter(daemons, 'prometheus-redis-exporter', (listen) => ['-web.listen-address', listen, '-redis.addr', `unix://${stack.dir}/run/redis.sock`]),
			'localhost:15692': await watchRabbitmq(),
			'localhost:9113': await startExporter(daemons, 'prometheus-nginx-exporter', (listen) => ['-web.listen-address', listen, '-nginx.scrape-uri', `${stack.info.base_url}/nginx-status`]),
			'localhost:9100': await startExporter(daemons, 'prometheus-node-exporter', (listen) => [`--web.listen-address=${listen}`, `--collector.textfile.directory=${files}`]),
		});
	});
	after(async () => {
		streams?.closeAll();
		await daemons?.stop();
		await stack?.stop();
	});

	test('has every target of the sample up', async () => {
		const jobs = ['nginx', 'node', 'postgres', 'rabbitmq', 'redis', 'table-order'];
		await until('every target up', async () => {
			const up = await prometheus.query('up == 1');
			return jobs.join() === up.map(({ metric }) => metric.job).sort().join();
		}, 30000);
		for (const name of ['pg_up', 'redis_up', 'nginx_up'])
			assert.deepEqual((await prometheus.query(name)).map(({ value }) => value[1]), ['1'], name);
	});
	test('has every metric that alerts and dashboards ask for', async () => {
		await work();
		for (const name of metricsInUse().filter(isToBeSeen))
			await until(`a value of ${name}`, async () => (await prometheus.query(`{__name__=~"${name}(_bucket)?"}`)).length > 0, 30000);
	});
	test('fills every panel of the dashboards, but for failures it did not have', async () => {
		for (const { where, expression } of dashboardExpressions().filter((panel) => isToBeSeen(panel.expression)))
			await until(`an answer to ${expression} (${where})`, async () => {
				await work();
				return (await prometheus.query(expression)).length > 0 || expression.includes('status=~"5..');
			}, 60000);
	});
	test('evaluates every rule, and no alert comes', async () => {
		const rules = await until('an evaluation of every rule', async () => {
			const all = (await prometheus.get('rules')).groups.flatMap((/** @type {any} */ group) => group.rules);
			return all.every((/** @type {any} */ rule) => rule.health !== 'unknown') && all;
		}, 30000);
		assert.ok(rules.length > 15);
		for (const rule of rules)
			assert.equal(rule.health, 'ok', `${rule.name}: ${rule.lastError}`);
		/* of a machine's disks this knows nothing */
		assert.deepEqual((await prometheus.query('ALERTS{alertname!~"DiskFilling|ReadsSlow|OrdersSlow"}')).map(({ metric }) => metric), []);
		report('monitoring: all targets up', {}, `${rules.length} rules and ${dashboardExpressions().length} expressions of dashboards answered${SEES_DISKS ? '' : ', but for those about disks'}`);
	});
});
