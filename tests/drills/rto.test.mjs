/**
 * A backup is made while tables order. Then the machine is gone: data, pictures, keys and configuration. What the repository
 * has makes a new one, by the steps of doc/operations/backup.md, and it takes orders again. Then an hour that should not
 * have been is taken back.
 */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Backups } from '../api/lib/backup.mjs';
import { assertOk } from '../api/lib/client.mjs';
import { form } from '../api/lib/form.mjs';
import { orderThrough, persist, report } from '../api/lib/load.mjs';
import { photo } from '../api/lib/picture.mjs';
import { Streams } from '../api/lib/sse.mjs';
import { ownStack } from '../api/lib/stack.mjs';
import { newStore } from '../api/lib/store.mjs';
import { until } from '../api/lib/until.mjs';

const NAME = 'rto';
const PAST_ORDERS = 100000, PICTURES = 20;
const BEFORE_ARCHIVED = 200, AFTER_ARCHIVED = 48, BEFORE_SLEEP = 16;
const STREAM = '/api/admin/orders/stream';

/** @type {import('../api/lib/stack.mjs').Stack} */
let stack;
/** @type {import('../api/lib/store.mjs').Store} */
let store;
/** @type {Backups} */
let backups;
/** Where a menu's picture is served. @type {string[]} */
const pictures = [];

before(async () => {
	stack = await ownStack(NAME, {});
	/* another disk than the machine's */
	backups = new Backups(stack, `${stack.dir}-repository`);
	await backups.configure();
	backups.backrest('stanza-create');
	store = await newStore(stack, { tables: 8 });
});
after(() => stack?.stop());

/** A year of a store, and pictures as a store has them. */
async function fill() {
	await store.sql(`
		with session as (
			insert into table_sessions (store_id, table_id, started_at, ended_at, archived_orders_count, archived_total_price, payable_total_price, unserved_orders_count)
			select :'store', :table, now() - interval '2 h', now() - interval '1 h', :n, :n * 1000, :n * 1000, 0 returning id),
		past as (
			insert into order_history (store_id, table_id, table_session_id, original_order_id, order_number, business_date, status, total_price, order_created_at, archived_at)
			select :'store', :table, session.id, n, n, current_date - 400, 'served', 1000, now() - interval '2 h', now() - interval '1 h'
			from session, generate_series(1, :n) n returning id, archived_at)
		insert into order_history_items (store_id, order_history_id, archived_at, menu_id, menu_name, quantity, unit_price, subtotal)
		select :'store', id, archived_at, :menu, '음식', 1, 1000, 1000 from past`,
	{ table: store.tables[0].table_id, menu: store.menus[0].id, n: PAST_ORDERS });
	const image = photo(5 << 20);
	for (let i = 0; i < PICTURES; i++) {
		const menu = assertOk(await store.client.post('/api/admin/menus', {
			token: store.admin.token, ...form([['name', `그림 ${i}`], ['price', '1000'], ['category_id', String(store.categories[0].id)], ['image', image, 'picture.jpg']]),
		}), 201);
		pictures.push(menu.image_url);
	}
}

/** Orders of all tables at once. @param {number} count */
async function orders(count) {
	const made = await Promise.all(store.tables.map(async (_, table) => {
		const list = [];
		for (let i = 0; i < count / store.tables.length; i++)
			list.push(await store.order(table, [i % 6]));
		return list;
	}));
	return made.flat();
}

/** Which of these orders are not on the board, just as they were: a lost one's id is given again. @param {any[]} made */
async function missing(made) {
	const board = assertOk(await persist(() => store.client.get('/api/admin/board', { token: store.admin.token })), 200);
	const there = new Map(board.tables.flatMap((/** @type {any} */ t) => t.orders).map((/** @type {any} */ o) => [o.id, o]));
	return made.filter((order) => !isDeepStrictEqual(there.get(order.id), order));
}

/** @param {string} path @returns {Promise<number | undefined>} */
function status(path) {
	return new Promise((done, failed) => {
		http.get({ host: stack.url.hostname, port: stack.url.port, path }, (response) => {
			response.resume().on('end', () => done(response.statusCode));
		}).on('error', failed);
	});
}

/** @param {import('../api/lib/backup.mjs').Result} result */
const assertDone = (result) => assert.equal(result.code, 0, result.errors);

