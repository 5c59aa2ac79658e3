/** The wire between the services and PostgreSQL, in the test's hand: it can be cut at a given word, before or after the server has heard it. */
import { chmodSync, renameSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

const SOCKET = '.s.PGSQL.5432';
/* all but these pass untouched: the tests' own psql, dispatcher, relay */
const SERVICE = 'user\0table_order_service\0';

/**
 * @typedef {'before' | 'after'} When whether the server still gets to hear the word, and only its answer is lost
 */

export class Wire {
	/** @param {import('./stack.mjs').Stack} stack */
	constructor(stack) {
		this.stack = stack;
		this.run = join(stack.dir, 'run');
		/** what is cut, and how often yet @type {{word: string, when: When, times: number} | undefined} */
		this.cut = undefined;
		this.cuts = 0;
		/** what the server says -> what the services hear @type {(bytes: Buffer) => Buffer} */
		this.hear = (bytes) => bytes;
		this.server = net.createServer((down) => this.pass(down));
	}

	/** Takes the server's place. @param {import('./stack.mjs').Stack} stack */
	static async tap(stack) {
		const wire = new Wire(stack);
		renameSync(join(wire.run, SOCKET), join(wire.run, `${SOCKET}.real`));
		await new Promise((done) => wire.server.listen(join(wire.run, SOCKET), () => done(undefined)));
		chmodSync(join(wire.run, SOCKET), 0o777);
		return wire;
	}

	/** Gives it back. */
	async untap() {
		await new Promise((done) => {
			/* this removes the socket, too */
			this.server.close(done);
			for (const socket of this.sockets)
				socket.destroy();
		});
		renameSync(join(this.run, `${SOCKET}.real`), join(this.run, SOCKET));
	}

	/** @type {Set<net.Socket>} */
	sockets = new Set();
	/** those to the services @type {Set<net.Socket>} */
	services = new Set();

	/** From now on, so many times, the connection breaks at the first flush that has the word. @param {string} word @param {When} when @param {number} [times] */
	cutAt(word, when, times = 1) {
		this.cut = { word: `${word}\0`, when, times };
		this.cuts = 0;
	}

	/** @param {net.Socket} down */
	pass(down) {
		const up = net.connect(join(this.run, `${SOCKET}.real`));
		let service = false, doomed = false;
		const end = () => {
			this.sockets.delete(up);
			this.sockets.delete(down);
			this.services.delete(down);
			up.destroy();
			down.destroy();
		};

		for (const socket of [up, down]) {
			this.sockets.add(socket);
			socket.on('close', end).on('error', end);
		}
		down.on('data', (bytes) => {
			const text = bytes.toString('latin1');
			service = service || text.includes(SERVICE);
			if (service)
				this.services.add(down);
			if (service && this.cut !== undefined && this.cut.times > 0 && text.includes(this.cut.word)) {
				this.cut.times--;
				this.cuts++;
				doomed = true;
				if (this.cut.when === 'before')
					end();
			}
			up.write(bytes);
		});
		up.on('data', (bytes) => {
			if (doomed)
				end();
			else
				down.write(service ? this.hear(bytes) : bytes);
		});
	}
}
