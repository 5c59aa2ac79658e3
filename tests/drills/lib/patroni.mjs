/** Three PostgreSQL servers under Patroni with an etcd member each, as etc/patroni has them: three machines on one. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { SOURCE } from '../../api/lib/stack.mjs';
import { until } from '../../api/lib/until.mjs';
import { Host, asUser, family, freePorts, makeDir, render, runAsUser, writeOwn } from './host.mjs';

const SAMPLES = join(SOURCE, 'etc/patroni');
const ADDRESS = '127.0.0.1';
const NAMES = ['db1', 'db2', 'db3'];
const ROLES = ['owner', 'service', 'dispatcher', 'relay'];

/** @typedef {{name: string, role: string, state: string, timeline?: number, lag?: number}} Member */

export class Node extends Host {
	/** @param {string} dir @param {string} name @param {number[]} ports */
	constructor(dir, name, [port, api, client, peer]) {
		super(dir, name);
		this.ports = { port, api, client, peer };
		this.config = join(dir, 'config.yml');
		this.data = join(dir, 'data');
	}

	/** @param {Record<string, string | number>} words */
	configure(words) {
		const own = { ...words, NAME: this.name, ADDRESS, PORT: this.ports.port, API_PORT: this.ports.api, CLIENT_PORT: this.ports.client, PEER_PORT: this.ports.peer,
			DATA_DIR: this.data, ETCD_DIR: join(this.dir, 'etcd'), RUN_DIR: join(this.dir, 'run') };
		writeOwn(this.config, render(join(SAMPLES, 'patroni.yml.in'), own));
		const etcd = render(join(SAMPLES, 'etcd.in'), own);
		this.etcd = Object.fromEntries(etcd.split('\n').filter(Boolean).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
	}

	/** @param {string[]} options */
	startEtcd(...options) {
		this.spawn('etcd', ['etcd', '--logger=zap', ...options], this.etcd);
	}

	start() {
		this.startEtcd();
		this.spawn('patroni', ['patroni', this.config]);
	}

	/** PostgreSQL and all below it, which Patroni has let go of. */
	postgres() {
		const file = join(this.data, 'postmaster.pid');
		const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
		return pid > 0 ? family(pid) : [];
	}

	pids() {
		return [...new Set([...super.pids(), ...this.postgres()])];
	}
}

export class Cluster {
	/** @param {string} dir @param {Node[]} nodes @param {string} certs @param {Record<string, string>} passwords */
	constructor(dir, nodes, certs, passwords) {
		this.dir = dir;
		this.nodes = nodes;
		this.certs = certs;
		this.passwords = passwords;
		this.ca = readFileSync(join(certs, 'ca.crt'));
	}

	/** @param {string} role @param {string} [database] The address of whichever server takes writes. */
	url(role, database = 'table_order') {
		const hosts = this.nodes.map((node) => `${ADDRESS}:${node.ports.port}`).join(',');
		return `postgresql://${role}:${this.passwords[role]}@${hosts}/${database}?target_session_attrs=read-write&sslmode=verify-full&sslrootcert=${this.certs}/ca.crt`;
	}

	/** What table-order is told about it. @returns {Record<string, string>} */
	get settings() {
		return { DATABASE_URL: this.url('table_order_service'), DATABASE_OWNER_URL: this.url('table_order_owner'),
			DISPATCHER_DATABASE_URL: this.url('table_order_dispatcher'), RELAY_DATABASE_URL: this.url('table_order_relay') };
	}

	/** Runs SQL at the primary as the superuser. @param {string} text @param {string[]} [args] @param {string} [database] */
	psql(text, args = [], database = 'postgres') {
		const [file, ...rest] = asUser(this.dir, ['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', ...args, this.url('postgres', database)], { PGCONNECT_TIMEOUT: '5' });
		return execFileSync(file, rest, { encoding: 'utf8', input: text, stdio: ['pipe', 'pipe', 'pipe'] }).trim();
	}

	/** Until a server takes writes. */
	writable() {
		return until('a server that takes writes', () => {
			try {
				return this.psql('select true') === 't';
			} catch {
				return false;
			}
		}, 120000);
	}

