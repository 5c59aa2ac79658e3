/** HTTP as a tablet or a board speaks it. */
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { checkAnswer } from './judge.mjs';

const KEEP = { keepAlive: true, maxSockets: 64 };
const agents = { 'http:': new http.Agent(KEEP), 'https:': new https.Agent(KEEP) };

/**
 * @typedef {{status: number, headers: http.IncomingHttpHeaders, text: string, json: any}} Answer
 * @typedef {{token?: string, body?: unknown, raw?: string | Buffer, headers?: Record<string, string>, agent?: http.Agent | false}} Options
 *   body is sent as JSON, raw as it is
 */

export class Client {
	/** @param {import('./stack.mjs').Stack} stack @param {string} [address] whose requests these are to be */
	constructor(stack, address = randomAddress()) {
		this.stack = stack;
		this.address = address;
	}

	/** The answer, which must be one that the document allows. @param {string} method @param {string} path @param {Options} [options] @returns {Promise<Answer>} */
	async api(method, path, options = {}) {
		const bytes = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
		const headers = { 'X-Forwarded-For': this.address, ...options.headers };
		if (options.token !== undefined)
			headers.Authorization = `Bearer ${options.token}`;
		if (bytes !== undefined && headers['Content-Type'] === undefined)
			headers['Content-Type'] = 'application/json';
		if (headers['Content-Type'] === '')
			delete headers['Content-Type'];
		if (bytes !== undefined)
			headers['Content-Length'] = String(Buffer.byteLength(bytes));
		const answer = await send(this.stack.http, { ...this.stack.where, agent: options.agent ?? agents[this.stack.url.protocol], method, path, headers }, bytes);
		return checkAnswer(method, path, answer, options.body);
	}

	/** @param {string} path @param {Options} [options] */
	get(path, options) {
		return this.api('GET', path, options);
	}

	/** @param {string} path @param {Options} [options] */
	post(path, options) {
		return this.api('POST', path, options);
	}

	/** @param {string} path @param {Options} [options] */
	patch(path, options) {
		return this.api('PATCH', path, options);
	}
}

/** @param {typeof http | typeof https} by @param {https.RequestOptions} options @param {string | Buffer} [bytes] @returns {Promise<Answer>} */
function send(by, options, bytes) {
	return new Promise((done, failed) => {
		const request = by.request(options, (response) => {
			/** @type {Buffer[]} */
			const parts = [];
			response.on('data', (part) => parts.push(part));
			response.on('error', failed);
			response.on('end', () => {
				const text = Buffer.concat(parts).toString('utf8');
				/* a list is the same with and without blanks, which Apache takes out */
				if (response.headers.vary !== undefined)
					response.headers.vary = response.headers.vary.split(/,\s*/).join(', ');
				const isJson = /json/.test(response.headers['content-type'] ?? '');
				done({ status: response.statusCode ?? 0, headers: response.headers, text, json: isJson && text !== '' ? JSON.parse(text) : undefined });
			});
		});
		request.on('error', failed);
		request.setTimeout(80000, () => request.destroy(new Error(`no answer to ${options.method} ${options.path} in 80 s`)));
		request.end(bytes);
	});
}

function randomAddress() {
	const byte = () => Math.floor(Math.random() * 254) + 1;
	return `10.${byte()}.${byte()}.${byte()}`;
}

/** What every answer has. @param {Answer} answer */
export function assertCommonHeaders(answer) {
	assert.match(String(answer.headers['x-request-id']), /^[A-Za-z0-9._-]{1,64}$/);
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
	assert.equal(answer.headers['x-frame-options'], 'DENY');
	assert.equal(answer.headers['referrer-policy'], 'no-referrer');
	assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/);
}

/**
 * Every refusal has this form. Returns the error for more.
 * @param {Answer} answer @param {number} status @param {string} code
 */
export function assertError(answer, status, code) {
	const error = answer.json?.error;
	assert.deepEqual([answer.status, error?.code], [status, code], `the answer was ${answer.status} ${answer.text.slice(0, 500)}`);
	assert.match(String(answer.headers['content-type']), /^application\/json\b/);
	assert.deepEqual(Object.keys(answer.json), ['error']);
	assert.deepEqual(Object.keys(error).filter((key) => !['code', 'message', 'details', 'request_id'].includes(key)), []);
	assert.ok(typeof error.message === 'string' && error.message.length > 0);
	assert.equal(error.request_id, answer.headers['x-request-id']);
	assert.ok(error.details === undefined || (typeof error.details === 'object' && error.details !== null));
	assertCommonHeaders(answer);
	if (status === 401)
		assert.match(String(answer.headers['www-authenticate']), /^Bearer\b/);
	if (status === 429 || status === 503)
		assert.ok(Number(answer.headers['retry-after']) >= 1, 'Retry-After is missing');
	return error;
}

/** @param {Answer} answer @param {string} field */
export function assertInvalid(answer, field) {
	const error = assertError(answer, 400, 'INVALID_REQUEST');
	assert.equal(error.details?.field, field, answer.text);
}

/** @param {Answer} answer @param {number} status */
export function assertOk(answer, status) {
	assert.equal(answer.status, status, `the answer was ${answer.status} ${answer.text.slice(0, 500)}`);
	assertCommonHeaders(answer);
	return answer.json;
}
