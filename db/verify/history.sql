-- Verify table-order:history on pg

begin;

select id, store_id, table_id, table_session_id, original_order_id, order_number, business_date, status, total_price,
	note, order_created_at, archived_at, created_at, updated_at
from order_history where false;
select id, store_id, order_history_id, archived_at, menu_id, menu_name, quantity, unit_price, subtotal, created_at,
	updated_at
from order_history_items where false;
-- This month, three ahead, the default.
select 1 / (count(*) >= 5)::int from pg_inherits where inhparent = 'order_history'::regclass;
select 1 / (count(*) >= 5)::int from pg_inherits where inhparent = 'order_history_items'::regclass;
select 'history_partitions_ensure(integer)'::regprocedure, 'history_partitions_drop(integer)'::regprocedure,
	'history_sessions_delete(integer, integer)'::regprocedure;

rollback;
