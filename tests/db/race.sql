-- Two connections at once. What they commit is of a store of this file, and is deleted in the end.

\set store '00000000-0000-0000-0000-0000000000cc'
\set hash '$2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234'
delete from table_sessions where store_id = :'store';
delete from dining_tables where store_id = :'store';
delete from store_counters where store_id = :'store';
delete from stores where id = :'store';
insert into stores (id, code, name) values (:'store', 'race', 'race');
insert into store_counters (store_id) values (:'store');
insert into dining_tables (id, store_id, table_number, password_hash) overriding system value values (2001, :'store', '1', :'hash');

begin;
select no_plan();

select dblink_connect(name, format('host=%s dbname=%s user=table_order_service options=''-c app.store_id=%s''',
	current_setting('unix_socket_directories'), current_database(), :'store'))
from unnest('{one,two}'::text[]) name \g /dev/null

-- Whether a connection waits for a lock, asked until it does.
create function pg_temp.waits(name text, pid integer) returns boolean
language plpgsql as $$
begin
	for i in 1 .. 1000 loop
		if dblink_is_busy(name) = 0 then
			return false;
		end if;
		if cardinality(pg_blocking_pids(pid)) > 0 then
			return true;
		end if;
		perform pg_sleep(0.005);
	end loop;
	return null;
end
$$;
select pid as two from dblink('two', 'select pg_backend_pid()') answer(pid integer) \gset

-- One open session per table, under any concurrency.
select dblink_exec('one', 'begin') \g /dev/null
select dblink_exec('two', 'begin') \g /dev/null
select is(dblink_exec('one', format('insert into table_sessions (store_id, table_id) values (%L, 2001)', :'store')), 'INSERT 0 1', 'one opens a session');
select dblink_send_query('two', format('insert into table_sessions (store_id, table_id) values (%L, 2001)', :'store')) \g /dev/null
select ok(pg_temp.waits('two', :two), 'two waits to see whether it comes to be');
select dblink_exec('one', 'commit') \g /dev/null
select is((select count(*) from dblink_get_result('two', false) answer(status text)), 0::bigint, 'it came to be, and two is refused');
select alike(dblink_error_message('two'), '%table_sessions_open_key%', 'by the index on open sessions');
select count(*) as ignored from dblink_get_result('two', false) answer(status text) \gset
select dblink_exec('two', 'rollback') \g /dev/null

-- The counter's row holds the next one back, and shows it what was committed meanwhile.
select dblink_exec('one', 'begin') \g /dev/null
select dblink_exec('two', 'begin') \g /dev/null
select count(*) as ignored from dblink('one', format('select last_seq from store_counters where store_id = %L for update', :'store'))
	answer(last_seq bigint) \gset
select dblink_send_query('two', format('select last_seq from store_counters where store_id = %L for update', :'store')) \g /dev/null
select ok(pg_temp.waits('two', :two), 'two waits for the counter');
select dblink_exec('one', 'update store_counters set last_seq = last_seq + 1') \g /dev/null
select dblink_exec('one', 'commit') \g /dev/null
select is((select last_seq from dblink_get_result('two') answer(last_seq bigint)), 1::bigint, 'and reads the number after one''s commit');
select count(*) as ignored from dblink_get_result('two') answer(last_seq bigint) \gset
-- The default of a timestamp is the statement's: later than what was waited for, though the transaction is older.
select is((select t from dblink('two', format('with s as (update table_sessions set ended_at = statement_timestamp(), archived_orders_count = 0,
		archived_total_price = 0, payable_total_price = 0, unserved_orders_count = 0 where store_id = %L returning ended_at >= started_at as t)
	select t from s', :'store')) answer(t boolean)), true, 'a session ends after it began');
select dblink_exec('two', 'commit') \g /dev/null

-- Maintenance and a completion that has its session locked: one waits, none fails.
select dblink_connect('owner', format('host=%s dbname=%s user=table_order_owner', current_setting('unix_socket_directories'), current_database())) \g /dev/null
select pid as owner from dblink('owner', 'select pg_backend_pid()') answer(pid integer) \gset
select dblink_exec('one', 'begin') \g /dev/null
select count(*) as ignored from dblink('one', format('select last_seq from store_counters where store_id = %L for update', :'store'))
	answer(last_seq bigint) \gset
select dblink_exec('one', format('update table_sessions set unserved_orders_count = 0 where store_id = %L', :'store')) \g /dev/null
select dblink_send_query('owner', 'select history_partitions_ensure(120) > 0 and history_partitions_drop(1200) = 0') \g /dev/null
select ok(pg_temp.waits('owner', :owner), 'maintenance waits for a completion');
select is(dblink_exec('one', format('insert into order_history (store_id, table_id, table_session_id, original_order_id, order_number, business_date,
		status, total_price, order_created_at, archived_at)
	select store_id, table_id, id, 1, 1, ''2024-07-01'', ''served'', 1, statement_timestamp(), statement_timestamp()
	from table_sessions where store_id = %L', :'store')), 'INSERT 0 1', 'which goes on');
select dblink_exec('one', 'rollback') \g /dev/null
select is((select fine from dblink_get_result('owner') answer(fine boolean)), true, 'and then maintenance does');

select dblink_disconnect(name) from unnest('{one,two,owner}'::text[]) name \g /dev/null
select * from finish();
rollback;

delete from table_sessions where store_id = :'store';
delete from dining_tables where store_id = :'store';
delete from store_counters where store_id = :'store';
delete from stores where id = :'store';
