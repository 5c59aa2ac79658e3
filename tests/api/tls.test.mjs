/** https, by the samples for nginx and Apache: what sslscan sees, where http ends, and that orders and streams go through. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http2 from 'node:http2';
import http from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { assertError, assertOk } from './lib/client.mjs';
import { Streams } from './lib/sse.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { within } from './lib/until.mjs';

const STREAM = '/api/admin/orders/stream';
const HSTS = 'max-age=31536000';

/** The answer to a request in the clear. @param {string} method @param {URL} url @returns {Promise<{status: number, headers: http.IncomingHttpHeaders}>} */
function inTheClear(method, url) {
	return new Promise((done, failed) => {
		http.request(url, { method, agent: false }, (response) => {
			response.resume();
			done({ status: response.statusCode ?? 0, headers: response.headers });
		}).on('error', failed).end();
	});
}

/** The attributes of each element of that name. @param {string} xml @param {string} element @returns {Record<string, string>[]} */
function elements(xml, element) {
	return [...xml.matchAll(new RegExp(`<${element} ([^>]*)>`, 'g'))].map(([, text]) => Object.fromEntries([...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value])));
}

for (const web of ['nginx', 'apache-proxy']) {
	describe(`https behind ${web}`, () => {
		/** @type {import('./lib/stack.mjs').Stack} */
		let stack;
		/** @type {Streams} */
		let streams;
		before(async () => {
			stack = await ownStack('tls', { WEB: web, HTTPS: '1' });
			streams = new Streams(stack);
		});
		afterEach(() => streams?.closeAll());
		after(() => stack?.stop());

		test('is TLS 1.2 and 1.3 with good ciphers only, by sslscan', async () => {
			const { stdout: xml } = await promisify(execFile)('sslscan', ['--no-colour', '--xml=-', stack.url.host]);
			const enabled = elements(xml, 'protocol').filter((p) => p.enabled === '1').map((p) => `${p.type} ${p.version}`);
			assert.deepEqual(enabled.sort(), ['tls 1.2', 'tls 1.3'], xml);
			const ciphers = elements(xml, 'cipher');
			assert.ok(ciphers.some((c) => c.sslversion === 'TLSv1.2') && ciphers.some((c) => c.sslversion === 'TLSv1.3'), xml);
			for (const { sslversion, cipher, bits, strength } of ciphers) {
				assert.match(cipher, sslversion === 'TLSv1.3' ? /^TLS_(AES|CHACHA20)_/ : /^ECDHE-ECDSA-(AES\d+-GCM-|CHACHA20-POLY1305)/);
				assert.ok(Number(bits) >= 128 && ['strong', 'acceptable'].includes(strength), `${cipher} is ${strength}`);
			}
			assert.deepEqual(elements(xml, 'heartbleed').filter((h) => h.vulnerable !== '0'), []);
			assert.deepEqual(elements(xml, 'compression').filter((c) => c.supported === '1'), []);
			assert.deepEqual(elements(xml, 'renegotiation').filter((r) => r.supported === '1' && r.secure !== '1'), []);
			assert.ok(elements(xml, 'group').every((g) => Number(g.bits) >= 128), xml);
		});
		test('has a certificate that only its own authority vouches for', async () => {
			const connect = (/** @type {tls.ConnectionOptions} */ options) => within('a handshake', new Promise((done) => {
				const socket = tls.connect({ host: stack.url.hostname, port: Number(stack.url.port), ...options }, () => done(socket.authorized));
				socket.on('error', (/** @type {NodeJS.ErrnoException} */ error) => done(error.code)).on('secureConnect', () => socket.end());
			}));
			assert.equal(await connect({ ca: stack.where.ca }), true);
			assert.match(String(await connect({})), /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/);
		});
		test('is where http ends, whatever was asked', async () => {
			for (const [method, path] of [['GET', '/'], ['POST', '/api/customer/orders?x=%20y'], ['GET', STREAM], ['DELETE', '/images/a.png']]) {
				const answer = await inTheClear(method, new URL(path, stack.info.http_url));
				assert.deepEqual([answer.status, answer.headers.location], [308, `${stack.info.base_url}${path}`]);
				assert.equal(answer.headers['strict-transport-security'], undefined, 'said in the clear, it means nothing (RFC 6797, 7.2)');
			}
			const wrong = await inTheClear('GET', new URL(`http://${stack.url.host}/`));
			assert.ok([308, 400].includes(wrong.status), `${wrong.status}`);
		});
		test('is said to be the only way, once, by every answer', async () => {
			const store = await newStore(stack, { tables: 1 });
			const { client, admin } = store;
			const stream = await streams.open(STREAM, { token: admin.token });
			for (const headers of [(await client.get('/health')).headers, (await client.get('/nothing')).headers, (await client.get('/images/none.png')).headers, stream.headers])
				assert.equal(headers['strict-transport-security'], HSTS);
			await stack.part('stop', 'sse-relay');
			try {
				const away = await client.get(STREAM, { token: admin.token });
				assert.deepEqual([away.status, away.headers['strict-transport-security']], [200, HSTS]);
			} finally {
				await stack.part('start', 'sse-relay');
			}
		});
		test('takes orders and streams them, to a cookie that never goes in the clear too', async () => {
			const store = await newStore(stack, { tables: 1 });
			const login = await store.client.post('/api/admin/auth/login', { body: { store_id: store.store_id, username: store.admin.username, password: store.admin.password } });
			assertOk(login, 200);
			assert.match(String(login.headers['set-cookie']), /; *Secure\b/);
			const opened = [await streams.open(STREAM, { token: store.admin.token }), await streams.open(STREAM, { headers: { Cookie: store.admin.cookie } })];
			const order = await store.order(0);
			for (const stream of opened) {
				await stream.untilId(1);
				assert.deepEqual(stream.news.map((event) => [event.type, event.json.order.id]), [['OrderCreated', order.id]]);
			}
			assertError(await store.client.get('/api/admin/board'), 401, 'TOKEN_MISSING');
		});
		test('streams over HTTP/2, by which a browser may have many', { skip: web !== 'nginx' && 'Apache\'s sample speaks HTTP/1.1' }, async () => {
			const store = await newStore(stack, { tables: 1 });
			const session = http2.connect(stack.url, { ca: stack.where.ca });
			try {
				const seen = within('the order on each stream', Promise.all(Array.from({ length: 10 }, () => new Promise((done, failed) => {
					let text = '';
					session.request({ ':path': STREAM, authorization: `Bearer ${store.admin.token}` }).setEncoding('utf8').on('error', failed).on('data', (part) => {
						text += part;
						if (/^id: 0$/m.test(text) && !text.includes('order_number'))
							session.emit('opened');
						if (/"order_number": ?1\b/.test(text))
							done(text);
					});
				}))));
				await within('streams', new Promise((done) => {
					let open = 0;
					session.on('opened', () => ++open === 10 && done(undefined));
				}));
				await store.order(0);
				await seen;
			} finally {
				session.destroy();
			}
		});
	});
}
