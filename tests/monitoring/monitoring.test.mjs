/** Rules, dashboards and samples of etc/, by promtool and amtool; and that each alert is tested and explained. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RULES, dashboardExpressions, dashboards, isOfBackup, metricsInUse } from '../api/lib/monitoring.mjs';
import { SOURCE } from '../api/lib/stack.mjs';

const TESTS = join(SOURCE, 'tests/monitoring/alerts.yml');
const PAGE = 'doc/operations/monitoring.md';
/** Where the package puts it. */
const INSTALLED_PAGE = '/usr/share/doc/table-order/operations/monitoring.md';

/** @param {string} tool @param {string[]} args */
function succeeds(tool, ...args) {
	const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8' });
	assert.equal(status, 0, `${tool} ${args.join(' ')}: ${error ?? stdout + stderr}`);
}

/** A file for the time of one call. @param {string} text @param {(file: string) => void} use */
function withFile(text, use) {
	const dir = mkdtempSync(join(tmpdir(), 'to-monitoring.'));
	try {
		writeFileSync(join(dir, 'file.yml'), text);
		use(join(dir, 'file.yml'));
	} finally {
		rmSync(dir, { recursive: true });
	}
}

/** @param {string} path */
function read(path) {
	return readFileSync(join(SOURCE, path), 'utf8');
}

/** Each alert of the rules with its lines. */
function alerts() {
	const [, ...parts] = readFileSync(RULES, 'utf8').split(/^ +- alert: /m);
	return parts.map((text) => ({ name: text.slice(0, text.indexOf('\n')), text }));
}

/** A heading's anchor, as GitHub and GitLab make it. @param {string} heading */
function anchor(heading) {
	return heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-');
}

describe('the alerts', () => {
	test('fire, and do not fire, as their tests say', () => succeeds('promtool', 'test', 'rules', TESTS));
	test('are each shown firing and silent', () => {
		const names = new Set(readFileSync(TESTS, 'utf8').match(/^ {2}- name: .*$/gm));
		assert.deepEqual([...names].sort(), alerts().flatMap(({ name }) => [`  - name: ${name} fires`, `  - name: ${name} is silent`]).sort());
	});
	test('have each a severity, a summary and a section of the page', () => {
		const anchors = new Set((read(PAGE).match(/^#+ .*$/gm) ?? []).map((line) => anchor(line.replace(/^#+ /, ''))));
		assert.ok(alerts().length > 15);
		for (const { name, text } of alerts()) {
			assert.match(text, /severity: (warning|critical)\}/, name);
			assert.match(text, /summary: '.+'/, name);
			const [, page, section] = /runbook: (\S+)#(\S+)/.exec(text) ?? assert.fail(`${name} has no runbook`);
			assert.equal(page, INSTALLED_PAGE);
			assert.equal(section, anchor(name));
			assert.ok(anchors.has(section), `${PAGE} has no section ${name}`);
		}
	});
});

describe('the samples', () => {
	test('are good for Prometheus', () => succeeds('promtool', 'check', 'config', join(SOURCE, 'etc/prometheus/prometheus.yml')));
	test('are good for Alertmanager', () => {
		const text = read('etc/alertmanager/alertmanager.yml.in').replaceAll('@SLACK_URL_FILE@', '/etc/prometheus/slack-url').replaceAll('@SLACK_CHANNEL@', '#table-order');
		assert.doesNotMatch(text.replace(/^#.*$/gm, ''), /@[A-Z_]+@/);
		withFile(text, (file) => succeeds('amtool', 'check-config', file));
	});
});

describe('the dashboards', () => {
	test('ask nothing that Prometheus cannot parse', () => {
		const rules = dashboardExpressions().map(({ expression }, i) => ({ record: `x:${i}`, expr: expression }));
		assert.ok(rules.length > 20);
		for (const { where, expression } of dashboardExpressions())
			assert.doesNotMatch(expression, /\$/, where);
		withFile(JSON.stringify({ groups: [{ name: 'dashboards', rules }] }), (file) => succeeds('promtool', 'check', 'rules', file));
	});
	test('have panels that lie beside each other and names of their own', () => {
		const uids = new Set();
		for (const [file, dashboard] of dashboards()) {
			uids.add(dashboard.uid);
			const taken = new Set();
			for (const { id, title, gridPos: { x, y, w, h } } of dashboard.panels) {
				assert.ok(x + w <= 24, `${file}: ${title}`);
				for (let column = x; column < x + w; column++)
					for (let row = y; row < y + h; row++) {
						assert.ok(!taken.has(`${column} ${row}`), `${file}: ${title} lies on another`);
						taken.add(`${column} ${row}`);
					}
				assert.ok(!taken.has(id), `${file}: ${id} twice`);
				taken.add(id);
			}
		}
		assert.equal(uids.size, dashboards().size);
	});
	test('are where the provisioning looks for them', () => {
		const path = /path: (\S+)/.exec(read('etc/grafana/provisioning/dashboards/table-order.yml'))?.[1];
		assert.equal(path, '/var/lib/grafana/dashboards/table-order');
		assert.ok(read(PAGE).includes(`${path}`));
	});
});

describe('the page', () => {
	test('names every metric that there is', () => {
		const names = [...read('lib/metrics.h').matchAll(/"(table_order_[a-z_]+)"/g)].map((match) => match[1]);
		assert.ok(names.length > 20);
		const page = read(PAGE);
		assert.deepEqual(names.filter((name) => !page.includes(`\`${name}\``)), []);
	});
});

describe('the backup', () => {
	test('writes what alerts and dashboards ask of it', () => {
		const names = metricsInUse().filter(isOfBackup);
		assert.ok(names.length >= 4);
		for (const name of names)
			assert.ok(read('scripts/table-order-backup').includes(`metric ${name.replace(/^table_order_(backup|restore_test)_last_/, '')} `), name);
	});
});
