-- Deploy table-order:order_lines to pg
-- requires: rights

begin;

-- What the programs read of live orders: a row an item, with the order and its table's number; an order's rows are told
-- apart by id. Rights and policies are those of whoever asks.
create view order_lines with (security_invoker = true) as
select o.store_id, o.id, o.table_id, t.table_number, o.table_session_id, o.order_number, o.business_date, o.status,
	o.status_changed_at, o.total_price, o.note, o.version, o.created_at,
	i.id as item_id, i.menu_id, i.menu_name, i.quantity, i.unit_price
from orders o
join dining_tables t on t.store_id = o.store_id and t.id = o.table_id
join order_items i on i.store_id = o.store_id and i.order_id = o.id;

grant select on order_lines to table_order_service;

commit;
