/** Pictures of menus: what is stored, how it is served, what is refused and leaves nothing. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Client, assertError, assertInvalid, assertOk } from './lib/client.mjs';
import { form } from './lib/form.mjs';
import { blackPng, chunk, convert, emptyPng, halves, look, photo, png, withExif } from './lib/picture.mjs';
import { WEB, sharedStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { sql } from './lib/sql.mjs';
import { until, within } from './lib/until.mjs';

const stack = sharedStack();
const MENUS = '/api/admin/menus';
const MIB = 1 << 20;
const RED = [220, 20, 20], BLUE = [20, 20, 220], GREEN = [20, 200, 20];
const SECRET = 'taken-at-home-37.56N-126.97E';
/** A hostile picture is refused in less than this, beside other tests. */
const FAST_MS = 2000;

/** @typedef {import('./lib/store.mjs').Store} Store */
/** @typedef {import('./lib/form.mjs').Part} Part */
/** @typedef {import('./lib/client.mjs').Answer} Answer */

/** @type {Store} */
let store;
before(async () => {
	store = await newStore(stack, { tables: 1 });
});

const small = png(60, 40, halves(60, RED, BLUE));

/** @param {Buffer} bytes @param {Part[]} [more] The parts of a new menu with a picture. @returns {Part[]} */
const parts = (bytes, more = []) => [['name', '그림'], ['price', '1000'], ['category_id', String(store.categories[0].id)], ['image', bytes, 'picture.jpg'], ...more];
/** @param {Buffer} bytes @param {Part[]} [more] */
const upload = (bytes, more) => store.client.post(MENUS, { token: store.admin.token, ...form(parts(bytes, more)) });
/** @param {number} id @param {Part[]} list */
const change = (id, list) => store.client.patch(`${MENUS}/${id}`, { token: store.admin.token, ...form(list) });

/** @param {string} path A file as a browser gets it. @returns {Promise<{status: number, headers: http.IncomingHttpHeaders, bytes: Buffer}>} */
function download(path) {
	return new Promise((done, failed) => {
		http.get({ host: stack.url.hostname, port: stack.url.port, path }, (response) => {
			/** @type {Buffer[]} */
			const list = [];
			response.on('data', (part) => list.push(part));
			response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(list) }));
			response.on('error', failed);
		}).on('error', failed);
	});
}

/** The files of a menu, as they are served. @param {any} menu */
async function filesOf(menu) {
	const [image, thumbnail] = [await download(menu.image_url), await download(menu.thumbnail_url)];
	assert.deepEqual([image.status, thumbnail.status], [200, 200]);
	return { image: image.bytes, thumbnail: thumbnail.bytes };
}

/** Waits until every file is a menu's, and every file of a menu of this store is there. Others may upload meanwhile. */
async function assertNoOrphans() {
	const paths = (/** @type {string} */ where) => `select image_path from menus where image_path is not null${where} union select thumbnail_path from menus where thumbnail_path is not null${where}`;
	const lines = (/** @type {string} */ text) => text.split('\n').filter(Boolean);
	await until('no file without a menu, no menu without its files', async () => {
		const files = readdirSync(stack.env.UPLOAD_DIR);
		const [all, ours] = [lines(await sql(stack, paths(''))), lines(await store.sql(paths(" and store_id = :'store'")))];
		return files.every((name) => all.includes(name)) && ours.every((name) => files.includes(name));
	}, 20000);
}

/** @param {number[]} actual @param {number[]} expected Two colours are alike. */
function assertColour(actual, expected) {
	assert.ok(actual.every((sample, i) => Math.abs(sample - expected[i]) < 40), `${actual} is not ${expected}`);
}

/** @param {Buffer} bytes A file that the server made holds nothing of the other but its picture. */
function assertClean(bytes) {
	const text = bytes.toString('latin1');
	for (const word of [SECRET, 'Exif', 'evil', '<script', 'http://ns.adobe.com'])
		assert.ok(!text.includes(word), `the stored file has ${word}`);
}

