-- Every constraint refuses what it is for, by its name; and what lies just inside passes.

begin;
select no_plan();
\ir include/fixture.sql

create temporary table refused (name text, command text);
\set in_a '''00000000-0000-0000-0000-00000000000a'''
\set in_b '''00000000-0000-0000-0000-00000000000b'''
insert into refused values
	-- stores
	('stores_pkey', format('insert into stores (id, code, name) values (%L, ''x'', ''x'')', :in_a)),
	('stores_code_key', $$insert into stores (code, name) values ('STORE-A', 'x')$$),
	('stores_code_check', $$insert into stores (code, name) values ('', 'x')$$),
	('stores_code_check', $$insert into stores (code, name) values ('가게', 'x')$$),
	('stores_code_check', $$insert into stores (code, name) values ('-x', 'x')$$),
	('stores_code_check', $$insert into stores (code, name) values (repeat('x', 33), 'x')$$),
	('stores_name_check', $$insert into stores (code, name) values ('x', '')$$),
	('stores_name_check', $$insert into stores (code, name) values ('x', repeat('가', 101))$$),
	('stores_currency_check', $$insert into stores (code, name, currency) values ('x', 'x', 'krw')$$),
	('stores_currency_check', $$insert into stores (code, name, currency) values ('x', 'x', 'EURO')$$),
	('stores_time_zone_check', $$insert into stores (code, name, time_zone) values ('x', 'x', 'Asia/Soul')$$),
	('stores_time_zone_check', $$insert into stores (code, name, time_zone) values ('x', 'x', 'Soul9')$$),
	('stores_time_zone_check', $$insert into stores (code, name, time_zone) values ('x', 'x', '+09:00')$$),
	('stores_time_zone_check', $$insert into stores (code, name, time_zone) values ('x', 'x', '')$$),
	('stores_time_zone_check', $$insert into stores (code, name, time_zone) values ('x', 'x', 'posix/Asia/Seoul')$$),
	('stores_time_zone_check', $$update stores set time_zone = 'asia/seoul'$$),
	('stores_business_day_start_check', $$insert into stores (code, name, business_day_start) values ('x', 'x', '24:00')$$),
	-- store_counters
	('store_counters_pkey', format('insert into store_counters (store_id) values (%L)', :in_a)),
	('store_counters_store_fkey', 'insert into store_counters (store_id) values (gen_random_uuid())'),
	('store_counters_last_seq_check', 'update store_counters set last_seq = -1'),
	('store_counters_last_order_number_check', 'update store_counters set last_order_number = -1, business_date = ''2024-07-01'''),
	('store_counters_business_date_check', 'update store_counters set last_order_number = 1'),
	-- admins
	('admins_pkey', format('insert into admins (id, store_id, username, password_hash, role) overriding system value
		values (1001, %L, ''x'', %L, ''store_admin'')', :in_a, :'hash')),
	('admins_store_fkey', format('insert into admins (store_id, username, password_hash, role)
		values (gen_random_uuid(), ''x'', %L, ''store_admin'')', :'hash')),
	('admins_username_key', format('insert into admins (store_id, username, password_hash, role)
		values (%L, ''Admin-B'', %L, ''store_admin'')', :in_a, :'hash')),
	('admins_username_key', format('insert into admins (username, password_hash, role) values (''SUPER'', %L, ''super_admin'')', :'hash')),
	('admins_username_check', 'update admins set username = '''' where id = 1001'),
	('admins_username_check', 'update admins set username = repeat(''x'', 101) where id = 1001'),
	('admins_password_hash_check', 'update admins set password_hash = ''secret'' where id = 1001'),
	('admins_password_hash_check', 'update admins set password_hash = left(password_hash, 59) where id = 1001'),
	('admins_role_check', 'update admins set role = ''owner'', store_id = null where id = 1001'),
	('admins_role_store_check', 'update admins set store_id = null where id = 1001'),
	('admins_role_store_check', format('update admins set store_id = %L where id = 1003', :in_a)),
	('admins_token_generation_check', 'update admins set token_generation = -1'),
	-- dining_tables
	('dining_tables_pkey', format('insert into dining_tables (id, store_id, table_number, password_hash) overriding system value
		values (1001, %L, ''9'', %L)', :in_b, :'hash')),
	('dining_tables_store_fkey', format('insert into dining_tables (store_id, table_number, password_hash)
		values (gen_random_uuid(), ''9'', %L)', :'hash')),
	('dining_tables_number_key', format('insert into dining_tables (store_id, table_number, password_hash) values (%L, ''1'', %L)',
		:in_a, :'hash')),
	('dining_tables_table_number_check', 'update dining_tables set table_number = '''' where id = 1001'),
	('dining_tables_table_number_check', 'update dining_tables set table_number = '' 1'' where id = 1001'),
	('dining_tables_table_number_check', 'update dining_tables set table_number = e''1\n2'' where id = 1001'),
	('dining_tables_table_number_check', 'update dining_tables set table_number = repeat(''1'', 21) where id = 1001'),
	('dining_tables_password_hash_check', 'update dining_tables set password_hash = '''''),
	('dining_tables_token_generation_check', 'update dining_tables set token_generation = -1'),
	-- menu_categories
	('menu_categories_pkey', format('insert into menu_categories (id, store_id, name) overriding system value values (1001, %L, ''x'')', :in_b)),
	('menu_categories_name_key', format('insert into menu_categories (store_id, name) values (%L, ''식사'')', :in_a)),
	('menu_categories_store_fkey', 'insert into menu_categories (store_id, name) values (gen_random_uuid(), ''x'')'),
	('menu_categories_name_check', 'update menu_categories set name = '''''),
	('menu_categories_display_order_check', 'update menu_categories set display_order = -1'),
	-- menus
	('menus_pkey', format('insert into menus (id, store_id, category_id, name, price) overriding system value
		values (1001, %L, 1002, ''x'', 1)', :in_b)),
	('menus_category_fkey', format('insert into menus (store_id, category_id, name, price) values (%L, 1002, ''x'', 1)', :in_a)),
	('menus_category_fkey', 'delete from menu_categories where id = 1001'),
	('menus_name_check', 'update menus set name = '''''),
	('menus_name_check', 'update menus set name = repeat(''가'', 101)'),
	('menus_description_check', 'update menus set description = repeat(''가'', 2001)'),
	('menus_price_check', 'update menus set price = 0'),
	('menus_price_check', 'update menus set price = -9000'),
	('menus_price_check', 'update menus set price = 1000000001'),
	('menus_image_check', 'update menus set image_path = ''x.jpg'''),
	('menus_image_check', 'update menus set thumbnail_path = ''x.jpg'''),
	('menus_image_check', 'update menus set image_path = '''', thumbnail_path = '''''),
	('menus_display_order_check', 'update menus set display_order = -1'),
	-- table_sessions
	('table_sessions_pkey', format('insert into table_sessions (id, store_id, table_id) values (1001, %L, 1003)', :in_a)),
	('table_sessions_table_fkey', format('insert into table_sessions (store_id, table_id) values (%L, 1002)', :in_a)),
	('table_sessions_open_key', format('insert into table_sessions (store_id, table_id) values (%L, 1001)', :in_a)),
	('table_sessions_ended_at_check', $$update table_sessions set ended_at = started_at - interval '1 microsecond',
		archived_orders_count = 0, archived_total_price = 0, payable_total_price = 0, unserved_orders_count = 0$$),
	('table_sessions_result_check', 'update table_sessions set ended_at = clock_timestamp()'),
	('table_sessions_result_check', 'update table_sessions set payable_total_price = 0'),
	('table_sessions_counts_check', 'update table_sessions set ended_at = clock_timestamp(), archived_orders_count = 1,
		archived_total_price = 10, payable_total_price = 10, unserved_orders_count = 2'),
	('table_sessions_counts_check', 'update table_sessions set ended_at = clock_timestamp(), archived_orders_count = 1,
		archived_total_price = 10, payable_total_price = 11, unserved_orders_count = 0'),
	('table_sessions_counts_check', 'update table_sessions set ended_at = clock_timestamp(), archived_orders_count = -1,
		archived_total_price = 0, payable_total_price = 0, unserved_orders_count = -1'),
	-- orders
	('orders_pkey', format('insert into orders (id, store_id, table_id, table_session_id, order_number, business_date, total_price)
		values (1001, %L, 1002, 1002, 9, ''2024-07-01'', 1)', :in_b)),
	('orders_number_key', format('insert into orders (store_id, table_id, table_session_id, order_number, business_date, total_price)
		values (%L, 1001, 1001, 1, ''2024-07-01'', 1)', :in_a)),
	('orders_session_fkey', format('insert into orders (store_id, table_id, table_session_id, order_number, business_date, total_price)
		values (%L, 1002, 1002, 2, ''2024-07-01'', 1)', :in_a)),
	('orders_session_fkey', format('insert into orders (store_id, table_id, table_session_id, order_number, business_date, total_price)
		values (%L, 1003, 1001, 2, ''2024-07-01'', 1)', :in_a)),
	('orders_order_number_check', 'update orders set order_number = 0'),
	('orders_status_check', 'update orders set status = ''done'''),
	('orders_status_check', 'update orders set status = ''Pending'''),
	('orders_total_price_check', 'update orders set total_price = 0'),
	('orders_note_check', 'update orders set note = repeat(''가'', 201)'),
	('orders_version_check', 'update orders set version = 0'),
	-- order_items
	('order_items_pkey', 'insert into order_items overriding system value select * from order_items where id = 1001'),
	('order_items_order_fkey', 'update order_items set order_id = 1002 where id = 1001'),
	('order_items_order_fkey', 'delete from orders where id = 1001'),
	('order_items_menu_fkey', 'update order_items set menu_id = 1002 where id = 1001'),
	('order_items_menu_fkey', 'delete from menus where id = 1001'),
	('order_items_menu_name_check', 'update order_items set menu_name = '''''),
	('order_items_quantity_check', 'update order_items set quantity = 0, subtotal = 0'),
	('order_items_quantity_check', 'update order_items set quantity = 101, subtotal = 101 * unit_price'),
	('order_items_unit_price_check', 'update order_items set unit_price = 0, subtotal = 0'),
	('order_items_unit_price_check', 'update order_items set unit_price = 1000000001, subtotal = quantity * 1000000001'),
	('order_items_subtotal_check', 'update order_items set subtotal = subtotal + 1'),
	-- order_history
	('order_history_pkey', 'insert into order_history overriding system value select * from order_history where id = 1001'),
	('order_history_session_fkey', 'update order_history set table_session_id = 1002 where id = 1001'),
	('order_history_session_fkey', 'update order_history set table_id = 1003 where id = 1001'),
	('order_history_order_number_check', 'update order_history set order_number = 0'),
	('order_history_status_check', 'update order_history set status = '''''),
	('order_history_total_price_check', 'update order_history set total_price = 0'),
	('order_history_note_check', 'update order_history set note = repeat(''x'', 201)'),
	-- order_history_items
	('order_history_items_pkey', 'insert into order_history_items overriding system value select * from order_history_items where id = 1001'),
	('order_history_items_order_fkey', 'update order_history_items set order_history_id = 1002 where id = 1001'),
	('order_history_items_order_fkey', 'update order_history_items set archived_at = archived_at + interval ''1 second'' where id = 1001'),
	('order_history_items_order_fkey', 'delete from order_history where id = 1001'),
	('order_history_items_menu_name_check', 'update order_history_items set menu_name = '''''),
	('order_history_items_quantity_check', 'update order_history_items set quantity = 101, subtotal = 101 * unit_price'),
	('order_history_items_unit_price_check', 'update order_history_items set unit_price = 0, subtotal = 0'),
	('order_history_items_subtotal_check', 'update order_history_items set subtotal = 1'),
	-- events
	('events_pkey', format('insert into events (id, store_id, seq, event_type, payload) overriding system value
		values (1001, %L, 9, ''OrderCreated'', ''{}'')', :in_a)),
	('events_seq_key', format('insert into events (store_id, seq, event_type, payload) values (%L, 1, ''OrderCreated'', ''{}'')', :in_a)),
	('events_store_fkey', 'insert into events (store_id, seq, event_type, payload) values (gen_random_uuid(), 1, ''OrderCreated'', ''{}'')'),
	('events_seq_check', 'update events set seq = 0'),
	('events_event_type_check', 'update events set event_type = ''OrderEaten'''),
	('events_actor_check', 'update events set actor = '''''),
	-- idempotency_keys
	('idempotency_keys_pkey', 'insert into idempotency_keys select * from idempotency_keys'),
	('idempotency_keys_store_fkey', 'update idempotency_keys set store_id = gen_random_uuid()'),
	('idempotency_keys_subject_check', 'update idempotency_keys set subject = '''''),
	('idempotency_keys_operation_check', 'update idempotency_keys set operation = '''''),
	('idempotency_keys_key_check', 'update idempotency_keys set key = '''''),
	('idempotency_keys_key_check', 'update idempotency_keys set key = ''a b'''),
	('idempotency_keys_key_check', 'update idempotency_keys set key = ''키'''),
	('idempotency_keys_key_check', 'update idempotency_keys set key = repeat(''k'', 129)'),
	('idempotency_keys_request_hash_check', 'update idempotency_keys set request_hash = ''x'''),
	('idempotency_keys_status_check', 'update idempotency_keys set status = 409'),
	-- revoked_tokens
	('revoked_tokens_pkey', 'insert into revoked_tokens select * from revoked_tokens'),
	('revoked_tokens_store_fkey', 'update revoked_tokens set store_id = gen_random_uuid()'),
	('revoked_tokens_jti_check', 'update revoked_tokens set jti = '''' where jti = ''jti-a'''),
	('revoked_tokens_subject_check', 'update revoked_tokens set subject = '''''),
	-- login_failures
	('login_failures_pkey', 'insert into login_failures overriding system value select * from login_failures'),
	('login_failures_account_check', 'update login_failures set account = ''''');

select matches(pg_temp.outcome('postgres', null, command), '^23[0-9a-zA-Z]{3} ' || name || '(_?[0-9]*)$', name || ': ' || left(regexp_replace(command, '\s+', ' ', 'g'), 120))
from refused where name not like 'order\_history%pkey' and name <> 'order_history_items_order_fkey';
-- A partition's index and foreign key have names of their own.
select matches(pg_temp.outcome('postgres', null, command), '^23(505 order_history_(items_)?y....m.._pkey|503 order_history_items_.*fkey[0-9]*)$', name || ': ' || command)
from refused where name like 'order\_history%pkey' or name = 'order_history_items_order_fkey';

-- Nothing in the schema goes untested. A key that only serves foreign keys repeats a primary key.
select set_eq(
	$$select conname::text from pg_constraint c join pg_class r on r.oid = c.conrelid
		where connamespace = 'public'::regnamespace and not r.relispartition and contype in ('c', 'f', 'p', 'u', 'x') and conparentid = 0
			and conname not in ('dining_tables_store_id_key', 'menu_categories_store_id_key', 'menus_store_id_key',
				'orders_store_id_key', 'table_sessions_table_key')
	union
	select i.indexrelid::regclass::text from pg_index i join pg_class r on r.oid = i.indrelid
		where r.relnamespace = 'public'::regnamespace and not r.relispartition and i.indisunique
			and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
	union
	select 'stores_time_zone_check'$$,
	'select distinct name from refused', 'every constraint and unique index is tested above');

create temporary table refused_null as
select a.attrelid::regclass::text as relation, a.attname::text as attribute from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attnotnull;
select set_eq('select relation || ''.'' || attribute from refused_null',
	$$select unnest('{store_counters.business_date,admins.store_id,dining_tables.deleted_at,menus.description,menus.image_path,
		menus.thumbnail_path,table_sessions.ended_at,table_sessions.archived_orders_count,table_sessions.archived_total_price,
		table_sessions.payable_total_price,table_sessions.unserved_orders_count,orders.note,order_history.note,events.table_id,
		events.table_session_id,events.actor,events.published_at,idempotency_keys.location,revoked_tokens.store_id,
		login_failures.account}'::text[])$$, 'all that may be null');

create temporary table accepted (what text, command text);
insert into accepted values
	('codes of one and of 32', $$insert into stores (code, name) values ('x', 'x'), (repeat('Y', 32), repeat('가', 100)), ('A-1_b', 'x')$$),
	('zones with a slash, two, none', $$insert into stores (code, name, time_zone) values ('z1', 'x', 'Australia/Lord_Howe'),
		('z2', 'x', 'America/Argentina/Buenos_Aires'), ('z3', 'x', 'UTC')$$),
	('days that start at midnight or just before', $$insert into stores (code, name, business_day_start) values ('d1', 'x', '00:00'),
		('d2', 'x', '23:59:59')$$),
	('the same table number in another store, and in other letters', format('insert into dining_tables (store_id, table_number, password_hash)
		values (%L, ''2'', %L), (%L, ''a-1'', %2$L), (%1$L, ''A-1'', %2$L), (%1$L, ''창가 1'', %2$L)', :in_b, :'hash', :in_a)),
	('the same category name in another store', format('insert into menu_categories (store_id, name) values (%L, ''음료''), (%L, ''음료'')', :in_a, :in_b)),
	('prices from 1 to a thousand million', 'update menus set price = case id when 1001 then 1 else 1000000000 end'),
	('both pictures', $$update menus set image_path = 'a.jpg', thumbnail_path = 'b.jpg'$$),
	('the greatest line', 'update order_items set quantity = 100, unit_price = 1000000000, subtotal = 100000000000'),
	('the greatest order', 'update orders set total_price = 5000000000000, note = repeat(''가'', 200)'),
	('the same number on another day', format('insert into orders (store_id, table_id, table_session_id, order_number, business_date,
		total_price) values (%L, 1001, 1001, 1, ''2024-07-02'', 1)', :in_a)),
	('a session that ends as it starts, without orders', 'update table_sessions set ended_at = started_at, archived_orders_count = 0,
		archived_total_price = 0, payable_total_price = 0, unserved_orders_count = 0'),
	('a key of 128', $$update idempotency_keys set key = repeat('~', 128)$$);
insert into accepted select 'status ' || s, format('update orders set status = %L', s)
from unnest('{pending,preparing,ready,served,cancelled}'::text[]) s;
insert into accepted select 'event ' || e, format('update events set event_type = %L', e)
from unnest('{OrderCreated,OrderDeleted,OrderStatusChanged,TableSessionCompleted,MenuChanged,AccountRevoked}'::text[]) e;
select is(pg_temp.outcome('postgres', null, 'with done as (' || command || ' returning 1) select ''fine'''), 'fine', 'passes: ' || what)
from accepted;

-- One after the other: what a deletion frees.
update dining_tables set deleted_at = now() where id = 1003;
select lives_ok(format('insert into dining_tables (store_id, table_number, password_hash) values (%L, ''2'', %L)', :'a', :'hash'),
	'a deleted table''s number can be given again');
select is(pg_temp.outcome('postgres', null, 'update dining_tables set deleted_at = null where id = 1003'),
	'23505 dining_tables_number_key', 'and the deleted one does not come back beside it');
update table_sessions set ended_at = clock_timestamp(), archived_orders_count = 0, archived_total_price = 0, payable_total_price = 0,
	unserved_orders_count = 0 where id = 1001;
select lives_ok(format('insert into table_sessions (store_id, table_id) values (%L, 1001)', :'a'), 'an ended session makes room for the next');
delete from order_items;
select lives_ok('delete from menus where id = 1001', 'a menu without live orders can go; history keeps its id');
select lives_ok('delete from menu_categories where id = 1001', 'then its category');
select is((select menu_id from order_history_items where id = 1001), 1001::bigint, 'the id is still in history');

select * from finish();
rollback;
