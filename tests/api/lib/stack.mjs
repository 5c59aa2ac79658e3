/** A complete private installation: started, looked into, hurt and stopped through scripts/stack. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './until.mjs';

const run = promisify(execFile);

export const SOURCE = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** Who hosts the programs. */
export const WEB = process.env.TABLE_ORDER_WEB ?? 'nginx';
const TOOL = join(SOURCE, 'scripts/stack');

/**
 * @typedef {{table_id: number, table_number: string, password: string}} TableAccount
 * @typedef {{store_id: string, store_code: string, name: string, admin: {username: string, password: string}, tables: TableAccount[]}} StoreAccount
 * @typedef {{base_url: string, http_url?: string, ca_file?: string, env_file: string, pids: Record<string, number>, supervisors: Record<string, number>,
 *   super_admin: {username: string, password: string}, stores: StoreAccount[]}} Quickstart
 * @typedef {{method: string, pattern: string, program: string, roles: string[], flags: string[]}} Route
 */

export class Stack {
	/** @param {string} dir */
	constructor(dir) {
		this.dir = dir;
		/** @type {Quickstart} */
		this.info = JSON.parse(readFileSync(join(dir, 'quickstart.json'), 'utf8'));
		this.url = new URL(this.info.base_url);
		this.env = readEnv(this.info.env_file);
		/** How requests go there: by http.request({ ...where, … }), or https's. */
		this.http = this.info.ca_file === undefined ? http : https;
		this.ca = this.info.ca_file && readFileSync(this.info.ca_file);
	}

	/** Where url is: a test may have set it to what stands before this. */
	get where() {
		return { host: this.url.hostname, port: this.url.port, ca: this.ca };
	}

	/** @param {string} program Its log, as objects. */
	log(program) {
		const file = join(this.dir, 'log', `${program}.log`);
		const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
		return text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => JSON.parse(line));
	}

	/**
	 * The log line of one request, which is written after its answer.
	 * @param {string} program @param {string} requestId
	 */
	logLine(program, requestId) {
		return until(`a line of ${requestId} in ${program}.log`, () => this.log(program).find((line) => line.request_id === requestId));
	}

	/** @param {string} name @param {'TERM' | 'KILL'} signal Ends the program behind its supervisor. */
	signal(name, signal) {
		const pid = this.running(name);
		process.kill(pid, `SIG${signal}`);
		return pid;
	}

	/** @param {string} name The pid of a program that is to run. */
	running(name) {
		const pid = this.pid(name);
		if (pid === undefined)
			throw new Error(`${name} does not run`);
		return pid;
	}

	/** @param {string} name The program's own pid, or undefined while there is none. @returns {number | undefined} */
	pid(name) {
		const supervisor = Number(readFileSync(join(this.dir, 'pids', name), 'utf8').split(' ')[0]);
		if (!(name in this.info.supervisors))
			return supervisor;
		return descendants(supervisor).find((pid) => executable(pid) === name);
	}

	/** @param {string} program The processes that serve its requests: where the web server starts them itself, they are the web server's. */
	pids(program) {
		const [web, pid] = [this.info.pids.apache, program in this.info.supervisors ? this.pid(program) : undefined];
		return pid !== undefined ? [pid] : descendants(web).filter((child) => executable(child) === program);
	}

	/** @param {string} name Waits until a program other than the one with this pid runs. @param {number} before */
	replaced(name, before) {
		return until(`a new ${name}`, () => {
			const pid = this.pid(name);
			return pid !== undefined && pid !== before;
		}, 20000);
	}

	/** @param {string[]} args e.g. 'stop', 'redis' */
	async part(...args) {
		await tool([args[0], this.dir, ...args.slice(1)]);
	}

	async stop() {
		await tool(['stop', this.dir]);
	}

	/** All routes that the installed programs print. @returns {Route[]} */
	routes() {
		const prefix = readFileSync(join(this.dir, 'prefix'), 'utf8').trim();
		const bin = join(prefix, 'lib/cgi-bin');
		const programs = readdirSync(bin).map((name) => join(bin, name));
		const relay = join(prefix, 'libexec/table-order/sse-relay');
		if (existsSync(relay))
			programs.push(relay);
		return programs.flatMap((file) => execFileSync(file, ['--routes'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
			.split('\n').filter(Boolean).map((line) => {
				const [method, pattern, program, roles, flags] = line.split('\t');
				return { method, pattern, program, roles: list(roles), flags: list(flags) };
			}));
	}

	/** @param {string[]} args of orderctl */
	async orderctl(...args) {
		const prefix = readFileSync(join(this.dir, 'prefix'), 'utf8').trim();
		const { stdout } = await run(join(prefix, 'bin/orderctl'), args, { env: { ...process.env, TABLE_ORDER_ENV: this.info.env_file } });
		return stdout;
	}
}

/** @param {string} column */
function list(column) {
	return column === '-' ? [] : column.split(',');
}

/** @param {number} pid @returns {number[]} */
function descendants(pid) {
	try {
		return readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
			.filter(Boolean).map(Number).flatMap((child) => [child, ...descendants(child)]);
	} catch {
		return [];
	}
}

/** @param {number} pid */
function executable(pid) {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].replace(/.*\//, '').replace(/^lt-/, '');
	} catch {
		return '';
	}
}

/** @param {string} file @returns {Record<string, string>} */
function readEnv(file) {
	const lines = readFileSync(file, 'utf8').split('\n').filter((line) => /^[A-Z]/.test(line));
	return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).replace(/^'|'$/g, '')]));
}

/** @param {string[]} args @returns {Promise<void>} */
function tool(args) {
	return new Promise((done, failed) => {
		const child = spawn(TOOL, args, { stdio: ['ignore', 'ignore', 'pipe'] });
		let errors = '';
		child.stderr.on('data', (bytes) => { errors += bytes; });
		/* what it leaves running keeps no pipe of ours open, but 'exit' does not depend on that */
		child.on('exit', (code) => (code === 0 ? done() : failed(new Error(`scripts/stack ${args.join(' ')}: ${errors.trim() || code}`))));
	});
}

/** @param {string} dir @param {Record<string, string>} settings */
export async function startStack(dir, settings) {
	await tool(['start', dir, `WEB=${WEB}`, ...Object.entries(settings).map(([key, value]) => `${key}=${value}`)]);
	return new Stack(dir);
}

/** @param {string} dir */
export function stopStack(dir) {
	try {
		execFileSync(TOOL, ['stop', dir], { stdio: ['ignore', 'ignore', 'inherit'] });
	} catch (error) {
		console.error(`tests/api: ${dir} was not stopped: ${error}`);
	}
}

/** The installation that most tests share. @returns {Stack} */
export function sharedStack() {
	if (process.env.TABLE_ORDER_STACK === undefined)
		throw new Error('tests of the API are run by tests/api/run');
	return new Stack(process.env.TABLE_ORDER_STACK);
}

/**
 * An installation of the caller's own, for tests that kill things or need settings of their own. The caller stops it;
 * should it fail to, tests/api/run does.
 * @param {string} name @param {Record<string, string>} settings
 */
export function ownStack(name, settings) {
	return startStack(join(process.env.TABLE_ORDER_TESTS ?? '', name), { BCRYPT_COST: '4', RATE_LIMIT_PER_MINUTE: '0', TRUSTED_PROXIES: '127.0.0.0/8', ...settings });
}