/** What a process of the program has had at most, in MiB. */
function memory() {
	const pids = stack.pids('menu');
	assert.ok(pids.length > 0);
	return Math.max(...pids.map((pid) => Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)));
}

describe('a picture is taken', () => {
	/** @type {[string, string, () => Buffer][]} */
	const FORMATS = [
		['PNG', 'png', () => small], ['JPEG', 'jpg', () => convert(small, 'PNG', 'JPEG')], ['WEBP', 'webp', () => convert(small, 'PNG', 'WEBP')], ['GIF', 'gif', () => convert(small, 'PNG', 'GIF')],
	];
	for (const [format, ending, make] of FORMATS) {
		test(`${format}, whatever its name says, and made anew in its format with a thumbnail`, async () => {
			const menu = assertOk(await upload(make()), 201);
			assert.match(menu.image_url, new RegExp(`^/images/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.${ending}$`));
			assert.match(menu.thumbnail_url, /^\/images\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jpg$/);
			assert.notEqual(menu.image_url, menu.thumbnail_url);
			const { image, thumbnail } = await filesOf(menu);
			const [i, t] = [look(image), look(thumbnail)];
			assert.deepEqual([i.format, i.width, i.height], [format, 60, 40]);
			assertColour(i.at(5, 20), RED);
			assertColour(i.at(55, 20), BLUE);
			assert.deepEqual([t.format, t.width, t.height, t.quality], ['JPEG', 300, 300, 80]);
			assertColour(t.at(20, 150), RED);
			assertColour(t.at(280, 150), BLUE);
			assert.deepEqual(assertOk(await store.client.get(`/api/customer/menus/${menu.id}`, { token: store.tables[0].token }), 200), menu);
		});
	}
	test('without its metadata and without what trails it', async () => {
		const plain = convert(small, 'PNG', 'JPEG', ['-comment', SECRET]);
		const text = chunk('tEXt', Buffer.from(`Comment\0${SECRET}`));
		const trail = Buffer.from(`<script>evil()</script>PK\u0003\u0004${SECRET}`);
		for (const [what, bytes] of /** @type {[string, Buffer][]} */ ([['JPEG with EXIF', withExif(plain, 1, SECRET)], ['JPEG with a tail', Buffer.concat([plain, trail])], ['PNG with text', png(60, 40, halves(60, RED, BLUE), [text])],
			['PNG with a tail', Buffer.concat([small, trail])], ['GIF with a tail', Buffer.concat([convert(small, 'PNG', 'GIF', ['-comment', SECRET]), trail])]])) {
			assert.ok(bytes.includes(SECRET), what);
			const { image, thumbnail } = await filesOf(assertOk(await upload(bytes), 201));
			assertClean(image);
			assertClean(thumbnail);
			assertColour(look(image).at(5, 20), RED);
		}
	});
	test('upright, whichever way the camera was held', async () => {
		const jpeg = convert(small, 'PNG', 'JPEG');
		/* where the left (red) half is after turning: left, right, right, left, top, top, bottom, bottom */
		const red = [[0.1, 0.5], [0.9, 0.5], [0.9, 0.5], [0.1, 0.5], [0.5, 0.1], [0.5, 0.1], [0.5, 0.9], [0.5, 0.9]];
		for (const [i, [x, y]] of red.entries()) {
			const { image, thumbnail } = await filesOf(assertOk(await upload(withExif(jpeg, i + 1, SECRET)), 201));
			const p = look(image);
			assert.deepEqual([p.width, p.height], i < 4 ? [60, 40] : [40, 60], `orientation ${i + 1}`);
			for (const picture of [p, look(thumbnail)]) {
				const at = (/** @type {number} */ u, /** @type {number} */ v) => picture.at(Math.floor(u * picture.width), Math.floor(v * picture.height));
				assertColour(at(x, y), RED);
				assertColour(at(1 - x, 1 - y), BLUE);
			}
		}
	});
	test('at no more than 1600 pixels a side, its shape kept, the thumbnail cut from its middle', async () => {
		for (const [width, height, expected] of /** @type {[number, number, number[]][]} */ ([[2000, 625, [1600, 500]], [625, 2000, [500, 1600]], [1600, 1600, [1600, 1600]], [1601, 1, [1600, 1]], [1, 1, [1, 1]]])) {
			const third = (/** @type {number} */ at, /** @type {number} */ of) => (at < of / 4 ? RED : at < of * 3 / 4 ? GREEN : BLUE);
			const bytes = png(width, height, (x, y) => (width > height ? third(x, width) : third(y, height)));
			for (const sent of [bytes, convert(bytes, 'PNG', 'JPEG', ['-quality', '90'])]) {
				const answer = await upload(sent);
				if (Math.max(width, height) > 300 * Math.min(width, height)) {
					assert.ok(answer.status === 201 || answer.json.error.code === 'IMAGE_INVALID', answer.text);
					continue;
				}
				const { image, thumbnail } = await filesOf(assertOk(answer, 201));
				const [i, t] = [look(image), look(thumbnail)];
				assert.deepEqual([i.width, i.height, t.width, t.height], [...expected, 300, 300]);
				if (width > 1)
					assertColour(t.at(150, 150), GREEN);
				if (width !== height)
					assertColour(t.at(5, 5), GREEN);
			}
		}
	});
	test('of 40 megapixels, and not of more', async () => {
		assert.deepEqual(look((await filesOf(assertOk(await upload(blackPng(8000, 5000)), 201))).image).width, 1600);
		assert.deepEqual(look((await filesOf(assertOk(await upload(blackPng(5000, 8000, 8)), 201))).image).height, 1600);
		assertError(await upload(blackPng(8001, 5000)), 400, 'IMAGE_INVALID');
		console.log(`# after 40 megapixels the program has had ${memory()} MiB at most`);
	});
	test('without the empty canvas that it says is around it', async () => {
		const bytes = Buffer.from(convert(small, 'PNG', 'GIF'));
		bytes.fill(0xff, 6, 10);
		const { image, thumbnail } = await filesOf(assertOk(await upload(bytes), 201));
		assert.deepEqual([image.readUInt16LE(6), image.readUInt16LE(8), look(thumbnail).width], [60, 40, 300]);
	});
	test('the first of thousands, without a look at the others', async () => {
		const gif = convert(png(500, 500, halves(500, RED, BLUE)), 'PNG', 'GIF');
		const frame = gif.subarray(13 + 3 * (2 << (gif[10] & 7)), gif.length - 1);
		const bytes = Buffer.concat([gif.subarray(0, gif.length - 1), ...Array(Math.floor((5 * MIB - gif.length) / frame.length)).fill(frame), gif.subarray(-1)]);
		const at = performance.now();
		const menu = assertOk(await upload(bytes), 201);
		assert.ok(performance.now() - at < FAST_MS, `it took ${performance.now() - at} ms`);
		assertColour(look((await filesOf(menu)).image).at(5, 250), RED);
	});
	test('with transparent parts, which are white in the thumbnail', async () => {
		const { image, thumbnail } = await filesOf(assertOk(await upload(png(60, 40, (x) => (x < 30 ? [0, 0, 0, 0] : [...GREEN, 255]))), 201));
		assertColour(look(thumbnail).at(20, 150), [255, 255, 255]);
		assertColour(look(thumbnail).at(280, 150), GREEN);
		assert.equal(image[25], 6, 'the picture itself is as transparent as it was');
	});
	test('in the colours of print or in grey, made for screens', async () => {
		for (const bytes of [convert(small, 'PNG', 'JPEG', ['-colorspace', 'CMYK']), convert(small, 'PNG', 'JPEG', ['-colorspace', 'GRAY'])]) {
			const { image, thumbnail } = await filesOf(assertOk(await upload(bytes), 201));
			const grey = look(image).at(5, 20)[0] < 150 && Math.abs(look(image).at(5, 20)[0] - look(image).at(5, 20)[2]) < 5;
			if (!grey)
				assertColour(look(image).at(5, 20), RED);
			for (const file of [image, thumbnail])
				assert.notEqual(componentsOf(file), 4, 'browsers show CMYK each in its own way');
		}
	});
	test('of 5 MB, in time; not of a byte more', async () => {
		const bytes = photo(5 * MIB);
		let at = performance.now();
		const menu = assertOk(await upload(bytes), 201);
		const uploaded = performance.now() - at;
		at = performance.now();
		const { bytes: image } = await download(menu.image_url);
		console.log(`# a JPEG of 5 MiB, 12 megapixels: up in ${Math.round(uploaded)} ms; ${Math.round(image.length / 1024)} KiB down in ${Math.round(performance.now() - at)} ms; the program had ${memory()} MiB at most`);
		assert.ok(uploaded < 10000);
		assertError(await upload(Buffer.concat([bytes, Buffer.alloc(1)])), 400, 'IMAGE_INVALID');
	});
	test('from several admins at once', async () => {
		// more than may wait at once are told to come back, and get their turn
		const persist = async () => {
			const answer = await upload(small);
			if (answer.status !== 503)
				return answer;
			assert.ok(Number(answer.headers['retry-after']) > 0);
			return persist();
		};
		const answers = await Promise.all(Array.from({ length: 8 }, persist));
		assert.equal(new Set(answers.map((a) => assertOk(a, 201).image_url)).size, 8);
	});
	after(assertNoOrphans);
});

