-- Verify table-order:orders on pg

begin;

select id, store_id, table_id, started_at, ended_at, archived_orders_count, archived_total_price, payable_total_price,
	unserved_orders_count, created_at, updated_at
from table_sessions where false;
select id, store_id, table_id, table_session_id, order_number, business_date, status, status_changed_at, total_price,
	note, version, created_at, updated_at
from orders where false;
select id, store_id, order_id, menu_id, menu_name, quantity, unit_price, subtotal, created_at, updated_at
from order_items where false;
select 'orders_id_seq'::regclass, 'table_sessions_id_seq'::regclass, 'table_sessions_open_key'::regclass,
	'orders_session_idx'::regclass, 'order_items_order_idx'::regclass, 'order_items_menu_idx'::regclass;

rollback;
