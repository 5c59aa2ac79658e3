/** Servers of a test's own, beside those of a stack: as the stack's user, on loopback, ended with the test. */
import { spawn } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, statSync, openSync, closeSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { until } from './until.mjs';

/** @returns {Promise<number>} a port that nobody has at the moment */
export function freePort() {
	return new Promise((done, failed) => {
		const server = net.createServer().on('error', failed);
		server.listen(0, '127.0.0.1', () => {
			const { port } = /** @type {net.AddressInfo} */ (server.address());
			server.close(() => done(port));
		});
	});
}

export class Daemons {
	/** @param {import('./stack.mjs').Stack} stack */
	constructor(stack) {
		this.stack = stack;
		this.owner = statSync(join(stack.dir, 'run'));
		/** @type {import('node:child_process').ChildProcess[]} */
		this.children = [];
	}

	/** A directory of the stack's that the servers may write in. @param {string} name */
	directory(name) {
		const path = join(this.stack.dir, name);
		mkdirSync(path, { recursive: true });
		chownSync(path, this.owner.uid, this.owner.gid);
		return path;
	}

	/**
	 * Starts a server and waits until its address answers.
	 * @param {string} url @param {string} command @param {string[]} args @param {Record<string, string>} [env]
	 */
	async start(url, command, args, env = {}) {
		const log = join(this.stack.dir, 'log', `${command}.console`);
		const fd = openSync(log, 'a');
		/* it does not outlive this process, however that ends */
		const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
			stdio: ['ignore', fd, fd], cwd: this.directory('run'), env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', ...env },
			...process.getuid?.() === 0 && { uid: this.owner.uid, gid: this.owner.gid },
		});
		closeSync(fd);
		this.children.push(child);
		await until(`an answer of ${command}`, async () => {
			if (child.exitCode !== null || child.signalCode !== null)
				throw new Error(`${command} ended: ${readFileSync(log, 'utf8').slice(-500)}`);
			return (await fetch(url).catch(() => undefined))?.ok;
		}, 30000);
		return child;
	}

	async stop() {
		for (const child of this.children.reverse()) {
			child.kill('SIGTERM');
			await until(`the end of ${child.spawnfile}`, () => child.exitCode !== null || child.signalCode !== null, 20000);
		}
	}
}