/** @param {Buffer} jpeg How many colours a pixel of a JPEG has; undefined for another format. */
function componentsOf(jpeg) {
	for (let at = 2; jpeg[0] === 0xff && at + 9 < jpeg.length && jpeg[at] === 0xff; at += 2 + jpeg.readUInt16BE(at + 2))
		if (jpeg[at + 1] >= 0xc0 && jpeg[at + 1] <= 0xc2)
			return jpeg[at + 9];
	return undefined;
}

describe('pictures are served', () => {
	test('as what they are, to keep, to everybody', async () => {
		const menu = assertOk(await upload(small), 201);
		for (const [path, type] of [[menu.image_url, 'image/png'], [menu.thumbnail_url, 'image/jpeg']]) {
			const { status, headers } = await download(path);
			assert.deepEqual([status, headers['content-type'], headers['cache-control'], headers['x-content-type-options']], [200, type, 'public, max-age=86400, immutable', 'nosniff']);
			assert.match(String(headers['x-request-id']), /^[\w.-]+$/);
		}
	});
	test('and nothing else is', async () => {
		const client = new Client(stack);
		for (const path of ['/images/', '/images', '/images/00000000-0000-4000-8000-000000000000.png', '/images/../quickstart.json', '/images/%2e%2e/quickstart.json', '/images/..%2fquickstart.json', '/images/.']) {
			const answer = await download(path);
			assert.ok([400, 403, 404].includes(answer.status), `${path}: ${answer.status}`);
			assert.match(String(answer.headers['content-type']), /^application\/json/);
			assert.ok(JSON.parse(answer.bytes.toString()).error.code);
		}
		assert.ok([403, 404, 405].includes((await client.api('PUT', '/images/x.png', { raw: 'x' })).status));
	});
});

