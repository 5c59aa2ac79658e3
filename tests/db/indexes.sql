-- The statements that run often, or over much, find their rows by an index, with row-level security in force.

begin;
select no_plan();
\ir include/fixture.sql
select set_config('app.store_id', :'a', true) as ignored \gset
-- The tables are small here: what is asked is whether an index can serve, not whether it pays.
set local enable_seqscan = off;
set local enable_bitmapscan = off;
set local enable_sort = off;

create function pg_temp.uses(role name, index text, command text, what text) returns setof text
language plpgsql as $$
declare
	plan json;
begin
	execute format('set local role %I', role);
	execute 'explain (format json, costs off) ' || command into plan;
	set local role none;
	return next ok(plan::text ~ ('"Index Name": "' || index), what);
	return next ok(plan::text !~ '"(Seq Scan|Sort)"', what || ', with no sort and nothing read in vain');
end
$$;

select pg_temp.uses('table_order_service', index, command, what) from (values
	('orders_store_id_key', 'select * from orders where store_id = current_store_id() order by id', 'a store''s live orders by id'),
	('orders_session_idx', 'select * from orders where store_id = current_store_id() and table_id = 1 and table_session_id = 2', 'a session''s orders'),
	('orders_pkey|orders_store_id_key', 'select * from orders where store_id = current_store_id() and id = 1', 'one order'),
	('order_items_order_idx', 'select * from order_items where store_id = current_store_id() and order_id = 1', 'an order''s lines'),
	('order_items_menu_idx', 'select 1 from order_items where store_id = current_store_id() and menu_id = 1', 'whether a menu is in a live order'),
	('table_sessions_open_key', 'select * from table_sessions where store_id = current_store_id() and table_id = 1 and ended_at is null', 'a table''s open session'),
	('menus_category_idx', 'select * from menus where store_id = current_store_id() and category_id = 1 order by display_order, id', 'a category''s menus in order'),
	('order_history_.*store_id_business_date_order_number_idx', 'select * from order_history where store_id = current_store_id()
		and business_date between ''2024-01-01'' and ''2024-12-31'' order by business_date desc, order_number desc limit 50', 'a store''s history, newest first'),
	('order_history_.*_store_id_table_id_', 'select * from order_history where store_id = current_store_id() and table_id = 1
		and business_date between ''2024-01-01'' and ''2024-12-31'' order by business_date desc, order_number desc limit 50', 'a table''s history, newest first'),
	('order_history_items_.*pkey', 'select * from order_history_items where store_id = current_store_id() and order_history_id = 1', 'the lines of a past order'),
	('idempotency_keys_pkey', 'select * from idempotency_keys where store_id = current_store_id() and subject = ''s'' and operation = ''o'' and key = ''k''', 'a key'),
	('revoked_tokens_pkey', 'select 1 from revoked_tokens where jti = ''x''', 'a revoked token'),
	('store_counters_pkey', 'select * from store_counters where store_id = current_store_id() for update', 'the counter')
) asked(index, command, what);
select pg_temp.uses('table_order_platform', index, command, what) from (values
	('admins_username_key', 'select * from admins where lower(username) = lower(''x'')', 'an admin''s login'),
	('stores_code_key', 'select * from stores where lower(code) = lower(''x'')', 'a store by its code'),
	('dining_tables_number_key', 'select * from dining_tables where store_id = ''00000000-0000-0000-0000-00000000000a'' and table_number = ''1'' and deleted_at is null', 'a table''s login'),
	('login_failures_account_idx', 'select count(*) from login_failures where account = ''x'' and failed_at > now() - interval ''15 minutes''', 'an account''s failures'),
	('login_failures_address_idx', 'select count(*) from login_failures where address = ''192.0.2.1'' and failed_at > now() - interval ''15 minutes''', 'an address''s failures')
) asked(index, command, what);
select pg_temp.uses('table_order_dispatcher', 'events_unpublished_idx',
	'select * from events where published_at is null order by id limit 500', 'what is not yet published');
select pg_temp.uses('table_order_relay', 'events_seq_key',
	format('select * from events where store_id = %L and seq > 5 order by seq limit 1000', :'a'), 'a replay');
select pg_temp.uses('table_order_owner', index, command, what) from (values
	('idempotency_keys_created_idx', 'delete from idempotency_keys where created_at < now() - interval ''24 hours''', 'keys past their time'),
	('revoked_tokens_expires_idx', 'delete from revoked_tokens where expires_at < now()', 'revoked tokens past theirs'),
	('login_failures_failed_idx', 'delete from login_failures where failed_at < now() - interval ''1 day''', 'old failures'),
	('table_sessions_ended_idx', 'select id from table_sessions where ended_at < now() - interval ''1 year''', 'sessions that ended long ago')
) asked(index, command, what);
-- A block range index is only ever read by bitmap.
set local enable_bitmapscan = on;
select pg_temp.uses('table_order_owner', 'events_published_idx', 'delete from events where published_at < now() - interval ''72 hours''',
	'events past theirs');

select * from finish();
rollback;
