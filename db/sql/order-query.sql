-- name: orders_of_table(bigint table_id)
select * from order_lines where store_id = current_store_id() and table_id = $1 order by id, item_id;

-- name: order_of_table(bigint id, bigint table_id)
select * from order_lines where store_id = current_store_id() and id = $1 and table_id = $2 order by item_id;

-- name: order_one(bigint id)
select * from order_lines where store_id = current_store_id() and id = $1 order by item_id;

-- name: orders_page(bigint? table_id, text? status, bigint page_size, bigint start)
select * from order_lines
where store_id = current_store_id() and id in (
	select id from orders
	where store_id = current_store_id() and ($1::bigint is null or table_id = $1) and ($2::text is null or status = $2)
	order by id limit $3 offset $4)
order by id, item_id;

-- name: orders_count(bigint? table_id, text? status)
select count(*) as total from orders
where store_id = current_store_id() and ($1::bigint is null or table_id = $1) and ($2::text is null or status = $2);

-- name: last_event()
select last_seq from store_counters where store_id = current_store_id();

-- name: board_tables()
select t.id, t.table_number, t.is_active, s.id as session_id, s.started_at
from dining_tables t
left join table_sessions s on s.store_id = t.store_id and s.table_id = t.id and s.ended_at is null
where t.store_id = current_store_id() and t.deleted_at is null
order by t.id;

-- name: board_orders()
select * from order_lines where store_id = current_store_id() order by table_id, id, item_id;
