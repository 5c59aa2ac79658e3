/** doc/openapi.yaml itself: whole, sound, and the same as the programs and lib/error.h. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Client, assertError, assertOk } from './lib/client.mjs';
import { DOCUMENT, METHODS, checkAnswer, checkEvent, document, faults, resolve } from './lib/openapi.mjs';
import { route } from './lib/route.mjs';
import { SOURCE, sharedStack } from './lib/stack.mjs';

const { createConfig, lint } = createRequire(import.meta.url)('@redocly/openapi-core');
const stack = sharedStack();
const routes = stack.routes();
const client = new Client(stack);

/** Who may, as the document says it. @type {Record<string, string>} */
const SCHEMES = { table: 'tableToken', store_admin: 'storeAdminToken', super_admin: 'superAdminToken' };

/** @returns {{name: string, method: string, path: string, item: any, operation: any}[]} */
function operations() {
	return Object.entries(document.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method] !== undefined)
		.map((method) => ({ name: `${method.toUpperCase()} ${path}`, method, path, item, operation: item[method] })));
}

/** @param {{item: any, operation: any}} of */
function parameters({ item, operation }) {
	return [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
}

/** @param {any} value @param {(node: any, key: string) => void} visit @param {string} [key] */
function walk(value, visit, key = '') {
	if (typeof value !== 'object' || value === null)
		return;
	visit(value, key);
	for (const [k, v] of Object.entries(value))
		walk(v, visit, k);
}

/** The codes that a schema of an error names. @param {any} schema @returns {string[]} */
function codesOf(schema) {
	/** @type {string[]} */
	const codes = [];
	walk(schema, (node, key) => {
		if (key === 'code')
			codes.push(...(node.enum ?? [node.const]));
	});
	return codes;
}

/** The examples of a media type. @param {any} content @returns {any[]} */
function examplesOf(content) {
	return content.examples !== undefined ? Object.values(content.examples).map((/** @type {any} */ e) => e.value) : content.example !== undefined ? [content.example] : [];
}

function errorTable() {
	const text = readFileSync(join(SOURCE, 'lib/error.h'), 'utf8').replace(/\\\n/g, ' ');
	return [...text.matchAll(/E\((\w+), (\d+),\s*"([^"]*)",\s*"([^"]*)"\)/g)].map(([, code, status, korean]) => ({ code, status: Number(status), korean }));
}

describe('the document', () => {
	test('passes redocly\'s rules', async () => {
		const config = await createConfig({
			extends: ['recommended-strict'],
			rules: {
				/* reorder beside {menu_id}: the literal one is meant */
				'no-ambiguous-paths': 'off',
				/* both are done below, with the schemas' own dialect and with x- members */
				'no-invalid-media-type-examples': 'off',
				'no-unused-components': 'off',
				'no-invalid-parameter-examples': 'error',
				'no-invalid-schema-examples': 'error',
				'operation-operationId': 'error',
				'operation-operationId-url-safe': 'error',
				'path-params-defined': 'error',
				'tag-description': 'error',
			},
		});
		const problems = await lint({ ref: DOCUMENT, config });
		assert.deepEqual(problems.map((/** @type {any} */ p) => `${p.ruleId} at ${p.location[0]?.pointer}: ${p.message}`), []);
	});
	test('has the routes that the programs print, and no others', () => {
		assert.deepEqual(operations().map(({ name }) => name).sort(), routes.map((r) => `${r.method} ${r.pattern}`).sort());
	});
	test('lets in whom the programs let in', () => {
		for (const { name, operation } of operations()) {
			const route = routes.find((r) => `${r.method} ${r.pattern}` === name);
			const schemes = operation.security.flatMap((/** @type {any} */ s) => Object.keys(s)).filter((/** @type {string} */ s) => s.endsWith('Token'));
			assert.deepEqual(schemes.sort(), route?.roles.map((role) => SCHEMES[role]).sort(), name);
		}
	});
	test('has the header, the form and the cookie where a route is of that kind', () => {
		for (const of of operations()) {
			const flags = routes.find((r) => `${r.method} ${r.pattern}` === of.name)?.flags ?? [];
			const names = parameters(of).map((p) => p.name);
			assert.equal(names.includes('Idempotency-Key'), flags.includes('idempotent'), of.name);
			assert.equal(names.includes('Last-Event-ID'), flags.includes('stream'), of.name);
			assert.equal(of.operation.requestBody?.content['multipart/form-data'] !== undefined, flags.includes('upload'), of.name);
			assert.equal(of.operation.responses[304] !== undefined, names.includes('If-None-Match'), of.name);
		}
	});
	test('explains and shows each operation', () => {
		const bodies = new Set();
		for (const of of operations()) {
			const { name, operation } = of;
			assert.ok(operation.operationId && operation.summary && operation.tags.length === 1, name);
			for (const p of parameters(of))
				assert.ok(p.description && p.example !== undefined, `${name} ${p.name}`);
			const answers = Object.entries(operation.responses).map(([status, r]) => ({ status, ...resolve(r) }));
			assert.ok(answers.some((r) => r.status < '400') && answers.some((r) => r.status >= '400'), name);
			for (const [type, content] of [operation.requestBody, ...answers].flatMap((b) => Object.entries(b?.content ?? {})))
				assert.ok(examplesOf(content).length > 0, `${name} shows no ${type}`);
			for (const content of [operation.requestBody, ...answers].map((b) => b?.content?.['application/json']).filter(Boolean))
				bodies.add(content);
		}
		for (const { schema, ...content } of bodies)
			for (const example of examplesOf(content))
				assert.deepEqual(faults(schema, example), [], JSON.stringify(example));
	});
	test('shows events as they are', () => {
		for (const { path, operation } of operations().filter(({ operation: o }) => o.responses[200]?.content?.['text/event-stream'] !== undefined)) {
			const blocks = operation.responses[200].content['text/event-stream'].example.split('\n\n').filter((/** @type {string} */ b) => b.includes('data: '));
			assert.ok(blocks.length >= 2, path);
			for (const block of blocks) {
				const field = (/** @type {string} */ of) => new RegExp(`^${of}: (.*)$`, 'm').exec(block)?.[1] ?? '';
				checkEvent(path, { type: field('event'), id: field('id'), data: field('data'), json: JSON.parse(field('data')) });
			}
		}
	});
	test('has no component without use', () => {
		const used = new Set();
		walk(document, (node) => used.add(node.$ref));
		const security = new Set(operations().flatMap(({ operation }) => operation.security.flatMap(Object.keys)));
		for (const [kind, parts] of Object.entries(document.components))
			for (const name of Object.keys(parts))
				if (!/^(Admin|Customer)Event$/.test(name)) /* these two are for generated types */
					assert.ok(kind === 'securitySchemes' ? security.has(name) : used.has(`#/components/${kind}/${name}`), `${kind}/${name}`);
	});
	test('lets no answer have members that it does not know', () => {
		for (const [name, schema] of Object.entries(document.components.schemas)) {
			const isInput = /^(New|.*(Changes|Credentials)|.*Form$|DisplayOrder$|SessionToComplete$)/.test(name);
			walk(schema, (node, key) => {
				if (node.type === 'object' && key !== 'details' && !isInput)
					assert.equal(node.additionalProperties, false, name);
			});
		}
	});
});

describe('the errors of the document', () => {
	const table = errorTable();

	test('are those of lib/error.h, at their statuses', () => {
		assert.ok(table.length > 30);
		assert.deepEqual(document.components.schemas.ErrorCode.enum, table.map((row) => row.code));
		const seen = new Set();
		const responses = operations().flatMap(({ name, operation }) => Object.entries(operation.responses).map(([status, r]) => ({ name, status, response: resolve(r) })));
		const unserved = Object.entries({ address: '404', method: '405' }).map(([key, status]) => ({ name: 'x-unserved', status, response: resolve(document['x-unserved'][key]) }));
		for (const { name, status, response } of [...responses, ...unserved].filter((r) => r.status >= '400' && r.status <= '504')) {
			const codes = codesOf(response.content['application/json'].schema);
			assert.ok(codes.length > 0 || (name === 'GET /health' && status === '503'), `${name} ${status} has no code`);
			for (const code of codes) {
				seen.add(code);
				assert.equal(String(table.find((row) => row.code === code)?.status), status, `${name} ${status} ${code}`);
			}
		}
		assert.deepEqual(table.map((row) => row.code).filter((code) => !seen.has(code)), []);
	});
	test('are shown with their own words', () => {
		for (const response of Object.values(document.components.responses))
			for (const { error } of examplesOf(response.content?.['application/json'] ?? {}))
				assert.equal(error.message, table.find((row) => row.code === error.code)?.korean);
	});
	test('are possible wherever they are for everybody', () => {
		for (const { name, operation } of operations()) {
			assert.ok(operation.responses[500] !== undefined, name);
			for (const status of operation.security.length > 0 ? [401, 403] : [])
				assert.ok(operation.responses[status] !== undefined, `${name} ${status}`);
			assert.equal(operation.responses[415] !== undefined, operation.requestBody !== undefined, name);
		}
	});
});

route('GET /docs', ({ succeeds, refuses }) => {
	succeeds('as one page that asks for nothing else', async () => {
		const answer = await client.get('/docs');
		assertOk(answer, 200);
		assert.match(String(answer.headers['content-type']), /^text\/html; charset=utf-8$/);
		assert.match(String(answer.headers['content-security-policy']), /^default-src 'none'; style-src 'unsafe-inline';/);
		assert.doesNotMatch(answer.text, /<(script|link|img|iframe|object|embed|base|form)\b|@import|url\(|\bsrc=|\bon[a-z]+=/i);
		for (const [, href] of answer.text.matchAll(/href="([^"]*)"/g))
			assert.match(href, /^#/);
	});
	succeeds('with every operation, code and schema, and no link to nowhere', async () => {
		const { text } = await client.get('/docs');
		const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
		assert.equal(new Set(ids).size, ids.length);
		for (const id of [...operations().map(({ operation }) => operation.operationId), ...errorTable().map(({ code }) => `error-${code}`), ...Object.keys(document.components.schemas).map((name) => `schema-${name}`)])
			assert.ok(ids.includes(id), id);
		for (const [, id] of text.matchAll(/href="#([^"]*)"/g))
			assert.ok(ids.includes(id), `#${id}`);
	});
	refuses('paths below it', async () => {
		assertError(await client.get('/docs/'), 404, 'NOT_FOUND');
		assertError(await client.get('/docs/openapi.yaml'), 404, 'NOT_FOUND');
	});
});

describe('an answer against the document', () => {
	const good = {
		status: 200, text: '{}', headers: { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'a' },
		json: document.paths['/api/admin/tables'].get.responses[200].content['application/json'].example,
	};
	/** @param {object} change @param {RegExp} why @param {string} [method] @param {string} [path] */
	const refused = (change, why, method = 'GET', path = '/api/admin/tables?x=1') => assert.throws(() => checkAnswer(method, path, { ...good, ...change }), why);

	test('passes when it is as the document says', () => {
		checkAnswer('GET', '/api/admin/tables', good);
		checkAnswer('HEAD', '/api/admin/tables', { ...good, text: '', json: undefined });
		checkAnswer('GET', '/images/x.jpg', { ...good, json: 1 });
	});
	test('is 405 for the HEAD of a stream, which no program gives', async () => {
		for (const path of ['/api/admin/orders/stream', '/api/customer/orders/stream'])
			assert.equal((await client.api('HEAD', path)).status, 405);
	});
	test('fails when something is missing, new or otherwise', () => {
		const [table] = good.json.data;
		refused({ status: 201 }, /status 201 is not in the document/);
		refused({}, /the path is not in the document/, 'GET', '/api/admin/chairs');
		refused({}, /the method is not in the document/, 'PUT');
		refused({ headers: { ...good.headers, 'content-type': 'text/html' } }, /Content-Type text\/html/);
		refused({ headers: { 'content-type': 'application/json' } }, /X-Request-Id is missing/);
		refused({ headers: { ...good.headers, 'x-request-id': '{}' } }, /X-Request-Id: \{\}/);
		refused({ headers: { ...good.headers, location: '/x' } }, /location: \/x is not in the document/);
		refused({ json: { data: [{ ...table, chairs: 4 }] } }, /chairs/);
		refused({ json: { data: [{ ...table, id: '7' }] } }, /\/data\/0\/id must be integer/);
		refused({ json: { data: [{ ...table, created_at: '2026-11-23 12:00' }] } }, /created_at/);
		refused({ json: { data: [{ id: 1 }] } }, /table_number/);
		refused({ json: undefined }, /must be object/);
		refused({ status: 204 }, /it has a body/, 'DELETE', '/api/admin/tables/7?x');
		const error = { error: { code: 'TABLE_IN_USE', message: 'x', request_id: 'a' } };
		checkAnswer('DELETE', '/api/admin/tables/7', { ...good, status: 409, json: error });
		refused({ status: 409, json: { error: { ...error.error, code: 'MENU_IN_USE' } } }, /code/, 'DELETE', '/api/admin/tables/7');
		refused({ status: 409, json: { error: { ...error.error, stack: 'x' } } }, /stack/, 'DELETE', '/api/admin/tables/7');
	});
	test('fails for events alike', () => {
		const event = { type: 'heartbeat', id: '', data: '{}', json: {} };
		checkEvent('/api/admin/orders/stream', event);
		assert.throws(() => checkEvent('/api/admin/orders/stream', { ...event, type: 'OrderEaten' }), /no such event/);
		assert.throws(() => checkEvent('/api/customer/orders/stream?last_event_id=1', { ...event, type: 'AccountRevoked' }), /no such event/);
		assert.throws(() => checkEvent('/api/admin/orders/stream', { ...event, json: { x: 1 } }), /x/);
	});
});
