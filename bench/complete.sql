-- An open session of 1,000 orders with 5 items each at every table of a store (:'store').
-- As many months of history as an installation has that keeps a year.
select history_partitions_ensure(15);

begin;
create temporary table party on commit drop as
	select t.id as table_id, t.store_id, nextval('table_sessions_id_seq') as id,
		(row_number() over (order by t.id) - 1) * 1000 as numbers_from,
		business_date(now(), s.time_zone, s.business_day_start) as business_date
	from dining_tables t join stores s on s.id = t.store_id
	where t.store_id = :'store';

insert into table_sessions (id, store_id, table_id) select id, store_id, table_id from party;

-- As for items: prices 1,000 to 5,000, one of each.
insert into orders (store_id, table_id, table_session_id, order_number, business_date, status, total_price)
select store_id, table_id, id, numbers_from + n, business_date,
	(array['served', 'served', 'served', 'ready', 'cancelled'])[1 + n % 5], 15000
from party, generate_series(1, 1000) n
order by id, n;

insert into order_items (store_id, order_id, menu_id, menu_name, quantity, unit_price, subtotal)
select o.store_id, o.id, m.id, m.name, 1, m.n * 1000, m.n * 1000
from orders o
join (
	select id, name, row_number() over (order by id) as n from menus where store_id = :'store' order by id limit 5) m on true
where o.store_id = :'store'
order by o.id, m.n;

update store_counters c set business_date = p.business_date, last_order_number = p.numbers
from (select business_date, max(numbers_from) + 1000 as numbers from party group by business_date) p
where c.store_id = :'store';
commit;

analyze table_sessions, orders, order_items;