/** @param {string} part A directory of the installation, empty and the cluster owner's. */
function emptyDirectory(part) {
	const path = join(stack.dir, part);
	mkdirSync(path);
	chmodSync(path, 0o700);
	chownSync(path, backups.owner.uid, backups.owner.gid);
}

test('a backup while tables order', async () => {
	await fill();
	const streams = new Streams(stack);
	await orderThrough(stack, streams, async () => assertDone(await backups.run(['backup'])),
		{ drill: 'a backup while tables order', note: `${PAST_ORDERS} past orders, ${PICTURES} pictures` });
	streams.closeAll();
	assertDone(await backups.run(['restore-test']));
});

test('from nothing to serving orders', async () => {
	const archived = await orders(BEFORE_ARCHIVED);
	/* what archive_timeout does within a minute */
	backups.backrest('check');
	const late = await orders(AFTER_ARCHIVED);
	const key = readFileSync(join(stack.dir, 'keys/private.pem'));

	stack.signal('postgres', 'KILL');
	await stack.stop();
	for (const part of ['postgres', 'uploads', 'keys', 'redis', 'rabbitmq', 'run', 'table-order.env'])
		rmSync(join(stack.dir, part), { recursive: true });
	rmSync(backups.state, { recursive: true });

	const began = performance.now();
	for (const part of ['postgres', 'uploads', 'keys'])
		emptyDirectory(part);
	backups.own(backups.state, 0o700, (path) => mkdirSync(path));
	assertDone(await backups.run(['restore-files', '/']));
	backups.backrest('restore');
	stack = store.stack = await ownStack(NAME, {});
	await stack.orderctl('after-restore');
	/* with the token that it had: keys and accounts are the same */
	const body = { items: [{ menu_id: store.menus[0].id, quantity: 1 }] };
	assertOk(await persist(() => store.client.post('/api/customer/orders', { token: store.tables[0].token, body })), 201);
	const ms = performance.now() - began;

	assert.ok(key.equals(readFileSync(join(stack.dir, 'keys/private.pem'))));
	const [lost, lostLate] = [await missing(archived), await missing(late)];
	report('everything gone, restored from the backup', { acknowledged: archived.length, lost: lost.length, longestGapMs: ms },
		`orders again after ${(ms / 1000).toFixed(1)} s, ${PAST_ORDERS} past orders, ${PICTURES} pictures; ${lostLate.length} of ${late.length} orders after the last archived WAL are gone`);
	assert.deepEqual(lost, []);
	assert.equal(await store.sql("select count(*) from order_history where store_id = :'store'"), String(PAST_ORDERS));
	for (const picture of pictures)
		assert.equal(await status(picture), 200);
	await until('an empty outbox', async () => await store.sql('select count(*) from events where published_at is null') === '0', 60000);

	assertDone(await backups.run(['backup']));
	assertDone(await backups.run(['restore-test']));
});

test('back to a moment before a mistake', async () => {
	const good = await orders(40);
	const moment = await store.sql('select clock_timestamp()');
	await store.sql("delete from order_items where store_id = :'store'; delete from orders where store_id = :'store'");
	assert.deepEqual(await missing(good), good);
	/* what a board sees, and is gone afterwards */
	const streams = new Streams(stack);
	const board = await streams.open(STREAM, { token: store.admin.token });
	await orders(BEFORE_SLEEP);
	await board.until('the orders', () => board.news.length === BEFORE_SLEEP);
	board.close();
	backups.backrest('check');

	const began = performance.now();
	await stack.stop();
	backups.backrest('restore', '--delta', '--type=time', `--target=${moment}`, '--target-action=promote');
	stack = store.stack = await ownStack(NAME, {});
	await stack.orderctl('after-restore');
	const lost = await missing(good);
	const ms = performance.now() - began;
	report('restored to a moment before a mistake', { acknowledged: good.length, lost: lost.length, longestGapMs: ms });
	assert.deepEqual(lost, []);
	assertOk(await persist(() => store.client.post('/api/customer/orders', { token: store.tables[1].token, body: { items: [{ menu_id: store.menus[0].id, quantity: 1 }] } })), 201);
	/* it sleeps until there are as many events as it had seen, and more */
	await orders(2 * BEFORE_SLEEP);
	const again = await new Streams(stack).open(STREAM, { token: store.admin.token, lastEventId: board.lastEventId });
	await again.until('a reset', () => again.news.length > 0);
	again.close();
	assert.equal(again.news[0].type, 'reset');
});
