-- Revert table-order:rights from pg

begin;

do $$
declare
	name text;
	policy record;
begin
	for policy in select tablename, policyname from pg_policies where schemaname = 'public' loop
		execute format('drop policy %I on %I', policy.policyname, policy.tablename);
	end loop;
	foreach name in array array['stores', 'store_counters', 'admins', 'dining_tables', 'menu_categories', 'menus',
			'table_sessions', 'orders', 'order_items', 'order_history', 'order_history_items', 'events',
			'idempotency_keys', 'revoked_tokens', 'login_failures'] loop
		execute format('alter table %I no force row level security, disable row level security', name);
		execute format('revoke all on %I from table_order_service, table_order_platform, table_order_dispatcher, '
			'table_order_relay', name);
	end loop;
end
$$;

revoke all on sequence table_sessions_id_seq, orders_id_seq from table_order_service;
revoke execute on function current_store_id() from table_order_service;
revoke execute on function business_date(timestamptz, text, time) from table_order_service;

commit;