describe('a picture is changed', () => {
	test('for another, whose files take the place of the old', async () => {
		const menu = assertOk(await upload(small), 201);
		const next = assertOk(await change(menu.id, [['image', convert(small, 'PNG', 'GIF'), 'x']]), 200);
		assert.deepEqual({ ...next, image_url: 0, thumbnail_url: 0 }, { ...menu, image_url: 0, thumbnail_url: 0 });
		assert.match(next.image_url, /\.gif$/);
		for (const path of [menu.image_url, menu.thumbnail_url])
			assert.equal((await download(path)).status, 404);
		await filesOf(next);
		assert.deepEqual(assertOk(await change(menu.id, [['price', '7']]), 200), { ...next, price: 7 });
		await filesOf(next);
	});
	test('for none', async () => {
		const menu = assertOk(await upload(small), 201);
		const next = assertOk(await store.client.patch(`${MENUS}/${menu.id}`, { token: store.admin.token, body: { image: null } }), 200);
		assert.deepEqual(next, { ...menu, image_url: null, thumbnail_url: null });
		for (const path of [menu.image_url, menu.thumbnail_url])
			assert.equal((await download(path)).status, 404);
	});
	test('not by a form whose field for files was left empty', async () => {
		const menu = assertOk(await upload(small), 201);
		assert.deepEqual(assertOk(await change(menu.id, [['price', '8'], ['image', '', '']]), 200), { ...menu, price: 8 });
		const bare = assertOk(await store.client.post(MENUS, { token: store.admin.token, ...form([['name', 'x'], ['price', '1'], ['category_id', String(store.categories[0].id)], ['image', '', '']]) }), 201);
		assert.equal(bare.image_url, null);
	});
	test('and goes with its menu', async () => {
		const menu = assertOk(await upload(small), 201);
		assertOk(await store.client.api('DELETE', `${MENUS}/${menu.id}`, { token: store.admin.token }), 204);
		for (const path of [menu.image_url, menu.thumbnail_url])
			assert.equal((await download(path)).status, 404);
	});
	after(assertNoOrphans);
});

