/** A service that stops becomes a message in Slack: here at a stand-in for its webhook, by Prometheus and Alertmanager with the samples of etc/. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemons, freePort } from '../api/lib/daemon.mjs';
import { report } from '../api/lib/load.mjs';
import { startPrometheus, watchPostgres } from '../api/lib/monitoring.mjs';
import { SOURCE, ownStack } from '../api/lib/stack.mjs';
import { until } from '../api/lib/until.mjs';

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {Daemons} */
let daemons;
/** What came in the channel. @type {any[]} */
const messages = [];

const slack = http.createServer((request, response) => {
	let text = '';
	request.setEncoding('utf8').on('data', (part) => { text += part; });
	request.on('end', () => {
		messages.push({ path: request.url, method: request.method, ...JSON.parse(text) });
		response.end('ok');
	});
});

/** @param {string} webhook */
async function startAlertmanager(webhook) {
	const dir = daemons.directory('alertmanager');
	writeFileSync(join(dir, 'slack-url'), webhook);
	let text = readFileSync(join(SOURCE, 'etc/alertmanager/alertmanager.yml.in'), 'utf8');
	/* a message at once, the next one soon */
	for (const [what, by] of [['@SLACK_URL_FILE@', join(dir, 'slack-url')], ['@SLACK_CHANNEL@', '#table-order'], ['group_wait: 10s', 'group_wait: 0s'], ['group_interval: 5m', 'group_interval: 1s']]) {
		assert.ok(text.includes(what), what);
		text = text.replaceAll(what, by);
	}
	writeFileSync(join(dir, 'alertmanager.yml'), text);
	const listen = `127.0.0.1:${await freePort()}`;
	await daemons.start(`http://${listen}/-/ready`, 'prometheus-alertmanager', [`--config.file=${join(dir, 'alertmanager.yml')}`,
		`--storage.path=${daemons.directory('alertmanager/data')}`, `--web.listen-address=${listen}`, '--cluster.listen-address=']);
	return listen;
}

/** The message with this title; what it says. @param {string} title */
async function message(title) {
	const found = await until(`a message ${title}`, () => messages.find(({ attachments }) => attachments[0].title === title), 120000);
	assert.equal(found.method, 'POST');
	assert.equal(found.path, '/services/T0/B0/secret');
	assert.equal(found.channel, '#table-order');
	return found.attachments[0];
}

/** A part is stopped, which is told; it is started again, and that is told too. @param {string} part @param {string} alert @param {RegExp} says */
async function stopAndStart(part, alert, says) {
	const began = Date.now();
	await stack.part('stop', part);
	const firing = await message(`FIRING: ${alert}`), seconds = ((Date.now() - began) / 1000).toFixed(1);
	assert.match(firing.text, says);
	assert.match(firing.text, new RegExp(`/usr/share/doc/table-order/operations/monitoring\\.md#${alert.toLowerCase()}`));
	assert.equal(firing.color, 'danger');
	await stack.part('start', part);
	assert.equal((await message(`RESOLVED: ${alert}`)).color, 'good');
	report(`alert: ${part} stopped`, {}, `message after ${seconds} s, with seconds for the rule's minutes`);
}

/** @param {string} name @param {Record<string, string>} settings @param {() => Promise<Record<string, string | string[]>>} others what is watched beside the programs */
async function startAll(name, settings, others) {
	messages.length = 0;
	stack = await ownStack(name, settings);
	daemons = new Daemons(stack);
	const { port } = /** @type {import('node:net').AddressInfo} */ (slack.address());
	const prometheus = await startPrometheus(daemons, {
		'localhost:9093': await startAlertmanager(`http://127.0.0.1:${port}/services/T0/B0/secret`),
		'localhost:80': stack.url.host,
		...await others(),
	}, { 'for: 1m': 'for: 2s' });
	await until('all programs to be seen', async () => (await prometheus.query('table_order_processes == 1')).length >= 12, 30000);
	return prometheus;
}

async function stopAll() {
	await daemons?.stop();
	await stack?.stop();
}

before(() => new Promise((done) => slack.listen(0, '127.0.0.1', () => done(undefined))));
after(() => slack.close());

describe('a message comes to Slack', () => {
	before(() => startAll('alert', {}, async () => ({})));
	after(stopAll);

	test('when the relay stops, and when it is back', () => stopAndStart('sse-relay', 'RelayDown', /^No relay runs on 127\.0\.0\.1:\d+/));
	test('when a service stops', () => stopAndStart('create-order', 'ProgramDown', /^create-order does not run on 127\.0\.0\.1:\d+/));
	test('when a service hangs, and when it goes on', async () => {
		const pid = Number(stack.pid('menu')), began = Date.now();
		process.kill(pid, 'SIGSTOP');
		const firing = await message('FIRING: ProgramHangs'), seconds = ((Date.now() - began) / 1000).toFixed(1);
		assert.match(firing.text, /^menu on 127\.0\.0\.1:\d+ runs, but does nothing/);
		process.kill(pid, 'SIGCONT');
		await message('RESOLVED: ProgramHangs');
		report('alert: menu hung', {}, `message after ${seconds} s, with seconds for the rule's minutes`);
	});
	test('when the database stops', () => stopAndStart('postgres', 'DatabaseUnreachable', /^127\.0\.0\.1:\d+ cannot connect to the database/));
	test('when the web server stops', () => stopAndStart('nginx', 'TableOrderDown', /^127\.0\.0\.1:\d+ does not answer/));
	test('and nothing else was said', () => {
		const alerts = new Set(messages.map(({ attachments }) => attachments[0].title.replace(/^\w+: /, '')));
		assert.deepEqual([...alerts].sort(), ['DatabaseUnreachable', 'ProgramDown', 'ProgramHangs', 'RelayDown', 'TableOrderDown']);
	});
});

describe('a standby that takes over', () => {
	before(async () => {
		const prometheus = await startAll('alert-failover', { STANDBY: '1' }, async () => ({ 'localhost:9187': [await watchPostgres(daemons), await watchPostgres(daemons, 5433)] }));
		await until('commits that wait for a standby', async () => (await prometheus.query('pg_synchronous_required == 1 and pg_synchronous_standbys == 1')).length === 1, 30000);
	});
	after(stopAll);

	test('is told, and that nothing stands behind it until the other is its standby', async () => {
		const began = Date.now();
		await stack.part('stop', 'postgres');
		await stack.part('promote');
		assert.match((await message('FIRING: DatabaseFailedOver')).text, /^Another database server has taken over, says 127\.0\.0\.1:\d+/);
		const seconds = ((Date.now() - began) / 1000).toFixed(1);
		assert.equal((await message('FIRING: SynchronousReplicationSuspended')).color, 'danger');
		await message('FIRING: PostgresDown');
		await stack.part('start', 'postgres');
		await message('RESOLVED: SynchronousReplicationSuspended');
		await message('RESOLVED: PostgresDown');
		report('alert: a standby was promoted', {}, `message after ${seconds} s, with seconds for the rule's minutes`);
	});
});
