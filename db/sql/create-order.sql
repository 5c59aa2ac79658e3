-- name: order_start(bigint table_id)
select nextval('orders_id_seq') as order_id, t.table_number, s.id is null as is_new_session,
	coalesce(s.id, nextval('table_sessions_id_seq')) as session_id
from dining_tables t
left join table_sessions s on s.store_id = t.store_id and s.table_id = t.id and s.ended_at is null
where t.id = $1;

-- name: order_menus(bigint[] ids)
select id, name, price, is_available from menus where store_id = current_store_id() and id = any ($1);

-- name: session_open(bigint id, bigint table_id, timestamptz started_at)
insert into table_sessions (store_id, id, table_id, started_at) values (current_store_id(), $1, $2, $3);

-- name: order_insert(bigint id, bigint table_id, bigint session_id, bigint number, date business_date, bigint total_price, text? note, timestamptz created_at, json items)
with new_order as (
	insert into orders (store_id, id, table_id, table_session_id, order_number, business_date, total_price, note,
		created_at, status_changed_at)
	values (current_store_id(), $1, $2, $3, $4, $5, $6, $7, $8, $8)
)
insert into order_items (store_id, order_id, menu_id, menu_name, quantity, unit_price, subtotal)
select current_store_id(), $1, i.menu_id, i.menu_name, i.quantity, i.unit_price, i.subtotal
from json_to_recordset($9)
	as i (menu_id bigint, menu_name text, quantity integer, unit_price bigint, subtotal bigint);