describe('is refused, fast, and leaves nothing:', () => {
	const jpeg = convert(small, 'PNG', 'JPEG'), webp = convert(small, 'PNG', 'WEBP'), gif = convert(small, 'PNG', 'GIF');
	const noise = convert(png(400, 300, () => [Math.random() * 255, Math.random() * 255, Math.random() * 255]), 'PNG', 'JPEG');
	/** @param {Buffer} bytes @param {number} at @param {number[]} by */
	const patched = (bytes, at, by) => Buffer.concat([bytes.subarray(0, at), Buffer.from(by), bytes.subarray(at + by.length)]);
	const sof = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
	const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><image href="file:///etc/passwd"/></svg>';
	/** @type {Record<string, () => Buffer>} */
	const bad = {
		'nothing': () => Buffer.alloc(0),
		'a byte': () => Buffer.from([0xff]),
		'text named .jpg': () => Buffer.from('no picture at all, however long it may be'),
		'half a JPEG': () => noise.subarray(0, noise.length >> 1),
		'a JPEG without its end': () => noise.subarray(0, noise.length - 200),
		'the first bytes of a JPEG': () => Buffer.concat([jpeg.subarray(0, 20), Buffer.alloc(100)]),
		'half a PNG': () => small.subarray(0, small.length >> 1),
		'half a WebP': () => webp.subarray(0, webp.length >> 1),
		'half a GIF': () => gif.subarray(0, gif.length >> 1),
		'a PNG with a wrong checksum': () => patched(small, small.indexOf('IDAT') + 6, [1, 2, 3, 4]),
		'a PNG of 30,000 × 30,000 that is only its head': () => emptyPng(30000, 30000),
		'a PNG of 30,000 × 30,000, whole': () => blackPng(30000, 30000),
		'a PNG of 0 × 0': () => emptyPng(0, 0),
		'a PNG of 2³¹ − 1 pixels a side': () => emptyPng(2 ** 31 - 1, 2 ** 31 - 1),
		'a PNG of 40,000,000 × 1': () => emptyPng(40000000, 1),
		'a JPEG that says it is 65,500 × 65,500': () => patched(jpeg, sof + 5, [0xff, 0xdc, 0xff, 0xdc]),
		'a JPEG of no height': () => patched(jpeg, sof + 5, [0, 0]),
		'a GIF whose frame says it is 65,535 × 65,535': () => patched(gif, gif.indexOf(',', 13 + 3 * (2 << (gif[10] & 7))) + 5, [0xff, 0xff, 0xff, 0xff]),
		'a WebP of 16,000 × 16,000 that is only its head': () => {
			const b = Buffer.alloc(30);
			b.write('RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0', 'latin1');
			b.writeUIntLE(15999, 24, 3);
			b.writeUIntLE(15999, 27, 3);
			return b;
		},
		'a JPEG of 25 megapixels in thousands of scans': () => {
			const b = convert(blackPng(5000, 5000), 'PNG', 'JPEG', ['-interlace', 'Line']);
			const scan = b.subarray(b.lastIndexOf(Buffer.from([0xff, 0xda])), b.length - 2);
			return Buffer.concat([b.subarray(0, b.length - 2), ...Array(Math.floor((5 * MIB - b.length) / scan.length)).fill(scan), b.subarray(b.length - 2)]);
		},
		'an SVG': () => Buffer.from(svg),
		'an SVG behind XML': () => Buffer.from(`<?xml version="1.0"?>${svg}`),
		'MVG': () => Buffer.from('push graphic-context\nviewbox 0 0 640 480\nfill \'url(https://example.com/x.jpg"|ls "-la)\'\npop graphic-context\n'),
		'PostScript': () => Buffer.from('%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n'.repeat(3)),
		'a PDF': () => Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj trailer<</Root 1 0 R>>\n%%EOF\n'),
		'a BMP': () => convert(small, 'PNG', 'BMP'),
		'a TIFF': () => convert(small, 'PNG', 'TIFF'),
		'a MIFF': () => convert(small, 'PNG', 'MIFF'),
		'a PNM': () => convert(small, 'PNG', 'PNM'),
		'PNG\'s name before MVG': () => Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('push graphic-context image over 0,0 0,0 "ephemeral:/etc/passwd" pop graphic-context')]),
		'RIFF that is sound': () => Buffer.from('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0', 'latin1'),
		'zeros of 5 MB': () => Buffer.alloc(5 * MIB),
		'a picture of more than 5 MB': () => Buffer.concat([small, Buffer.alloc(5 * MIB)]),
	};
	const slowest = { what: '', ms: 0 };

	for (const [what, make] of Object.entries(bad)) {
		test(what, async () => {
			const bytes = make();
			const at = performance.now();
			const answer = await upload(bytes);
			const ms = performance.now() - at;
			assertError(answer, 400, 'IMAGE_INVALID');
			assert.ok(ms < FAST_MS, `it took ${ms} ms`);
			if (ms > slowest.ms)
				Object.assign(slowest, { what, ms });
			assert.ok(memory() < 1024, `the program took ${memory()} MiB`);
		});
	}
	test('bodies over 6 MiB, before they are read', async () => {
		for (const size of [6 * MIB, 7 * MIB]) {
			const at = performance.now();
			assertError(await upload(Buffer.alloc(size)), 413, 'PAYLOAD_TOO_LARGE');
			assert.ok(performance.now() - at < FAST_MS);
		}
		const head = `POST ${MENUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${store.admin.token}\r\nContent-Type: multipart/form-data; boundary=x\r\n`;
		assert.match(await raw(`${head}Content-Length: 7000000\r\nExpect: 100-continue\r\n\r\n`, false), /^HTTP\/1\.1 413 /);
		assert.match(await raw(`${head}Content-Length: 99999999999999999999\r\n\r\n`, false), /^HTTP\/1\.1 4\d\d /);
	});
	test('pictures where the rest is not right, or not allowed', async () => {
		const menu = assertOk(await upload(small), 201);
		const replacing = (/** @type {Part[]} */ list) => change(menu.id, [['image', small, 'x'], ...list]);
		assertInvalid(await upload(small, [['price', '0']]), 'price');
		assertInvalid(await upload(small, [['name', '']]), 'name');
		assertInvalid(await replacing([['price', 'x']]), 'price');
		assertError(await upload(small, [['category_id', '999999999']]), 404, 'CATEGORY_NOT_FOUND');
		assertError(await replacing([['category_id', '999999999']]), 404, 'CATEGORY_NOT_FOUND');
		const other = await newStore(stack, { tables: 1 });
		for (const id of [other.menus[0].id, 999999999, 0, 'x'])
			assertError(await change(/** @type {number} */ (id), [['image', small, 'x']]), 404, 'MENU_NOT_FOUND');
		assertError(await store.client.post(MENUS, form(parts(small))), 401, 'TOKEN_MISSING');
		assertError(await store.client.post(MENUS, { token: store.tables[0].token, ...form(parts(small)) }), 403, 'FORBIDDEN');
		const gone = store.admin.token;
		await store.adminLogin();
		assertOk(await store.client.post('/api/auth/logout', { token: gone }), 204);
		assertError(await store.client.post(MENUS, { token: gone, ...form(parts(small)) }), 401, 'TOKEN_INVALID');
		assert.deepEqual(assertOk(await store.client.get(`${MENUS}/${menu.id}`, { token: store.admin.token }), 200), menu);
		await filesOf(menu);
	});
	test('pictures that are fields, or names', async () => {
		for (const image of ['x', '../../etc/passwd', 'http://example.com/x.png'])
			assertInvalid(await store.client.post(MENUS, { token: store.admin.token, ...form([['name', 'x'], ['price', '1'], ['category_id', String(store.categories[0].id)], ['image', image]]) }), 'image');
	});
	test('bad pictures for a good one, which stays', async () => {
		const menu = assertOk(await upload(small), 201);
		assertError(await change(menu.id, [['image', jpeg.subarray(0, 100), 'x'], ['price', '5']]), 400, 'IMAGE_INVALID');
		assert.deepEqual(assertOk(await store.client.get(`${MENUS}/${menu.id}`, { token: store.admin.token }), 200), menu);
		await filesOf(menu);
	});
	after(async () => {
		console.log(`# the slowest refusal took ${Math.round(slowest.ms)} ms: ${slowest.what}; the program had ${memory()} MiB at most`);
		assert.equal(await store.sql("select count(*) from menus where store_id = :'store' and name = 'x' and image_path is not null"), '0');
		await assertNoOrphans();
	});
});

