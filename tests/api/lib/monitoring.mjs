/** What etc/ gives Prometheus and Grafana, read. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
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
	return [...new Set(text.match(/\b(table_order|pg|redis|rabbitmq|nginx|node)_[a-z0-9_]+/g))].map((name) => name.replace(/_bucket$/, '')).sort();
}

/** The families that the backup writes for node_exporter. @param {string} name */
export function isOfBackup(name) {
	return /^table_order_(backup|restore_test)_/.test(name);
}
