/** A store of one's own, so that files can run beside each other. */
import { Client, assertOk } from './client.mjs';
import { sql } from './sql.mjs';

let made = 0;

/**
 * @typedef {{id: number, category_id: number, name: string, price: number}} Menu
 * @typedef {{table_id: number, table_number: string, password: string, token: string, cookie: string}} Table
 */

export class Store {
	/** @param {import('./stack.mjs').Stack} stack @param {any} facts */
	constructor(stack, facts) {
		this.stack = stack;
		this.client = new Client(stack);
		/** @type {string} */
		this.store_id = facts.store_id;
		/** @type {string} */
		this.store_code = facts.store_code;
		/** @type {{username: string, password: string, token: string, cookie: string, admin_id: number}} */
		this.admin = { ...facts.admin, token: '', cookie: '' };
		/** @type {Table[]} */
		this.tables = facts.tables.map((/** @type {Table} */ table) => ({ ...table, token: '', cookie: '' }));
		/** @type {Menu[]} */
		this.menus = facts.menus;
		/** @type {{id: number, name: string}[]} */
		this.categories = facts.categories;
	}

	/** Logs the admin in. */
	async adminLogin() {
		const answer = await this.client.post('/api/admin/auth/login', {
			body: { store_id: this.store_id, username: this.admin.username, password: this.admin.password },
		});
		this.admin.token = assertOk(answer, 200).access_token;
		this.admin.cookie = cookie(answer);
		return this.admin.token;
	}

	/** @param {number} i Logs its i-th table in. */
	async tableLogin(i) {
		const table = this.tables[i];
		const answer = await this.client.post('/api/customer/auth/login', {
			body: { store_code: this.store_code, table_number: table.table_number, password: table.password },
		});
		table.token = assertOk(answer, 200).access_token;
		table.cookie = cookie(answer);
		return table.token;
	}

	async everybodyLogin() {
		await this.adminLogin();
		for (let i = 0; i < this.tables.length; i++)
			await this.tableLogin(i);
	}

	/**
	 * Orders one of each named menu (numbers among its menus).
	 * @param {number} table @param {number[]} [menus] @param {Record<string, string>} [headers]
	 */
	async order(table, menus = [0], headers) {
		const items = menus.map((i) => ({ menu_id: this.menus[i].id, quantity: 1 }));
		return assertOk(await this.client.post('/api/customer/orders', { token: this.tables[table].token, body: { items }, headers }), 201);
	}

	/** @param {number} id @param {string} status */
	async move(id, status) {
		return assertOk(await this.client.patch(`/api/admin/orders/${id}/status`, { token: this.admin.token, body: { status } }), 200);
	}

	/** @param {string} text @param {Record<string, string | number>} [values] SQL; :'store' is its id */
	sql(text, values) {
		return sql(this.stack, text, { store: this.store_id, ...values });
	}
}

/** @param {import('./client.mjs').Answer} answer The cookie that a login sets, as a browser sends it back. */
function cookie(answer) {
	return String(answer.headers['set-cookie']?.[0]).split(';')[0];
}

/**
 * Passwords are those of the demo store, whose hashes are copied.
 * @param {import('./stack.mjs').Stack} stack @param {{tables?: number, menus?: number, login?: boolean}} [size]
 */
export async function newStore(stack, { tables = 2, menus = 6, login = true } = {}) {
	const demo = stack.info.stores[0];
	const code = `t${process.pid}-${++made}-${Math.random().toString(36).slice(2, 8)}`;
	const facts = JSON.parse(await sql(stack, `
		create temp table made on commit drop as
			with store as (insert into stores (code, name) values (:'code', '시험 매장 ' || :'code') returning id)
			select id from store;
		insert into store_counters (store_id) select id from made;
		insert into admins (store_id, role, username, password_hash)
			select made.id, 'store_admin', :'code' || '-admin', a.password_hash from made, admins a where a.username = :'admin';
		insert into dining_tables (store_id, table_number, password_hash)
			select made.id, 'T-' || n, t.password_hash from made, generate_series(1, :tables) n, dining_tables t
			where t.id = :table order by n;
		insert into menu_categories (store_id, name, display_order) select id, '메뉴 ' || n, n from made, generate_series(1, 2) n order by n;
		insert into menus (store_id, category_id, name, description, price, display_order)
			select made.id, c.id, '음식 ' || n, 'No. ' || n, n * 1000, n from made, generate_series(1, :menus) n, menu_categories c
			where c.store_id = made.id and c.display_order = 1 + (n - 1) / 3 % 2 order by n;
		select json_build_object('store_id', id, 'store_code', :'code',
			'admin', (select json_build_object('admin_id', id, 'username', username) from admins where store_id = made.id),
			'tables', (select json_agg(json_build_object('table_id', id, 'table_number', table_number) order by id) from dining_tables where store_id = made.id),
			'categories', (select json_agg(json_build_object('id', id, 'name', name) order by id) from menu_categories where store_id = made.id),
			'menus', (select json_agg(json_build_object('id', id, 'category_id', category_id, 'name', name, 'price', price) order by id)
				from menus where store_id = made.id))
		from made;`,
	{ code, admin: demo.admin.username, table: demo.tables[0].table_id, tables, menus }));
	facts.admin.password = demo.admin.password;
	for (const table of facts.tables)
		table.password = demo.tables[0].password;
	const store = new Store(stack, facts);
	if (login)
		await store.everybodyLogin();
	return store;
}
