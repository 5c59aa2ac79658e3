-- Verify table-order:stores on pg

begin;

select id, code, name, currency, time_zone, business_day_start, is_active, created_at, updated_at from stores where false;
select store_id, last_seq, business_date, last_order_number from store_counters where false;
select id, store_id, username, password_hash, role, is_active, token_generation, created_at, updated_at from admins where false;
select id, store_id, table_number, password_hash, is_active, token_generation, deleted_at, created_at, updated_at
from dining_tables where false;
select 'stores_code_key'::regclass, 'admins_username_key'::regclass, 'dining_tables_number_key'::regclass;
select 1 / (count(*) = 5)::int from pg_trigger
where tgname in ('stores_time_zone_insert', 'stores_time_zone_update', 'stores_touch', 'admins_touch', 'dining_tables_touch');

rollback;
