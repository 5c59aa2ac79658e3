-- Two stores, a and b, with a row of each in every table; and what the tests share. Inside the test's transaction.

\set a '00000000-0000-0000-0000-00000000000a'
\set b '00000000-0000-0000-0000-00000000000b'
\set hash '$2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234'

set local app.hash = :'hash';

insert into stores (id, code, name) values (:'a', 'store-a', '가게 A'), (:'b', 'store-b', '가게 B');
insert into store_counters (store_id) values (:'a'), (:'b');
insert into admins (id, store_id, username, password_hash, role) overriding system value values
	(1001, :'a', 'admin-a', :'hash', 'store_admin'), (1002, :'b', 'admin-b', :'hash', 'store_admin'),
	(1003, null, 'super', :'hash', 'super_admin');
insert into dining_tables (id, store_id, table_number, password_hash) overriding system value values
	(1001, :'a', '1', :'hash'), (1002, :'b', '1', :'hash'), (1003, :'a', '2', :'hash');
insert into menu_categories (id, store_id, name) overriding system value values (1001, :'a', '식사'), (1002, :'b', '식사');
insert into menus (id, store_id, category_id, name, price) overriding system value values
	(1001, :'a', 1001, '비빔밥', 9000), (1002, :'b', 1002, '비빔밥', 9500);
insert into table_sessions (id, store_id, table_id) values (1001, :'a', 1001), (1002, :'b', 1002);
insert into orders (id, store_id, table_id, table_session_id, order_number, business_date, total_price) values
	(1001, :'a', 1001, 1001, 1, '2024-07-01', 18000), (1002, :'b', 1002, 1002, 1, '2024-07-01', 19000);
insert into order_items (id, store_id, order_id, menu_id, menu_name, quantity, unit_price, subtotal) overriding system value values
	(1001, :'a', 1001, 1001, '비빔밥', 2, 9000, 18000), (1002, :'b', 1002, 1002, '비빔밥', 2, 9500, 19000);
insert into order_history (id, store_id, table_id, table_session_id, original_order_id, order_number, business_date, status,
	total_price, order_created_at, archived_at) overriding system value values
	(1001, :'a', 1001, 1001, 901, 1, '2024-06-30', 'served', 9000, now(), now()),
	(1002, :'b', 1002, 1002, 902, 1, '2024-06-30', 'served', 9500, now(), now());
insert into order_history_items (id, store_id, order_history_id, archived_at, menu_id, menu_name, quantity, unit_price,
	subtotal) overriding system value values
	(1001, :'a', 1001, now(), 1001, '비빔밥', 1, 9000, 9000), (1002, :'b', 1002, now(), 1002, '비빔밥', 1, 9500, 9500);
insert into events (id, store_id, seq, event_type, payload) overriding system value values
	(1001, :'a', 1, 'OrderCreated', '{}'), (1002, :'b', 1, 'OrderCreated', '{}');
insert into idempotency_keys (store_id, subject, operation, key, request_hash, status, body) values
	(:'a', 'table:1001', 'create-order', 'k', decode(repeat('00', 32), 'hex'), 201, '{}'),
	(:'b', 'table:1002', 'create-order', 'k', decode(repeat('00', 32), 'hex'), 201, '{}');
insert into revoked_tokens (jti, store_id, subject, expires_at) values
	('jti-a', :'a', 'table:1001', now()), ('jti-b', :'b', 'table:1002', now()), ('jti-super', null, 'admin:1003', now());
insert into login_failures (account, address) values ('store-a/1', '192.0.2.1');

-- What comes of a command for a role in a store (null: none is set): the first value of a query, the number of rows of
-- any other command, or the SQLSTATE of its error, with the constraint if there is one. An error undoes the command.
create function pg_temp.outcome(role name, store text, command text) returns text
language plpgsql as $$
declare
	answer text;
	broken text;
	rows bigint;
begin
	perform set_config('app.store_id', coalesce(store, ''), true);
	execute format('set local role %I', role);
	if command ~* '^\s*(select|with)\M' then
		execute command into answer;
	else
		execute command;
		get diagnostics rows = row_count;
		answer := rows::text;
	end if;
	set local role none;
	return answer;
exception when others then
	get stacked diagnostics broken = constraint_name;
	return rtrim(sqlstate || ' ' || broken);
end
$$;
