-- A row as soon as the store exists: the throttle counts by its id, whichever way it was named.
-- name: account_of_table(uuid? store_id, text? store_code, text table_number)
select s.id as store_id, s.code, s.name, s.currency, s.time_zone, s.business_day_start, t.id, t.table_number,
	t.password_hash, t.token_generation, t.is_active and s.is_active as is_active
from stores s
left join dining_tables t on t.store_id = s.id and t.table_number = $3 and t.deleted_at is null
where s.id = $1::uuid or lower(s.code) = lower($2);

-- name: account_of_admin(uuid? store_id, text? store_code, text username)
select s.id as store_id, s.code, s.name, s.currency, s.time_zone, s.business_day_start, a.id,
	a.password_hash, a.token_generation, a.is_active and s.is_active as is_active
from stores s
left join admins a on a.store_id = s.id and lower(a.username) = lower($3)
where s.id = $1::uuid or lower(s.code) = lower($2);

-- name: account_of_super_admin(text username)
select a.id, a.password_hash, a.token_generation, a.is_active
from admins a
where a.role = 'super_admin' and lower(a.username) = lower($1);

-- Names are as case-blind here as the accounts are, by the database's own rule. Attempts on one account, and from one address, count one after the other. Always in this order: no deadlock.
-- name: login_lock(text account, text address)
select pg_advisory_xact_lock(1, hashtext(lower($1))), pg_advisory_xact_lock(2, hashtext($2));

-- Until when: the oldest failure that counts leaves the window. Failures of the future are from before the clock was set
-- back, and would count for longer than the window; servers that take over from each other differ by less than a minute.
-- name: login_failures(text account, inet address, bigint window_seconds)
select count(*) filter (where account = lower($1) and address = $2::inet) as both,
	count(*) filter (where account = lower($1)) as by_account,
	count(*) filter (where address = $2::inet) as by_address,
	ceil(extract(epoch from min(failed_at) - clock_timestamp()))::bigint + $3 as retry_after
from login_failures
where (account = lower($1) or address = $2::inet) and failed_at > clock_timestamp() - make_interval(secs => $3)
	and failed_at < clock_timestamp() + interval '1 minute';

-- name: login_attempt(text account, inet address)
insert into login_failures (account, address, failed_at) values (lower($1), $2, clock_timestamp()) returning id;

-- A success is no failure,
-- name: login_take_back(bigint id)
delete from login_failures where id = $1;

-- and forgives the account's; the address's go on counting.
-- name: login_forgive(text account)
update login_failures set account = null where account = lower($1);

-- name: token_revoke(text jti, uuid? store_id, text subject, bigint expires_at)
insert into revoked_tokens (jti, store_id, subject, expires_at) values ($1, $2, $3, to_timestamp($4))
on conflict (jti) do nothing;
