/** As much of AMQP 0-9-1 as it takes to take something away from the broker. */
import net from 'node:net';
import { within } from './until.mjs';

/** @param {string} text */
function short(text) {
	return Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
}

/** @param {number} n */
function u32(n) {
	const b = Buffer.alloc(4);
	b.writeUInt32BE(n);
	return b;
}

/**
 * A method's frame.
 * @param {number} channel @param {number} klass @param {number} method @param {Buffer[]} args
 */
function frame(channel, klass, method, ...args) {
	const payload = Buffer.concat([Buffer.from([0, klass, 0, method]), ...args]);
	return Buffer.concat([Buffer.from([1, 0, channel]), u32(payload.length), payload, Buffer.from([0xce])]);
}

/** @param {string} url of the broker @param {string} exchange */
export async function deleteExchange(url, exchange) {
	const { hostname, port, username, password, pathname } = new URL(url);
	const login = Buffer.from(`\0${decodeURIComponent(username)}\0${decodeURIComponent(password)}`);
	const socket = net.connect(Number(port), hostname);
	let received = Buffer.alloc(0);

	/** @param {Buffer} bytes @param {number} klass @param {number} method the answer that is awaited */
	async function ask(bytes, klass, method) {
		socket.write(bytes);
		await within(`AMQP's answer ${klass}.${method}`, (async () => {
			for (;;) {
				while (received.length >= 7 && received.length >= 8 + received.readUInt32BE(3)) {
					const size = 8 + received.readUInt32BE(3);
					const got = received.subarray(0, size);
					received = received.subarray(size);
					if (got[0] === 1 && got[8] === klass && got[10] === method)
						return;
					if (got[0] === 1 && got[10] !== method)
						throw new Error(`AMQP: ${got.readUInt16BE(7)}.${got.readUInt16BE(9)} ${got.subarray(13)}`);
				}
				const [more] = await new Promise((done, failed) => {
					socket.once('data', (data) => done([data]));
					socket.once('error', failed);
					socket.once('end', () => failed(new Error('AMQP: the broker hung up')));
				});
				received = Buffer.concat([received, more]);
			}
		})());
	}

	try {
		await ask(Buffer.from('AMQP\0\0\x09\x01', 'latin1'), 10, 10);
		await ask(frame(0, 10, 11, u32(0), short('PLAIN'), u32(login.length), login, short('en_US')), 10, 30);
		socket.write(frame(0, 10, 31, Buffer.from([0, 1]), u32(131072), Buffer.from([0, 0])));
		await ask(frame(0, 10, 40, short(decodeURIComponent(pathname.slice(1))), short(''), Buffer.from([0])), 10, 41);
		await ask(frame(1, 20, 10, short('')), 20, 11);
		await ask(frame(1, 40, 20, Buffer.from([0, 0]), short(exchange), Buffer.from([0])), 40, 21);
	} finally {
		socket.destroy();
	}
}