	/** The members as one of the nodes sees them; none when nobody answers. @returns {Promise<Member[]>} */
	async members() {
		for (const node of this.nodes) {
			const answer = await this.get(node, '/cluster');
			if (answer !== undefined)
				return answer.members;
		}
		return [];
	}

	/** What a node's Patroni answers; undefined when it does not. @param {Node} node @param {string} path @returns {Promise<any>} */
	get(node, path) {
		return new Promise((done) => {
			const request = https.get({ host: ADDRESS, port: node.ports.api, path, ca: this.ca, agent: false, timeout: 3000 }, (response) => {
				let text = '';
				response.setEncoding('utf8').on('data', (s) => { text += s; }).on('end', () => done(JSON.parse(text)));
			});
			request.on('timeout', () => request.destroy());
			request.on('error', () => done(undefined));
		});
	}

	/** @param {Node} node @returns {Promise<{role: string, state: string, dcs_last_seen: number} | undefined>} */
	status(node) {
		return this.get(node, '/patroni');
	}

	/** @param {string} role The node that has it, or undefined. */
	async having(role) {
		const member = (await this.members()).find((m) => m.role === role && m.state === 'running');
		return this.nodes.find((node) => node.name === member?.name);
	}

	/** @param {string} [but] A primary other than this. @param {number} [ms] */
	primary(but, ms = 120000) {
		return until('a primary', async () => {
			const node = await this.having('leader');
			return node !== undefined && node.name !== but && node;
		}, ms);
	}

	/** Until it has a primary, a synchronous standby and another one, all on one timeline and none behind. */
	async healthy() {
		/** @type {Member[]} */
		let members = [];
		await until('three healthy members', async () => {
			members = await this.members();
			const timelines = new Set(members.map((m) => m.timeline));
			return members.map((m) => m.role).sort().join() === 'leader,replica,sync_standby' && timelines.size === 1 &&
				members.every((m) => ['running', 'streaming'].includes(m.state) && (m.lag ?? 0) === 0);
		}, 90000).catch((error) => {
			throw new Error(`${error.message}; there was: ${JSON.stringify(members)}`);
		});
	}

	/** @param {string[]} args of patronictl */
	ctl(...args) {
		return runAsUser(this.dir, ['patronictl', '-c', this.nodes[0].config, ...args]);
	}

	async stop() {
		for (const node of this.nodes) {
			node.signal('CONT');
			await node.kill();
		}
	}
}

/** @param {string} base each node gets a directory BASE.NAME @returns {Promise<Cluster>} */
export async function startCluster(base) {
	const ports = await freePorts(4 * NAMES.length);
	const nodes = NAMES.map((name, i) => new Node(`${base}.${name}`, name, ports.slice(4 * i, 4 * i + 4)));
	const dir = makeDir(base);
	const certs = join(dir, 'certs');
	/** @type {Record<string, string>} */
	const passwords = {};
	for (const role of ['postgres', 'replicator', 'rewind', ...ROLES.map((name) => `table_order_${name}`)])
		passwords[role] = randomBytes(12).toString('hex');

	runAsUser(dir, [join(SAMPLES, 'make-certificates'), certs, ...NAMES.map((name) => `${name}=${ADDRESS}`)]);
	for (const node of nodes) {
		node.configure({ CERTS: certs, NETWORK: '127.0.0.0/8', SUPERUSER_PASSWORD: passwords.postgres, REPLICATION_PASSWORD: passwords.replicator, REWIND_PASSWORD: passwords.rewind,
			ETCD: nodes.map((n) => `${ADDRESS}:${n.ports.client}`).join(), MEMBERS: nodes.map((n) => `${n.name}=https://${ADDRESS}:${n.ports.peer}`).join() });
		node.start();
	}
	const cluster = new Cluster(dir, nodes, certs, passwords);
	await cluster.healthy();
	await cluster.writable();
	cluster.psql(readFileSync(join(SOURCE, 'db/bootstrap.sql'), 'utf8'), ROLES.flatMap((name) => ['-v', `${name}_password=${passwords[`table_order_${name}`]}`]));
	cluster.psql("create database table_order owner table_order_owner template template0 encoding 'UTF8' locale 'C.UTF-8'");
	return cluster;
}
