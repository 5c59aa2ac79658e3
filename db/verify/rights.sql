-- Verify table-order:rights on pg

begin;

select 1 / (count(*) = 0)::int from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity);
select 1 / (count(*) >= 14)::int from pg_policies where schemaname = 'public' and policyname = 'service_store';
select 1 / has_table_privilege('table_order_service', 'orders', 'select, insert, delete')::int;
select 1 / (not has_column_privilege('table_order_service', 'admins', 'password_hash', 'select'))::int;
select 1 / has_column_privilege('table_order_platform', 'admins', 'password_hash', 'select')::int;
select 1 / has_column_privilege('table_order_dispatcher', 'events', 'published_at', 'update')::int;
select 1 / has_column_privilege('table_order_relay', 'admins', 'token_generation', 'select')::int;

rollback;
