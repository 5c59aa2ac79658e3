-- name: stores_page(bigint page_size, bigint start)
select id, code, name, currency, time_zone, business_day_start, is_active, created_at from stores
order by created_at, id limit $1 offset $2;

-- name: stores_count()
select count(*) as total from stores;

-- name: store_one(uuid id)
select id, code, name, currency, time_zone, business_day_start, is_active, created_at from stores where id = $1;

-- name: store_insert(text code, text name, text currency, text time_zone, time business_day_start)
insert into stores (code, name, currency, time_zone, business_day_start) values ($1, $2, $3, $4, $5)
returning id, code, name, currency, time_zone, business_day_start, is_active, created_at;

-- name: counter_insert(uuid store_id)
insert into store_counters (store_id) values ($1);

-- What is null stays as it is.
-- name: store_update(uuid id, text? code, text? name, text? currency, text? time_zone, time? business_day_start, boolean? is_active)
update stores
set code = coalesce($2, code), name = coalesce($3, name), currency = coalesce($4, currency),
	time_zone = coalesce($5, time_zone), business_day_start = coalesce($6, business_day_start),
	is_active = coalesce($7, is_active)
where id = $1
returning id, code, name, currency, time_zone, business_day_start, is_active, created_at;

-- name: store_admins_revoke(uuid store_id)
update admins set token_generation = token_generation + 1 where store_id = $1
returning 'admin:' || id as subject, token_generation as gen;

-- name: store_tables_revoke(uuid store_id)
update dining_tables set token_generation = token_generation + 1 where store_id = $1 and deleted_at is null
returning 'table:' || id as subject, token_generation as gen;

-- name: admins_page(uuid? store_id, bigint page_size, bigint start)
select id, store_id, username, role, is_active, token_generation, created_at from admins
where ($1::uuid is null or store_id = $1) order by id limit $2 offset $3;

-- name: admins_count(uuid? store_id)
select count(*) as total from admins where ($1::uuid is null or store_id = $1);

-- name: admin_one(bigint id)
select id, store_id, username, role, is_active, token_generation, created_at from admins where id = $1;

-- name: admin_insert(uuid? store_id, text username, text password_hash, text role)
insert into admins (store_id, username, password_hash, role) values ($1, $2, $3, $4)
returning id, store_id, username, role, is_active, token_generation, created_at;

-- name: admin_set_active(bigint id, boolean is_active, bigint raise)
update admins set is_active = $2, token_generation = token_generation + $3 where id = $1
returning id, store_id, username, role, is_active, token_generation, created_at;

-- name: admin_set_password(bigint id, text password_hash)
update admins set password_hash = $2, token_generation = token_generation + 1 where id = $1
returning id, store_id, username, role, is_active, token_generation, created_at;

-- name: tables()
select t.id, t.table_number, t.is_active, t.token_generation, t.created_at, s.id as session_id
from dining_tables t
left join table_sessions s on s.store_id = t.store_id and s.table_id = t.id and s.ended_at is null
where t.store_id = current_store_id() and t.deleted_at is null
order by t.id;

-- name: table_one(bigint id)
select t.id, t.table_number, t.is_active, t.token_generation, t.created_at, s.id as session_id
from dining_tables t
left join table_sessions s on s.store_id = t.store_id and s.table_id = t.id and s.ended_at is null
where t.store_id = current_store_id() and t.id = $1 and t.deleted_at is null;

-- name: table_insert(text table_number, text password_hash)
insert into dining_tables (store_id, table_number, password_hash) values (current_store_id(), $1, $2)
returning id, table_number, is_active, token_generation, created_at, null::bigint as session_id;

-- name: table_update(bigint id, text? table_number, boolean? is_active, bigint raise)
update dining_tables
set table_number = coalesce($2, table_number), is_active = coalesce($3, is_active),
	token_generation = token_generation + $4
where store_id = current_store_id() and id = $1;

-- Apart from the others: the service may write a hash, but not read one.
-- name: table_set_password(bigint id, text password_hash)
update dining_tables set password_hash = $2 where store_id = current_store_id() and id = $1;

-- name: table_delete(bigint id)
update dining_tables set deleted_at = clock_timestamp(), is_active = false, token_generation = token_generation + 1
where store_id = current_store_id() and id = $1;
