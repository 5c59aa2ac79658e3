/** An event stream read as a browser's EventSource reads it (WHATWG HTML §9.2), with a look at what it hides. */
import http from 'node:http';
import { checkEvent } from './judge.mjs';
import { until } from './until.mjs';

/**
 * @typedef {{type: string, data: string, id: string, json: any, at: number}} Event
 * @typedef {{token?: string, headers?: Record<string, string>, lastEventId?: string, retryMs?: number, reconnect?: boolean, socketPath?: string}} Options
 *   retryMs is waited before a reconnect instead of what the server said
 */

/** Takes bytes apart into events. */
export class Parser {
	/** @param {(event: {type: string, data: string, id: string}) => void} dispatch @param {(ms: number) => void} retry @param {(id: string) => void} cursor */
	constructor(dispatch, retry, cursor) {
		this.dispatch = dispatch;
		this.retry = retry;
		this.cursor = cursor;
		this.decoder = new TextDecoder('utf-8');
		this.rest = '';
		this.afterCr = false;
		this.type = '';
		this.data = '';
		this.id = '';
	}

	/** @param {Uint8Array} bytes */
	feed(bytes) {
		let text = this.decoder.decode(bytes, { stream: true });
		if (this.afterCr && text.startsWith('\n'))
			text = text.slice(1);
		if (text !== '')
			this.afterCr = text.endsWith('\r');
		const lines = (this.rest + text).split(/\r\n|\r|\n/);
		this.rest = lines.pop() ?? '';
		for (const line of lines)
			this.line(line);
	}

	/** @param {string} line */
	line(line) {
		if (line === '') {
			this.blank();
			return;
		}
		const colon = line.indexOf(':');
		if (colon === 0)
			return;
		const field = colon === -1 ? line : line.slice(0, colon);
		const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
		if (field === 'event')
			this.type = value;
		else if (field === 'data')
			this.data += `${value}\n`;
		else if (field === 'id' && !value.includes('\0'))
			this.id = value;
		else if (field === 'retry' && /^\d+$/.test(value))
			this.retry(Number(value));
	}

	blank() {
		this.cursor(this.id);
		const { type, data, id } = this;
		this.type = this.data = '';
		if (data !== '')
			this.dispatch({ type: type || 'message', data: data.slice(0, -1), id });
	}
}

export class EventStream {
	/** @param {import('./stack.mjs').Stack} stack @param {string} path @param {Options} [options] */
	constructor(stack, path, options = {}) {
		this.stack = stack;
		this.path = path;
		this.options = options;
		/** @type {Event[]} */
		this.events = [];
		/** every id that was set, also without an event @type {string[]} */
		this.cursors = [];
		this.lastEventId = options.lastEventId ?? '';
		this.retryMs = 3000;
		/** @type {'connecting' | 'open' | 'closed'} */
		this.state = 'connecting';
		this.connections = 0;
		/** @type {{status: number, headers: http.IncomingHttpHeaders, text: string} | undefined} why it gave up */
		this.refusal = undefined;
		/** @type {http.IncomingHttpHeaders} */
		this.headers = {};
		this.connect();
	}

	connect() {
		this.state = 'connecting';
		const headers = { Accept: 'text/event-stream', 'Cache-Control': 'no-store', ...this.options.headers };
		if (this.options.token !== undefined)
			headers.Authorization = `Bearer ${this.options.token}`;
		if (this.lastEventId !== '')
			headers['Last-Event-ID'] = this.lastEventId;
		const { socketPath } = this.options;
		const get = socketPath === undefined ? this.stack.http.get : http.get;
		const where = socketPath === undefined ? this.stack.where : { socketPath };
		this.request = get({ ...where, path: this.path, headers, agent: false }, (response) => this.answered(response));
		this.request.on('error', () => this.lost());
	}

	/** @param {http.IncomingMessage} response */
	answered(response) {
		this.headers = response.headers;
		if (response.statusCode !== 200 || !/^text\/event-stream\b/.test(response.headers['content-type'] ?? '')) {
			this.giveUp(response);
			return;
		}
		this.state = 'open';
		this.connections++;
		const parser = new Parser(
			(event) => this.took({ ...event, json: event.data.startsWith('{') ? JSON.parse(event.data) : undefined, at: performance.now() }),
			(ms) => { this.retryMs = ms; },
			(id) => {
				this.lastEventId = id;
				if (id !== '')
					this.cursors.push(id);
			});
		parser.id = this.lastEventId;
		response.on('data', (bytes) => this.state === 'open' && parser.feed(bytes));
		response.on('end', () => this.lost());
		response.on('error', () => this.lost());
	}

	/** One event, which must be one that the document has. @param {Event} event */
	took(event) {
		checkEvent(this.path, event);
		this.events.push(event);
	}

	/** @param {http.IncomingMessage} response */
	giveUp(response) {
		let text = '';
		response.setEncoding('utf8').on('data', (s) => { text += s; });
		response.on('end', () => {
			this.refusal = { status: response.statusCode ?? 0, headers: response.headers, text };
			this.state = 'closed';
		});
	}

	lost() {
		if (this.state === 'closed' || this.timer !== undefined)
			return;
		this.state = this.options.reconnect === false ? 'closed' : 'connecting';
		if (this.state === 'closed')
			return;
		this.timer = setTimeout(() => {
			this.timer = undefined;
			this.connect();
		}, this.options.retryMs ?? this.retryMs);
	}

	close() {
		this.state = 'closed';
		clearTimeout(this.timer);
		this.request?.destroy();
	}

	/** Events that tell of something, without heartbeats. */
	get news() {
		return this.events.filter((event) => event.type !== 'heartbeat');
	}

	/** Their seqs, as the ids say. */
	get ids() {
		return this.news.map((event) => Number(event.id));
	}

	/** Until the stream is open and has told its cursor. */
	async opened() {
		await until(`a stream at ${this.path}`, () => this.cursors.length > 0 || this.refusal !== undefined);
		if (this.refusal !== undefined)
			throw new Error(`the stream was refused: ${this.refusal.status} ${this.refusal.text}`);
		return this;
	}

	/** @param {string} what @param {() => any} condition @param {number} [ms] */
	until(what, condition, ms) {
		return until(`${what} on ${this.path}`, condition, ms).catch((error) => {
			throw new Error(`${error.message}; there was: ${this.state} ${JSON.stringify(this.refusal ?? '')} ${this.news.slice(-20).map((e) => `${e.type}#${e.id}`).join(' ')}`);
		});
	}

	/** Until the news have this id. @param {number} seq @param {number} [ms] */
	untilId(seq, ms) {
		return this.until(`event ${seq}`, () => this.ids.includes(seq), ms);
	}

	/** Until the server has ended it, and it does not come back. @param {number} [ms] */
	ended(ms) {
		return this.until('the end of the stream', () => this.state === 'closed', ms);
	}
}

/** Closes streams when a test ends, however it does. */
export class Streams {
	/** @param {import('./stack.mjs').Stack} stack */
	constructor(stack) {
		this.stack = stack;
		/** @type {EventStream[]} */
		this.all = [];
	}

	/** @param {string} path @param {Options} [options] @returns {EventStream} */
	start(path, options) {
		const stream = new EventStream(this.stack, path, options);
		this.all.push(stream);
		return stream;
	}

	/** @param {string} path @param {Options} [options] */
	open(path, options) {
		return this.start(path, options).opened();
	}

	closeAll() {
		for (const stream of this.all.splice(0))
			stream.close();
	}
}

