-- Verify table-order:order_lines on pg

begin;

select store_id, id, table_id, table_number, table_session_id, order_number, business_date, status, status_changed_at,
	total_price, note, version, created_at, item_id, menu_id, menu_name, quantity, unit_price
from order_lines where false;
select 1 / has_table_privilege('table_order_service', 'order_lines', 'select')::int;

rollback;
