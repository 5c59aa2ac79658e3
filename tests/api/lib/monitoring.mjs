/** What etc/ gives Prometheus and Grafana: read, and at work. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './daemon.mjs';
import { SOURCE } from './stack.mjs';

const DASHBOARDS = join(SOURCE, 'etc/grafana/dashboards');
export const RULES = join(SOURCE, 'etc/prometheus/rules/table-order.yml');

/** The dashboards by file name. @returns {Map<string, any>} */
export function dashboards() {
	return new Map(readdirSync(DASHBOARDS).map((name) => [name, JSON.parse(readFileSync(join(DASHBOARDS, name), 'utf8'))]));
}

/** Every expression of every dashboard, with Grafana's own words filled in. */
export function dashboardExpressions() {
	return [...dashboards()].flatMap(([name, dashboard]) =>
		dashboard.panels.flatMap((/** @type {any} */ panel) => (panel.targets ?? []).map((/** @type {any} */ target) => ({
			where: `${name}: ${panel.title}`,
			expression: target.expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
		}))));
}

/** The metrics that alerts and dashboards ask for, without the parts of histograms: one list, theirs. */
export function metricsInUse() {
	const text = readFileSync(RULES, 'utf8').replace(/^\s*(#|summary:|runbook:|- alert:).*$/gm, '') + dashboardExpressions().map(({ expression }) => expression).join('\n');
	return [...new Set(text.match(/\b(table_order|pg|redis|rabbitmq|nginx|node)_[a-zA-Z0-9_]+/g))].map((name) => name.replace(/_bucket$/, '')).sort();
}

/** The families that the backup writes for node_exporter. @param {string} name */
export function isOfBackup(name) {
	return /^table_order_(backup|restore_test)_/.test(name);
}

/** Those of orderctl doctor. @param {string} name */
export function isOfDoctor(name) {
	return name.startsWith('table_order_doctor_');
}

/** @param {string} text @param {string} what that must be in it @param {string} by */
function replaced(text, what, by) {
	if (!text.includes(what))
		throw new Error(`there is no ${what}`);
	return text.replaceAll(what, by);
}

/**
 * Prometheus with the sample of etc/ and its rules, but for the addresses, and every 2 s.
 * @param {import('./daemon.mjs').Daemons} daemons
 * @param {Record<string, string | string[]>} addresses the sample's address -> the real one, or more; jobs of other addresses are left out
 * @param {Record<string, string>} [rules] what is replaced in the rules
 */
export async function startPrometheus(daemons, addresses, rules = {}) {
	const dir = daemons.directory('prometheus');
	let [head, ...jobs] = readFileSync(join(SOURCE, 'etc/prometheus/prometheus.yml'), 'utf8').replace(/^ *#.*\n/gm, '').split(/^(?= {2}- job_name: )/m);
	/* not less: the exporter takes a second to find a server down */
	head = replaced(replaced(head, '15s', '2s'), "'localhost:9093'", `'${addresses['localhost:9093'] ?? ''}'`).replace("['']", '[]');
	let text = head;
	for (const job of jobs) {
		const [address] = /localhost:\d+/.exec(job) ?? [''];
		if (address in addresses)
			text += replaced(job, address, [addresses[address]].flat().join("', '"));
	}
	let ruleText = readFileSync(RULES, 'utf8');
	for (const [what, by] of Object.entries(rules))
		ruleText = replaced(ruleText, what, by);
	mkdirSync(join(dir, 'rules'), { recursive: true });
	writeFileSync(join(dir, 'prometheus.yml'), text);
	writeFileSync(join(dir, 'rules/table-order.yml'), ruleText);
	const listen = `127.0.0.1:${await freePort()}`;
	await daemons.start(`http://${listen}/-/ready`, 'prometheus', [`--config.file=${join(dir, 'prometheus.yml')}`,
		`--storage.tsdb.path=${daemons.directory('prometheus/data')}`, `--web.listen-address=${listen}`]);
	return new Prometheus(`http://${listen}`);
}

/**
 * Starts an exporter. Returns its address.
 * @param {import('./daemon.mjs').Daemons} daemons @param {string} command @param {(listen: string) => string[]} args for an address
 * @param {Record<string, string>} [env]
 */
export async function startExporter(daemons, command, args, env) {
	const listen = `127.0.0.1:${await freePort()}`;
	await daemons.start(`http://${listen}/metrics`, command, args(listen), env);
	return listen;
}

/**
 * What doc/operations/monitoring.md does on a database server: the role, made on the first, and the exporter. Returns its address.
 * @param {import('./daemon.mjs').Daemons} daemons @param {number} [port] of the server, on the stack's socket
 */
export async function watchPostgres(daemons, port = 5432) {
	const queries = join(daemons.directory('exporters'), 'postgres-queries.yml');
	if (port === 5432)
		execFileSync('psql', ['-XqAt', '-h', join(daemons.stack.dir, 'run'), '-U', 'postgres', '-c', 'create role prometheus login in role pg_monitor'], { stdio: 'pipe' });
	copyFileSync(join(SOURCE, 'etc/prometheus/postgres-queries.yml'), queries);
	return startExporter(daemons, 'prometheus-postgres-exporter', (listen) => [`--web.listen-address=${listen}`, `--extend.query-path=${queries}`],
		{ DATA_SOURCE_NAME: `user=prometheus host=${daemons.stack.dir}/run port=${port} dbname=postgres sslmode=disable` });
}

export class Prometheus {
	/** @param {string} url */
	constructor(url) {
		this.url = url;
	}

	/** @param {string} path below /api/v1 @param {Record<string, string>} [parameters] */
	async get(path, parameters = {}) {
		const answer = await (await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`)).json();
		if (answer.status !== 'success')
			throw new Error(`${JSON.stringify(parameters)}: ${answer.error}`);
		return answer.data;
	}

	/** The series of an expression, now. @param {string} query @returns {Promise<{metric: Record<string, string>, value: [number, string]}[]>} */
	async query(query) {
		return (await this.get('query', { query })).result;
	}
}
