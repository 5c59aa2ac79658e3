-- Deploy table-order:rights to pg
-- requires: orders
-- requires: history
-- requires: support

begin;

-- Row-level security: forced, so that the owner too would be bound but for its bypassrls.

do $$
declare
	name text;
begin
	foreach name in array array['stores', 'store_counters', 'admins', 'dining_tables', 'menu_categories', 'menus',
			'table_sessions', 'orders', 'order_items', 'order_history', 'order_history_items', 'events',
			'idempotency_keys', 'revoked_tokens', 'login_failures'] loop
		execute format('alter table %I enable row level security, force row level security', name);
	end loop;
end
$$;

-- Service: the store of the request, and nothing when none is set. One policy for reading and writing alike.
create policy service_store on stores to table_order_service using (id = current_store_id());
create policy service_store on store_counters to table_order_service using (store_id = current_store_id());
create policy service_store on admins to table_order_service using (store_id = current_store_id());
create policy service_store on dining_tables to table_order_service using (store_id = current_store_id());
create policy service_store on menu_categories to table_order_service using (store_id = current_store_id());
create policy service_store on menus to table_order_service using (store_id = current_store_id());
create policy service_store on table_sessions to table_order_service using (store_id = current_store_id());
create policy service_store on orders to table_order_service using (store_id = current_store_id());
create policy service_store on order_items to table_order_service using (store_id = current_store_id());
create policy service_store on order_history to table_order_service using (store_id = current_store_id());
create policy service_store on order_history_items to table_order_service using (store_id = current_store_id());
create policy service_store on events to table_order_service using (store_id = current_store_id());
create policy service_store on idempotency_keys to table_order_service using (store_id = current_store_id());
create policy service_store on revoked_tokens to table_order_service using (store_id = current_store_id());

create policy platform_all on stores to table_order_platform using (true);
create policy platform_all on store_counters to table_order_platform using (true);
create policy platform_all on admins to table_order_platform using (true);
create policy platform_all on dining_tables to table_order_platform using (true);
create policy platform_all on revoked_tokens to table_order_platform using (true);
create policy platform_all on login_failures to table_order_platform using (true);
create policy platform_add on events for insert to table_order_platform with check (true);

create policy dispatcher_read on events for select to table_order_dispatcher using (true);
create policy dispatcher_publish on events for update to table_order_dispatcher using (true);

create policy relay_read on events for select to table_order_relay using (true);
create policy relay_read on store_counters for select to table_order_relay using (true);
create policy relay_read on table_sessions for select to table_order_relay using (true);
create policy relay_read on stores for select to table_order_relay using (true);
create policy relay_read on admins for select to table_order_relay using (true);
create policy relay_read on dining_tables for select to table_order_relay using (true);
create policy relay_read on revoked_tokens for select to table_order_relay using (true);

-- Privileges. What a column list leaves out is not to be read or changed by that role: password hashes are read by the
-- platform alone; what a guest ordered, and what is history, changes no more.

grant execute on function current_store_id() to table_order_service;
grant execute on function business_date(timestamptz, text, time) to table_order_service;

grant select on stores to table_order_service;
grant select, update (last_seq, business_date, last_order_number) on store_counters to table_order_service;
grant select (id, store_id, username, role, is_active, token_generation, created_at, updated_at) on admins
	to table_order_service;
grant select (id, store_id, table_number, is_active, token_generation, deleted_at, created_at, updated_at),
	insert (store_id, table_number, password_hash, is_active),
	update (table_number, password_hash, is_active, token_generation, deleted_at) on dining_tables to table_order_service;
grant select, insert, update (name, display_order), delete on menu_categories to table_order_service;
grant select, insert, update (category_id, name, description, price, image_path, thumbnail_path, is_available,
	display_order), delete on menus to table_order_service;
grant select, insert, update (ended_at, archived_orders_count, archived_total_price, payable_total_price,
	unserved_orders_count) on table_sessions to table_order_service;
grant select, insert, update (status, status_changed_at, version), delete on orders to table_order_service;
grant usage on sequence table_sessions_id_seq, orders_id_seq to table_order_service;
grant select, insert, delete on order_items to table_order_service;
grant select, insert on order_history, order_history_items to table_order_service;
grant insert (store_id, seq, event_type, table_id, table_session_id, actor, occurred_at, payload) on events
	to table_order_service, table_order_platform;
-- The update takes over a key that is past its time but not yet swept.
grant select, insert, update (request_hash, status, location, body, created_at) on idempotency_keys
	to table_order_service;
grant select, insert on revoked_tokens to table_order_service, table_order_platform;

grant select, insert (id, code, name, currency, time_zone, business_day_start, is_active),
	update (code, name, currency, time_zone, business_day_start, is_active) on stores to table_order_platform;
grant select, insert, update (last_seq) on store_counters to table_order_platform;
grant select, insert (store_id, username, password_hash, role, is_active),
	update (password_hash, is_active, token_generation) on admins to table_order_platform;
grant select, update (token_generation) on dining_tables to table_order_platform;
grant select, insert (account, address, failed_at), update (account), delete on login_failures to table_order_platform;

grant select, update (published_at) on events to table_order_dispatcher;

grant select on events, store_counters, table_sessions to table_order_relay;
grant select (id, is_active) on stores to table_order_relay;
grant select (id, store_id, role, is_active, token_generation) on admins to table_order_relay;
grant select (id, store_id, table_number, is_active, token_generation, deleted_at) on dining_tables to table_order_relay;
grant select (jti, store_id, expires_at, revoked_at) on revoked_tokens to table_order_relay;

commit;
