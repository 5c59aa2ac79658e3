-- Newest first, by the index read backwards. Dates are never null: -infinity and infinity stand for no bound.
-- name: history_of_store(date from_date, date to_date, bigint page_size, bigint start)
select h.*, t.table_number, i.menu_id, i.menu_name, i.quantity, i.unit_price
from (
	select id, store_id, original_order_id, table_id, table_session_id, order_number, business_date, status, total_price,
		note, order_created_at, archived_at
	from order_history
	where store_id = current_store_id() and business_date between $1 and $2
	order by store_id desc, business_date desc, order_number desc limit $3 offset $4) h
join dining_tables t on t.store_id = h.store_id and t.id = h.table_id
join order_history_items i on i.store_id = h.store_id and i.order_history_id = h.id and i.archived_at = h.archived_at
order by h.business_date desc, h.order_number desc, i.id;

-- name: history_of_store_count(date from_date, date to_date)
select count(*) as total from order_history
where store_id = current_store_id() and business_date between $1 and $2;

-- name: history_of_table(bigint table_id, date from_date, date to_date, bigint page_size, bigint start)
select h.*, t.table_number, i.menu_id, i.menu_name, i.quantity, i.unit_price
from (
	select id, store_id, original_order_id, table_id, table_session_id, order_number, business_date, status, total_price,
		note, order_created_at, archived_at
	from order_history
	where store_id = current_store_id() and table_id = $1 and business_date between $2 and $3
	order by store_id desc, table_id desc, business_date desc, order_number desc limit $4 offset $5) h
join dining_tables t on t.store_id = h.store_id and t.id = h.table_id
join order_history_items i on i.store_id = h.store_id and i.order_history_id = h.id and i.archived_at = h.archived_at
order by h.business_date desc, h.order_number desc, i.id;

-- name: history_of_table_count(bigint table_id, date from_date, date to_date)
select count(*) as total from order_history
where store_id = current_store_id() and table_id = $1 and business_date between $2 and $3;

-- A deleted table's history stays.
-- name: table_exists(bigint id)
select id from dining_tables where store_id = current_store_id() and id = $1;
