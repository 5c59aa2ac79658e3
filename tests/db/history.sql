-- The months of history: made ahead, dropped behind, and what happens when nobody did so for months.

begin;
select no_plan();

-- The tests run where the months turn nine hours earlier than in the schema.
set local timezone = 'Asia/Seoul';
\ir include/fixture.sql

create function pg_temp.month(ahead integer) returns timestamptz
language sql as $$ select (date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead)) at time zone 'UTC' $$;
create function pg_temp.partition(parent text, ahead integer) returns text
language sql as $$ select parent || to_char(pg_temp.month(ahead) at time zone 'UTC', '"_y"YYYY"m"MM') $$;
-- a session of store a that ended then, with one order of two lines in history
create function pg_temp.archive(session bigint, ended timestamptz) returns void
language plpgsql as $$
declare
	made bigint;
begin
	insert into table_sessions (id, store_id, table_id, started_at, ended_at, archived_orders_count, archived_total_price, payable_total_price,
		unserved_orders_count)
	values (session, '00000000-0000-0000-0000-00000000000a', 1003, ended - interval '1 hour', ended, 1, 3, 3, 0);
	insert into order_history (store_id, table_id, table_session_id, original_order_id, order_number, business_date, status, total_price,
		order_created_at, archived_at)
	values ('00000000-0000-0000-0000-00000000000a', 1003, session, session, 1, ended::date, 'served', 3, ended, ended) returning id into made;
	insert into order_history_items (store_id, order_history_id, archived_at, menu_id, menu_name, quantity, unit_price, subtotal)
	values ('00000000-0000-0000-0000-00000000000a', made, ended, 1001, 'x', 1, 1, 1),
		('00000000-0000-0000-0000-00000000000a', made, ended, 1001, 'y', 2, 1, 2);
end
$$;
-- where a session's order and its items are
create function pg_temp.place(session bigint) returns text
language sql as $$
	select string_agg(distinct h.tableoid::regclass || ' ' || i.tableoid::regclass, ',') || ' ' || count(*)
	from order_history h join order_history_items i
		on i.store_id = h.store_id and i.order_history_id = h.id and i.archived_at = h.archived_at
	where h.table_session_id = session
$$;

-- The tests' superuser stands for nothing here: maintenance runs as the owner.
set local role table_order_owner;

select is(history_partitions_ensure(3), 0, 'the migration has made this month and three more');
select has_table('public', pg_temp.partition(parent, ahead), parent || ', ' || ahead || ' months ahead')
from unnest('{order_history,order_history_items}'::text[]) parent, generate_series(0, 3) ahead;
select is(history_partitions_ensure(5), 2, 'two months more');
select is(history_partitions_ensure(5), 0, 'not twice');
select throws_ok('select history_partitions_ensure(-1)', '22023', null, 'no months behind');
select throws_ok('select history_partitions_ensure(null)', '22023', null, 'nor null');
select throws_ok('select history_partitions_ensure(121)', '22023', null, 'nor without end');
select is_empty($$select relname from pg_class where relnamespace = 'public'::regnamespace and relispartition and relkind = 'r'
		and not (relrowsecurity and relforcerowsecurity and relacl is null)$$, 'new partitions are closed and granted to nobody');

-- Months turn at UTC midnight, whatever the session's zone.
select pg_temp.archive(2001, pg_temp.month(2)), pg_temp.archive(2002, pg_temp.month(2) - interval '1 microsecond') \g /dev/null
select is(pg_temp.place(2001), format('%s %s 2', pg_temp.partition('order_history', 2), pg_temp.partition('order_history_items', 2)),
	'the first moment of a month');
select is(pg_temp.place(2002), format('%s %s 2', pg_temp.partition('order_history', 1), pg_temp.partition('order_history_items', 1)),
	'the last moment of the one before');

-- Nobody has run maintenance: completing a session works all the same, and the next maintenance puts things right.
select pg_temp.archive(2003, pg_temp.month(8) + interval '3 days') \g /dev/null
select is(pg_temp.place(2003), 'order_history_default order_history_items_default 2', 'a month that nobody made: the default partition');
select is(history_partitions_ensure(3), 1, 'maintenance makes the month that is missing');
select is(pg_temp.place(2003), format('%s %s 2', pg_temp.partition('order_history', 8), pg_temp.partition('order_history_items', 8)),
	'and moves order and items to it');
select is((select count(*) from order_history_default), 0::bigint, 'the default partitions are empty again');
select is((select count(*) from order_history_items_default), 0::bigint, 'both');
select results_eq($$select menu_name, subtotal from order_history_items i join order_history h on h.id = i.order_history_id
		where h.table_session_id = 2003 order by i.id$$, $$values ('x', 1::bigint), ('y', 2::bigint)$$, 'with all their facts');

-- Retention.
reset role;
select pg_temp.archive(3001, pg_temp.month(-15) + interval '1 day'), pg_temp.archive(3002, pg_temp.month(-12) - interval '1 microsecond'),
	pg_temp.archive(3003, pg_temp.month(-12)), pg_temp.archive(3004, pg_temp.month(-1)) \g /dev/null
set local role table_order_owner;
select is(history_partitions_ensure(3), 4, 'months of old rows are made, too');
reset role;
-- an old session whose history is in a month that is kept; an old one without orders; an old one with a live order
insert into table_sessions (id, store_id, table_id, started_at, ended_at, archived_orders_count, archived_total_price, payable_total_price,
	unserved_orders_count)
