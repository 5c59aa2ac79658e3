-- Past orders of all stores: 365 business dates up to yesterday, :parties a day and store, 8 orders each with 2 items.
-- Run by a superuser, who may leave out the checks of foreign keys: all that is referred to is made here.
set session_replication_role = replica;
set timezone = 'UTC';

create temporary table party as
select nextval('table_sessions_id_seq') as id, s.id as store_id, s.tables[1 + n % cardinality(s.tables)] as table_id, n,
	current_date - 366 + day as business_date,
	(current_date - 366 + day + s.business_day_start) at time zone s.time_zone + n * interval '16 h' / :parties as started_at
from (
	select id, time_zone, business_day_start,
		(select array_agg(t.id order by t.id) from dining_tables t where t.store_id = s.id) as tables
	from stores s) s,
	generate_series(1, 365) day, generate_series(0, :parties - 1) n;
alter table party add ended_at timestamptz;
update party set ended_at = started_at + interval '25 min';

insert into table_sessions (id, store_id, table_id, started_at, ended_at, archived_orders_count, archived_total_price,
	payable_total_price, unserved_orders_count)
select id, store_id, table_id, started_at, ended_at, 8, 100000, 100000, 0 from party;

-- A month's partition is made for rows that are there already: one for each month, then the rest.
insert into order_history (store_id, table_id, table_session_id, original_order_id, order_number, business_date, status,
	total_price, order_created_at, archived_at)
select distinct on (date_trunc('month', ended_at)) store_id, table_id, id, 1, 1, business_date, 'served', 1, started_at, ended_at
from party;
set role table_order_owner;
select history_partitions_ensure(3);
reset role;
delete from order_history;

insert into order_history (id, store_id, table_id, table_session_id, original_order_id, order_number, business_date, status,
	total_price, order_created_at, archived_at)
overriding system value
select id * 8 + k, store_id, table_id, id, id * 8 + k, n * 8 + k + 1, business_date,
	case when (id + k) % 20 = 0 then 'cancelled' else 'served' end,
	1000 * (1 + (id + k) % 30) + 2 * 1000 * (1 + (id + k + 1) % 30), started_at + k * interval '2 min', ended_at
from party, generate_series(0, 7) k
order by id, k;

insert into order_history_items (store_id, order_history_id, archived_at, menu_id, menu_name, quantity, unit_price, subtotal)
select store_id, id * 8 + k, ended_at, 1 + (id + k + i) % 30, '음식 ' || (id + k + i) % 30, 1 + i,
	1000 * (1 + (id + k + i) % 30), (1 + i) * 1000 * (1 + (id + k + i) % 30)
from party, generate_series(0, 7) k, generate_series(0, 1) i
order by id, k, i;

select setval('order_history_id_seq', (select max(id) + 1 from order_history)),
	setval('orders_id_seq', (select max(id) + 1 from order_history));
-- what autovacuum and orderctl maintenance do
vacuum (analyze) table_sessions, order_history, order_history_items;
checkpoint;
