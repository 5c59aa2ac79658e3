/**
 * doc/openapi.yaml as a judge: whatever the API answers to the tests must be what the document says, and nothing else.
 */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { Ajv2020 } = require('ajv/dist/2020.js');
const addFormats = require('ajv-formats');
const yaml = require('js-yaml');

export const DOCUMENT = join(dirname(fileURLToPath(import.meta.url)), '../../../doc/openapi.yaml');

/** @type {any} */
export const document = yaml.load(readFileSync(DOCUMENT, 'utf8'), { schema: yaml.CORE_SCHEMA, filename: DOCUMENT });

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** Served by the web server itself, which is no part of the document. */
const FILES = /^\/images\//;

/** Headers that mean something to a client: an answer has one only where the document says so. */
const TELLING = ['allow', 'etag', 'idempotent-replayed', 'location', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'retry-after', 'set-cookie', 'www-authenticate', 'x-request-id'];

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true, allowUnionTypes: true });
addFormats(ajv);
ajv.addVocabulary(['example', 'discriminator']);
ajv.addSchema({ $id: 'openapi', $defs: absolute(document.components.schemas) });

/** @param {any} value @returns {any} what a $ref stands for */
export function resolve(value) {
	if (value?.$ref === undefined)
		return value;
	return resolve(value.$ref.slice(2).split('/').reduce((/** @type {any} */ at, /** @type {string} */ key) => at[key.replace(/~1/g, '/').replace(/~0/g, '~')], document));
}

/** @type {Map<any, import('ajv').ValidateFunction>} */
const compiled = new Map();

/** @param {any} schema a part of the document @param {unknown} value @returns {string[]} what is wrong */
export function faults(schema, value) {
	let validate = compiled.get(schema);
	if (validate === undefined) {
		validate = ajv.compile(absolute(schema));
		compiled.set(schema, validate);
	}
	if (validate(value))
		return [];
	return (validate.errors ?? []).map((e) => `${e.instancePath || 'it'} ${e.message} ${JSON.stringify(e.params)}`);
}

/** @param {any} value @returns {any} the same with references to the $defs above */
function absolute(value) {
	if (Array.isArray(value))
		return value.map(absolute);
	if (typeof value !== 'object' || value === null)
		return value;
	return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, key === '$ref' ? `openapi#/$defs/${v.split('/').pop()}` : absolute(v)]));
}

/** @param {string} path without its query @returns {string | undefined} the document's pattern, one without parameters first */
export function findPath(path) {
	const parts = path.split('/');
	const fits = Object.keys(document.paths).filter((pattern) => {
		const wanted = pattern.split('/');
		return wanted.length === parts.length && wanted.every((w, i) => (w.startsWith('{') ? parts[i] !== '' : w === parts[i]));
	});
	return fits.sort((a, b) => a.split('{').length - b.split('{').length)[0];
}