select id, :'a', 1003, pg_temp.month(-14), pg_temp.month(-14), 0, 0, 0, 0 from generate_series(3005, 3007) id;
update order_history set table_session_id = 3005 where table_session_id = 3004;
insert into orders (store_id, table_id, table_session_id, order_number, business_date, total_price)
values (:'a', 1003, 3007, 99, '2024-07-01', 1);
-- and one that is open since then
insert into table_sessions (id, store_id, table_id, started_at) values (3008, :'a', 1003, pg_temp.month(-14));
set local role table_order_owner;

select is(history_partitions_drop(0), 0, '0 keeps all');
select is(history_sessions_delete(0, 1000), 0, 'sessions too');
select throws_ok('select history_partitions_drop(-1)', '22023', null, 'a negative number is refused');
select throws_ok('select history_partitions_drop(null)', '22023', null, 'and null');
select throws_ok('select history_sessions_delete(null, 1000)', '22023', null, 'by both');
select is(history_sessions_delete(12, 1000), 1, 'before the months go, only the old session without orders goes');
select is(history_partitions_drop(12), 2, 'the two months that ended twelve months ago or before are dropped');
select hasnt_table('public', pg_temp.partition(parent, ahead), parent || ', ' || ahead || ' months ahead, is gone')
from unnest('{order_history,order_history_items}'::text[]) parent, unnest('{-15,-13}'::int[]) ahead;
select has_table('public', pg_temp.partition('order_history', -12), 'twelve whole months are kept');
select is(pg_temp.place(3003), format('%s %s 2', pg_temp.partition('order_history', -12), pg_temp.partition('order_history_items', -12)),
	'and so is what they hold');
select is(history_partitions_drop(12), 0, 'not twice');
select is(history_sessions_delete(12, 1), 1, 'then their sessions, at most so many at a time');
select is(history_sessions_delete(12, 1), 1, 'one by one');
select is(history_sessions_delete(12, 1000), 0, 'until none is left');
select set_eq('select id from table_sessions where id between 3000 and 3999', array[3003, 3004, 3005, 3007, 3008]::bigint[],
	'sessions that are younger, open, or still referred to stay');
select is_empty($$select h.id from order_history h where not exists (select from table_sessions s where s.id = h.table_session_id)$$,
	'no order has lost its session');
select is_empty($$select i.id from order_history_items i where not exists (select from order_history h where h.id = i.order_history_id)$$,
	'no line its order');

-- References hold on after months came and went.
select throws_ok('delete from order_history where table_session_id = 3003', '23503', null, 'an order with lines cannot go');
select throws_ok('delete from table_sessions where id = 3003', '23503', null, 'nor a session with history');
select is(history_partitions_drop(1), 1, 'a shorter time drops more');
select is(pg_temp.place(3004), null, 'the order of last month is of the other session');
select is(pg_temp.place(3005), format('%s %s 2', pg_temp.partition('order_history', -1), pg_temp.partition('order_history_items', -1)),
	'and last month is kept whole');
select is(pg_temp.place(2001), format('%s %s 2', pg_temp.partition('order_history', 2), pg_temp.partition('order_history_items', 2)),
	'and leaves the rest');
reset role;

-- past the fixture's own numbers
select setval(pg_get_serial_sequence(name, 'id'), 10000)
from unnest('{orders,order_items,order_history,order_history_items}'::text[]) name \g /dev/null

-- A completion, as the service does it, 1,000 orders: whole, and in time.
insert into orders (store_id, table_id, table_session_id, order_number, business_date, total_price)
select :'a', 1001, 1001, n, '2024-07-03', 6 from generate_series(1, 999) n;
insert into order_items (store_id, order_id, menu_id, menu_name, quantity, unit_price, subtotal)
select :'a', o.id, 1001, 'm' || n, n, 1, n from orders o, generate_series(1, 3) n where table_session_id = 1001 and id <> 1001;
select set_config('app.store_id', :'a', true) as ignored \gset
set local role table_order_service;
with h as (
	insert into order_history (store_id, table_id, table_session_id, original_order_id, order_number, business_date, status, total_price,
		note, order_created_at, archived_at)
	select store_id, table_id, table_session_id, id, order_number, business_date, status, total_price, note, created_at, statement_timestamp()
	from orders where table_session_id = 1001
	returning store_id, id, original_order_id, archived_at
)
insert into order_history_items (store_id, order_history_id, archived_at, menu_id, menu_name, quantity, unit_price, subtotal)
select h.store_id, h.id, h.archived_at, i.menu_id, i.menu_name, i.quantity, i.unit_price, i.subtotal
from h join order_items i on i.store_id = h.store_id and i.order_id = h.original_order_id order by i.id;
delete from order_items i using orders o where o.store_id = i.store_id and o.id = i.order_id and o.table_session_id = 1001;
delete from orders where table_session_id = 1001;
select is((select count(*) from order_history where table_session_id = 1001), 1001::bigint, 'every order of the session is history');
select is((select count(*) from order_history_items i join order_history h on h.id = i.order_history_id where h.table_session_id = 1001),
	2999::bigint, 'with every line');
select is((select count(*) from orders where table_session_id = 1001), 0::bigint, 'and none is live');
select cmp_ok(clock_timestamp() - now(), '<', interval '5 seconds', 'all of this file within the five seconds that a completion may take');
reset role;

select * from finish();
rollback;
