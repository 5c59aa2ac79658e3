/**
 * What stands for machines: processes that are started as the unprivileged user of scripts/stack, and die or freeze together.
 * Their pids are kept as scripts/stack keeps them, so that `scripts/stack stop DIR` ends them whatever became of a test.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { until } from '../../api/lib/until.mjs';

const USER = process.getuid?.() === 0 ? 'www-data' : '';
const ids = USER === '' ? [] : ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, USER], { encoding: 'utf8' })));

/** @param {string} path Gives it to the user that runs all. */
export function own(path) {
	if (USER !== '')
		chownSync(path, ids[0], ids[1]);
	return path;
}

/** @param {string} path */
export function makeDir(path) {
	mkdirSync(path, { recursive: true, mode: 0o700 });
	return own(path);
}

/** @param {string} path @param {string} text */
export function writeOwn(path, text) {
	writeFileSync(path, text, { mode: 0o600 });
	return own(path);
}

/** @param {string} template @param {Record<string, string | number>} words etc's template with its @WORDS@ filled in */
export function render(template, words) {
	return readFileSync(template, 'utf8').replace(/^#.*\n/gm, '').replace(/@([A-Z0-9_]+)@/g, (word, name) => {
		if (words[name] === undefined)
			throw new Error(`${template} has ${word}, and there is nothing to put there`);
		return String(words[name]);
	});
}

/** The command as that user runs it, with an environment of its own. @param {string} home @param {string[]} command @param {Record<string, string>} [env] */
export function asUser(home, command, env = {}) {
	const change = USER === '' ? [] : ['setpriv', '--reuid', USER, '--regid', USER, '--clear-groups'];
	const words = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...env };
	return [...change, 'env', '-i', ...Object.entries(words).map(([key, value]) => `${key}=${value}`), ...command];
}

/** Runs it and gives what it says. @param {string} home @param {string[]} command @param {Record<string, string>} [env] */
export function runAsUser(home, command, env) {
	const [file, ...args] = asUser(home, command, env);
	return execFileSync(file, args, { cwd: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Ports that nobody listens on, below the range that the kernel gives to clients. @param {number} count */
export async function freePorts(count) {
	/** @type {Set<number>} */
	const ports = new Set();
	while (ports.size < count) {
		const port = 20000 + Math.floor(Math.random() * 12000);
		if (await isFree(port))
			ports.add(port);
	}
	return [...ports];
}

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
	return new Promise((done) => {
		const server = net.createServer();
		server.on('error', () => done(false));
		server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
	});
}

/** @param {number} pid The kernel's start time of a process that lives. */
function startTime(pid) {
	try {
		const words = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
		return words[0] === 'Z' ? '' : words[19];
	} catch {
		return '';
	}
}

/** @param {number} pid @returns {number[]} it and all below it */
export function family(pid) {
	/** @type {number[]} */
	let children = [];
	try {
		children = readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ')).filter(Boolean).map(Number);
	} catch {
		return [];
	}
	return [pid, ...children.flatMap(family)];
}

/** One machine of several. */
export class Host {
	/** @param {string} dir @param {string} name */
	constructor(dir, name) {
		this.dir = makeDir(dir);
		this.name = name;
		/** @type {Map<string, number>} */
		this.started = new Map();
		for (const part of ['log', 'run'])
			makeDir(join(dir, part));
		/* as scripts/stack has it, which is asked to stop all in the end */
		mkdirSync(join(dir, 'pids'), { recursive: true });
	}

	/** @param {string} name @param {string[]} command @param {Record<string, string>} [env] Output goes to log/NAME.console. */
	spawn(name, command, env) {
		this.launch(name, asUser(this.dir, command, env));
	}

	/** The same as whoever runs this, for what changes its user by itself. @param {string} name @param {string[]} command */
	launch(name, [file, ...args]) {
		const log = openSync(join(this.dir, 'log', `${name}.console`), 'a');
		const child = spawn(file, args, { cwd: this.dir, stdio: ['ignore', log, log], detached: true });
		if (child.pid === undefined)
			throw new Error(`${file} cannot be started`);
		child.unref();
		writeFileSync(join(this.dir, 'pids', name), `${child.pid} ${startTime(child.pid)}\n`);
		this.started.set(name, child.pid);
	}

	/** @param {string} name What it has said so far. */
	output(name) {
		return readFileSync(join(this.dir, 'log', `${name}.console`), 'utf8');
	}

	/** @param {string} name Throws what it has said when it has ended. */
	assertRuns(name) {
		if (startTime(this.started.get(name) ?? 0) === '')
			throw new Error(`${name} has ended: ${this.output(name)}`);
	}

	/** What is answered to a line at a Unix socket of it. @param {string} socket @param {string} line @returns {Promise<string>} */
	ask(socket, line) {
		return new Promise((done) => {
			let text = '';
			const connection = net.connect(join(this.dir, socket), () => connection.end(`${line}\n`));
			connection.setEncoding('utf8').on('data', (s) => { text += s; });
			connection.on('error', () => {}).on('close', () => done(text));
		});
	}

	/** All that runs here; subclasses add what has left its parents. */
	pids() {
		return [...this.started.values()].flatMap(family);
	}

	/** @param {'KILL' | 'STOP' | 'CONT'} signal To everything that runs here, as one. @param {number[]} [pids] */
	signal(signal, pids = this.pids()) {
		/* frozen first, nothing is started again or ends by itself meanwhile */
		for (const sign of signal === 'KILL' ? ['SIGSTOP', 'SIGKILL'] : [`SIG${signal}`])
			for (const pid of pids)
				send(pid, sign);
		return pids;
	}

	/** It loses its power, or only these processes end at once. @param {string[]} [names] */
	async kill(names) {
		const pids = this.signal('KILL', names?.flatMap((name) => family(this.started.get(name) ?? 0)));
		await until(`the end of ${this.name}`, () => pids.every((pid) => startTime(pid) === ''));
		for (const name of names ?? this.started.keys()) {
			rmSync(join(this.dir, 'pids', name), { force: true });
			this.started.delete(name);
		}
	}
}

/** @param {number} pid @param {string} signal */
export function send(pid, signal) {
	try {
		process.kill(pid, signal);
	} catch {
		/* it has ended meanwhile */
	}
}
