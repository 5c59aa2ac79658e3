/** Pictures, made here; and what is in one. PNG is written by hand, the other formats by GraphicsMagick's gm. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';

const LIMIT = { maxBuffer: 256 << 20 };

/** @param {Buffer} bytes */
function crc32(bytes) {
	let crc = ~0;
	for (const byte of bytes) {
		crc ^= byte;
		for (let i = 0; i < 8; i++)
			crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc >>> 0;
}

/** @param {string} type @param {Buffer} data A chunk of a PNG. */
export function chunk(type, data) {
	const head = Buffer.alloc(8), tail = Buffer.alloc(4);
	head.writeUInt32BE(data.length);
	head.write(type, 4, 'latin1');
	tail.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])));
	return Buffer.concat([head, data, tail]);
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** @param {number} width @param {number} height @param {number} depth @param {number} colour 0 grey, 2 RGB, 6 RGBA */
function header(width, height, depth, colour) {
	const data = Buffer.alloc(13);
	data.writeUInt32BE(width);
	data.writeUInt32BE(height, 4);
	data.set([depth, colour], 8);
	return chunk('IHDR', data);
}

/**
 * A PNG whose pixels a function gives as [r, g, b] or [r, g, b, a].
 * @param {number} width @param {number} height @param {(x: number, y: number) => number[]} pixel @param {Buffer[]} [extra] more chunks
 */
export function png(width, height, pixel, extra = []) {
	const samples = pixel(0, 0).length;
	const rows = Buffer.alloc((width * samples + 1) * height);
	for (let y = 0, at = 0; y < height; y++) {
		rows[at++] = 0;
		for (let x = 0; x < width; x++)
			for (const sample of pixel(x, y))
				rows[at++] = sample;
	}
	return Buffer.concat([SIGNATURE, header(width, height, 8, samples === 4 ? 6 : 2), ...extra, chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/** A black PNG of any size, small in bytes. @param {number} width @param {number} height @param {number} [bits] of a pixel */
export function blackPng(width, height, bits = 1) {
	const data = deflateSync(Buffer.alloc((Math.ceil(width * bits / 8) + 1) * height), { level: 1 });
	return Buffer.concat([SIGNATURE, header(width, height, bits, 0), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** A PNG that says it is large and holds next to nothing. @param {number} width @param {number} height */
export function emptyPng(width, height) {
	return Buffer.concat([SIGNATURE, header(width, height, 8, 2), chunk('IDAT', deflateSync(Buffer.alloc(64))), chunk('IEND', Buffer.alloc(0))]);
}

/** Pixels of a colour on the left and another on the right. @param {number} width @param {number[]} left @param {number[]} right */
export const halves = (width, left, right) => (/** @type {number} */ x) => (x < width / 2 ? left : right);

/** @param {Buffer} bytes @param {string} from @param {string} to formats, as gm names them @param {string[]} [options] */
export function convert(bytes, from, to, options = []) {
	return execFileSync('gm', ['convert', `${from}:-`, ...options, `${to}:-`], { input: bytes, stdio: ['pipe', 'pipe', 'ignore'], ...LIMIT });
}

/** A JPEG that turns by its EXIF. @param {Buffer} jpeg @param {number} orientation 1…8 @param {string} secret a text among the metadata */
export function withExif(jpeg, orientation, secret) {
	const make = Buffer.from(`${secret}\0`);
	const tiff = Buffer.alloc(38);
	tiff.write('MM\0*\0\0\0\b', 'latin1');
	tiff.writeUInt16BE(2, 8);
	tiff.writeUInt16BE(0x010f, 10); /* Make, text that stands behind the directory */
	tiff.writeUInt16BE(2, 12);
	tiff.writeUInt32BE(make.length, 14);
	tiff.writeUInt32BE(38, 18);
	tiff.writeUInt16BE(0x0112, 22); /* Orientation, a short */
	tiff.writeUInt16BE(3, 24);
	tiff.writeUInt32BE(1, 26);
	tiff.writeUInt16BE(orientation, 30);
	const data = Buffer.concat([Buffer.from('Exif\0\0'), tiff, make]);
	const length = Buffer.alloc(2);
	length.writeUInt16BE(data.length + 2);
	return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, data, jpeg.subarray(2)]);
}

/** A photograph of 12 megapixels, close to a size in bytes; what is missing is added behind it. @param {number} size */
export function photo(size) {
	for (const quality of [83, 80, 75, 60]) {
		const bytes = execFileSync('gm', ['convert', '-size', '4000x3000', 'gradient:red-blue', '+noise', 'Gaussian', '-quality', String(quality), 'JPEG:-'], LIMIT);
		if (bytes.length <= size)
			return Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
	}
	throw new Error('no photograph is small enough');
}

/**
 * What a picture is, and its pixels.
 * @param {Buffer} bytes @returns {{format: string, width: number, height: number, quality: number, at: (x: number, y: number) => number[]}}
 */
export function look(bytes) {
	const dir = mkdtempSync(join(tmpdir(), 'to-picture.'));
	try {
		const file = join(dir, 'picture');
		writeFileSync(file, bytes);
		const [format, width, height, quality] = execFileSync('gm', ['identify', '-format', '%m %w %h %Q\n', file], { encoding: 'utf8' }).split('\n')[0].split(' ');
		execFileSync('gm', ['convert', `${file}[0]`, '-depth', '8', `RGB:${join(dir, 'rgb')}`]);
		const rgb = readFileSync(join(dir, 'rgb'));
		return { format, width: Number(width), height: Number(height), quality: Number(quality), at: (x, y) => [...rgb.subarray((y * Number(width) + x) * 3, (y * Number(width) + x) * 3 + 3)] };
	} finally {
		rmSync(dir, { recursive: true });
	}
}
