-- What liborder itself asks: the transaction around every request.

-- name: tenant_set(uuid store_id)
select set_config('app.store_id', $1, true);

-- The one lock of a transaction that emits an event, taken before any other row.
-- name: counter_lock(uuid store_id)
select store_id, last_seq, business_date, last_order_number from store_counters where store_id = $1 for update;

-- Read after the lock, in a statement of its own: its snapshot and its clock are later than whatever was waited for.
-- name: account_table(bigint id, text jti)
select t.is_active and s.is_active and t.deleted_at is null as is_active, t.token_generation as gen,
	exists (select from revoked_tokens v where v.jti = $2) as is_revoked,
	clock_timestamp() as now, business_date(clock_timestamp(), s.time_zone, s.business_day_start) as today
from dining_tables t join stores s on s.id = t.store_id
where t.id = $1;

-- name: account_admin(bigint id, text jti)
select a.is_active and s.is_active as is_active, a.token_generation as gen,
	exists (select from revoked_tokens v where v.jti = $2) as is_revoked,
	clock_timestamp() as now, business_date(clock_timestamp(), s.time_zone, s.business_day_start) as today
from admins a join stores s on s.id = a.store_id
where a.id = $1;

-- name: account_super_admin(bigint id, text jti)
select a.is_active, a.token_generation as gen,
	exists (select from revoked_tokens v where v.jti = $2) as is_revoked,
	clock_timestamp() as now, null::date as today
from admins a
where a.id = $1 and a.role = 'super_admin';

-- name: idempotency_find(text subject, text operation, text key)
select encode(request_hash, 'hex') as request_hash, status, location, body
from idempotency_keys
where store_id = current_store_id() and subject = $1 and operation = $2 and key = $3
	and created_at > now() - interval '24 hours';

-- A key that is past its time, but not yet swept, is taken over.
-- name: idempotency_keep(text subject, text operation, text key, text request_hash, integer status, text? location, text body)
insert into idempotency_keys (store_id, subject, operation, key, request_hash, status, location, body)
values (current_store_id(), $1, $2, $3, decode($4, 'hex'), $5, $6, $7)
on conflict (store_id, subject, operation, key) do update
set request_hash = excluded.request_hash, status = excluded.status, location = excluded.location,
	body = excluded.body, created_at = excluded.created_at;

-- name: event_insert(uuid store_id, bigint seq, text event_type, bigint? table_id, bigint? table_session_id, text actor, timestamptz occurred_at, json payload)
insert into events (store_id, seq, event_type, table_id, table_session_id, actor, occurred_at, payload)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: counter_seq(uuid store_id, bigint last_seq)
update store_counters set last_seq = $2 where store_id = $1;

-- name: counter_number(uuid store_id, bigint last_seq, date business_date, bigint last_order_number)
update store_counters set last_seq = $2, business_date = $3, last_order_number = $4 where store_id = $1;

-- name: clock()
select clock_timestamp() as now;
