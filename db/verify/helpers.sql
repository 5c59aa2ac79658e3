-- Verify table-order:helpers on pg

begin;

select 1 / (current_store_id() is null)::int;
select 1 / (business_date('2024-07-01 19:59:59Z', 'Asia/Seoul', '05:00') = '2024-07-01')::int;
select 1 / (business_date('2024-07-01 20:00:00Z', 'Asia/Seoul', '05:00') = '2024-07-02')::int;
select 'touch_updated_at()'::regprocedure;
select 1 / (not has_function_privilege('table_order_relay', 'business_date(timestamptz, text, time)', 'execute'))::int;

rollback;
