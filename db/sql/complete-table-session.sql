-- The table, with its open session and the one that was asked for.
-- name: session_find(bigint table_id, bigint? session_id)
select t.table_number, s.id as session_id, s.started_at, s.ended_at, s.archived_orders_count,
	s.archived_total_price, s.payable_total_price, s.unserved_orders_count, s.started_at > clock_timestamp() as is_ahead
from dining_tables t
left join table_sessions o on o.store_id = t.store_id and o.table_id = t.id and o.ended_at is null
left join table_sessions s on s.store_id = t.store_id and s.table_id = t.id and s.id = coalesce($2, o.id)
where t.store_id = current_store_id() and t.id = $1 and (t.deleted_at is null or $2::bigint is not null);

-- Foreign keys of partitioned tables are checked row by row, and planned anew for each: that was half of the work.
-- name: session_plan_once()
select set_config('plan_cache_mode', 'force_generic_plan', true);

-- Moves a session's orders, whatever their status, with their items, and says what it moved.
-- name: session_archive(bigint table_id, bigint session_id, timestamptz archived_at)
with moved as (
	insert into order_history (store_id, table_id, table_session_id, original_order_id, order_number, business_date,
		status, total_price, note, order_created_at, archived_at)
	select store_id, table_id, table_session_id, id, order_number, business_date, status, total_price, note, created_at, $3
	from orders
	where store_id = current_store_id() and table_id = $1 and table_session_id = $2
	order by id
	returning id, original_order_id, status, total_price
), moved_items as (
	insert into order_history_items (store_id, order_history_id, archived_at, menu_id, menu_name, quantity, unit_price,
		subtotal)
	select i.store_id, m.id, $3, i.menu_id, i.menu_name, i.quantity, i.unit_price, i.subtotal
	from moved m join order_items i on i.store_id = current_store_id() and i.order_id = m.original_order_id
	order by i.id
	returning subtotal
)
select (select count(*) from moved) as orders,
	(select coalesce(sum(total_price), 0) from moved)::bigint as total,
	(select coalesce(sum(total_price) filter (where status <> 'cancelled'), 0) from moved)::bigint as payable,
	(select count(*) filter (where status not in ('served', 'cancelled')) from moved) as unserved,
	(select count(*) from moved_items) as items,
	(select coalesce(sum(subtotal), 0) from moved_items)::bigint as items_total;

-- Removes the same orders from the live ones, and says what went.
-- name: session_clear(bigint table_id, bigint session_id)
with items as (
	delete from order_items
	where store_id = current_store_id() and order_id in (
		select id from orders where store_id = current_store_id() and table_id = $1 and table_session_id = $2)
	returning subtotal
), gone as (
	delete from orders where store_id = current_store_id() and table_id = $1 and table_session_id = $2
	returning total_price
)
select (select count(*) from gone) as orders,
	(select coalesce(sum(total_price), 0) from gone)::bigint as total,
	(select count(*) from items) as items,
	(select coalesce(sum(subtotal), 0) from items)::bigint as items_total;

-- name: session_end(bigint id, timestamptz ended_at, bigint orders, bigint total, bigint payable, bigint unserved)
update table_sessions
set ended_at = $2, archived_orders_count = $3, archived_total_price = $4, payable_total_price = $5,
	unserved_orders_count = $6
where store_id = current_store_id() and id = $1;