/** @param {string | Buffer} bytes @param {boolean} end whether this is all that will come @returns {Promise<string>} */
function raw(bytes, end) {
	const socket = net.connect(Number(stack.url.port), stack.url.hostname);
	let text = '';
	socket.setEncoding('latin1').on('data', (s) => { text += s; }).on('error', () => {});
	if (end)
		socket.end(bytes);
	else
		socket.write(bytes);
	return within('an answer', new Promise((done) => {
		socket.on('close', () => done(text));
		socket.on('data', () => /\r\n\r\n/.test(text) && !/^HTTP\/1\.1 100/.test(text) && socket.destroy());
	}), 15000);
}

describe('a form that lies is refused, and leaves nothing:', () => {
	const B = 'b0undary';
	const field = (/** @type {string} */ name, /** @type {string | Buffer} */ value, extra = '') =>
		Buffer.concat([Buffer.from(`--${B}\r\nContent-Disposition: form-data; name="${name}"${extra}\r\n\r\n`), Buffer.from(value), Buffer.from('\r\n')]);
	const good = () => Buffer.concat([field('name', '거짓말'), field('price', '1000'), field('category_id', String(store.categories[0].id)), field('image', small, '; filename="a.png"')]);
	const end = Buffer.from(`--${B}--\r\n`);
	const send = (/** @type {Buffer} */ body, type = `multipart/form-data; boundary=${B}`) => store.client.post(MENUS, { token: store.admin.token, raw: body, headers: { 'Content-Type': type } });
	const lies = () => store.sql("select count(*) from menus where store_id = :'store' and name = '거짓말'");

	test('(one that does not is taken)', async () => {
		for (const type of [undefined, `Multipart/Form-Data; charset=utf-8; boundary="${B}"`]) {
			const menu = assertOk(await send(Buffer.concat([good(), end]), type), 201);
			assertOk(await store.client.api('DELETE', `${MENUS}/${menu.id}`, { token: store.admin.token }), 204);
		}
	});
	/** @type {Record<string, () => [Buffer, string?]>} */
	const bad = {
		'no end': () => [good()],
		'an end that is cut': () => [Buffer.concat([good(), Buffer.from(`--${B}`)])],
		'an end within a picture': () => [good().subarray(0, -20)],
		'another boundary': () => [Buffer.concat([good(), end]), 'multipart/form-data; boundary=other'],
		'no boundary': () => [Buffer.concat([good(), end]), 'multipart/form-data'],
		'an empty boundary': () => [Buffer.concat([good(), end]), 'multipart/form-data; boundary='],
		'an endless boundary': () => [Buffer.concat([good(), end]), `multipart/form-data; boundary=${'b'.repeat(71)}`],
		'nothing': () => [Buffer.alloc(0)],
		'only an end': () => [end],
		'headers without end': () => [Buffer.concat([Buffer.from(`--${B}\r\nContent-Disposition: form-data; name="x"\r\n`), end])],
		'huge headers': () => [Buffer.concat([Buffer.from(`--${B}\r\nContent-Disposition: form-data; name="x"\r\nX-A: ${'a'.repeat(5000)}\r\n\r\nx\r\n`), good(), end])],
		'a part without a name': () => [Buffer.concat([Buffer.from(`--${B}\r\nContent-Disposition: form-data\r\n\r\nx\r\n`), good(), end])],
		'a part with an empty name': () => [Buffer.concat([field('', 'x'), good(), end])],
		'a part without headers': () => [Buffer.concat([Buffer.from(`--${B}\r\n\r\nx\r\n`), good(), end])],
		'a name without end': () => [Buffer.concat([Buffer.from(`--${B}\r\nContent-Disposition: form-data; name="x\r\n\r\nx\r\n`), good(), end])],
		'a name that is not UTF-8': () => [Buffer.concat([Buffer.from(`--${B}\r\nContent-Disposition: form-data; name="`), Buffer.from([0xff, 0xfe]), Buffer.from('"\r\n\r\nx\r\n'), good(), end])],
		'33 parts': () => [Buffer.concat([...Array.from({ length: 29 }, (_, i) => field(`f${i}`, 'x')), good(), end])],
		'ten thousand parts': () => [Buffer.concat([...Array.from({ length: 10000 }, (_, i) => field(`f${i}`, 'x')), good(), end])],
		'bare line feeds': () => [Buffer.from(Buffer.concat([good(), end]).toString('latin1').replaceAll('\r\n', '\n'), 'latin1')],
	};
	for (const [what, make] of Object.entries(bad)) {
		test(what, async () => {
			const at = performance.now();
			assertError(await send(...make()), 400, 'INVALID_REQUEST');
			assert.ok(performance.now() - at < FAST_MS);
		});
	}
	test('a length that is longer than the body', async () => {
		const body = Buffer.concat([good(), end]);
		const head = (/** @type {number} */ n) => `POST ${MENUS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${store.admin.token}\r\nContent-Type: multipart/form-data; boundary=${B}\r\nContent-Length: ${n}\r\n\r\n`;
		const long = await raw(Buffer.concat([Buffer.from(head(body.length + 1000)), body]), true);
		/* mod_fcgid takes a client that leaves in the middle for its own failure */
		assert.ok(long === '' || /^HTTP\/1\.1 4\d\d /.test(long) || (WEB === 'apache-fcgid' && /^HTTP\/1\.1 500 /.test(long)), long);
		assert.match(await raw(Buffer.concat([Buffer.from(head(body.length - 30)), body]), false), /^HTTP\/1\.1 400 /);
	});
	after(async () => {
		assert.equal(await lies(), '0');
		await assertNoOrphans();
	});
});