/** @param {string} method @param {string} path @param {number} status @returns {{response?: any, why?: string}} */
function findResponse(method, path, status) {
	const pattern = findPath(path);
	const unserved = document['x-unserved'];
	const refused = { content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorAnswer' } } } };
	const operation = pattern && document.paths[pattern][method === 'HEAD' ? 'get' : method.toLowerCase()];
	const isHeadOfStream = method === 'HEAD' && resolve(operation?.responses[200])?.content?.['text/event-stream'] !== undefined;

	if (operation !== undefined && method !== 'OPTIONS' && !isHeadOfStream)
		return operation.responses[status] === undefined ? { why: `status ${status} is not in the document` } : { response: resolve(operation.responses[status]) };
	if (method === 'OPTIONS' && status === 204)
		return pattern === undefined ? { why: 'the path is not in the document' } : { response: resolve(unserved.options) };
	if (status === 404)
		return pattern !== undefined ? { why: 'the path is in the document' } : { response: resolve(unserved.address) };
	if (status === 405)
		return pattern === undefined ? { why: 'the path is not in the document' } : { response: resolve(unserved.method) };
	/* the web server may refuse before anybody has looked at the path */
	if (status >= 400)
		return { response: refused };
	return { why: `${pattern === undefined ? 'the path' : 'the method'} is not in the document` };
}

/** @param {any} response @param {Record<string, any>} headers @returns {string[]} */
function headerFaults(response, headers) {
	const known = new Set();
	const wrong = [];

	if (response.headers === undefined)
		return [];
	for (const [name, reference] of Object.entries(response.headers)) {
		const header = resolve(reference);
		const schema = resolve(header.schema);
		const values = [headers[name.toLowerCase()] ?? []].flat();
		known.add(name.toLowerCase());
		if (header.required && values.length === 0)
			wrong.push(`the header ${name} is missing`);
		for (const value of values)
			wrong.push(...faults(header.schema, schema.type === 'integer' ? Number(value) : value).map((fault) => `${name}: ${value}: ${fault}`));
	}
	for (const name of TELLING)
		if (headers[name] !== undefined && !known.has(name))
			wrong.push(`the header ${name}: ${headers[name]} is not in the document`);
	return wrong;
}

/** @param {string} method @param {any} response @param {import('./client.mjs').Answer} answer @returns {string[]} */
function bodyFaults(method, response, answer) {
	const type = String(answer.headers['content-type'] ?? '').split(';')[0].trim();
	const content = response.content?.[type];

	if (method === 'HEAD' || response.content === undefined)
		return answer.text === '' ? [] : ['it has a body, and should not'];
	if (content === undefined)
		return [`Content-Type ${type} is not in the document`];
	return /json$/.test(type) ? faults(content.schema, answer.json) : [];
}

/**
 * What was taken must be what the document says may be sent.
 * @param {string} method @param {string} path @param {import('./client.mjs').Answer} answer @param {unknown} body @returns {string[]}
 */
function requestFaults(method, path, answer, body) {
	const schema = document.paths[findPath(path) ?? '']?.[method.toLowerCase()]?.requestBody?.content['application/json'].schema;

	if (answer.status >= 300 || body === undefined || schema === undefined)
		return [];
	return faults(schema, body).map((fault) => `the request was taken: ${fault}`);
}

/**
 * Throws unless the document allows this answer to this request.
 * @template {import('./client.mjs').Answer} T
 * @param {string} method @param {string} path with its query @param {T} answer @param {unknown} [body] that was sent, if it was JSON @returns {T}
 */
export function checkAnswer(method, path, answer, body) {
	const [at] = path.split('?');
	if (FILES.test(at))
		return answer;
	const { response, why } = findResponse(method, at, answer.status);
	const wrong = response === undefined ? [String(why)] : [...headerFaults(response, answer.headers), ...bodyFaults(method, response, answer), ...requestFaults(method, at, answer, body)];
	if (wrong.length > 0)
		throw new Error(`${method} ${path} answered ${answer.status}, against doc/openapi.yaml:\n  ${wrong.slice(0, 20).join('\n  ')}\n  ${answer.text.slice(0, 1000)}`);
	return answer;
}

/**
 * Throws unless the document has this event on this stream.
 * @param {string} path of the stream @param {{type: string, id: string, data: string, json: any}} event
 */
export function checkEvent(path, event) {
	const events = document.paths[path.split('?')[0]]?.get.responses[200].content['text/event-stream']['x-events'];
	const known = events?.[event.type];
	const wrong = known === undefined ? ['there is no such event'] : faults(known.data, event.json);
	if (known?.id && event.json?.seq !== undefined && String(event.json.seq) !== event.id)
		wrong.push(`id ${event.id} is not the seq`);
	if (wrong.length > 0)
		throw new Error(`${path} sent ${event.type}, against doc/openapi.yaml:\n  ${wrong.join('\n  ')}\n  ${event.data.slice(0, 1000)}`);
}
