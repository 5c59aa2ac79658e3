-- Statements of orderctl, run as the owner, who passes by row-level security.

-- name: migration_try_lock()
select pg_try_advisory_lock(7547406302);

-- name: migration_lock()
select pg_advisory_lock(7547406302);

-- name: migration_registry()
select to_regclass('sqitch.changes') is not null;

-- name: migration_last()
select change from sqitch.changes order by committed_at desc, planned_at desc limit 1;

-- name: super_admin_add(text username, text password_hash)
insert into admins (role, username, password_hash)
values ('super_admin', $1, $2)
on conflict do nothing
returning id;

-- name: outbox_stores()
select s.id, s.code, count(*), floor(extract(epoch from clock_timestamp() - min(e.occurred_at)))::bigint
from events e
join stores s on s.id = e.store_id
where e.published_at is null
group by s.id, s.code
order by s.code;

-- name: store_counters_raise(bigint by)
update store_counters set last_seq = last_seq + $1;

-- the stores that are not among the given codes (a JSON array)
-- name: other_stores(text codes)
select exists (
	select from stores
	where lower(code) not in (select lower(jsonb_array_elements_text($1::jsonb)))
);

-- name: store_by_code(text code)
select id from stores where lower(code) = lower($1);

-- name: store_add(text code, text name)
insert into stores (code, name) values ($1, $2) returning id;

-- name: store_counter_add(text store_id)
insert into store_counters (store_id) values ($1::uuid);

-- name: store_admin_add(text store_id, text username, text password_hash)
insert into admins (store_id, role, username, password_hash)
values ($1::uuid, 'store_admin', $2, $3)
on conflict do nothing
returning id;

-- name: store_admin_find(text store_id, text username)
select id from admins where store_id = $1::uuid and lower(username) = lower($2);

-- tables: a JSON array of numbers; all with one password
-- name: store_tables_add(text store_id, text tables, text password_hash)
insert into dining_tables (store_id, table_number, password_hash)
select $1::uuid, t.number, $3
from jsonb_array_elements_text($2::jsonb) with ordinality as t(number, place)
order by t.place;

-- name: store_tables(text store_id)
select id, table_number
from dining_tables
where store_id = $1::uuid and deleted_at is null
order by id;

-- categories: a JSON array of {name, menus [{name, description, price}]}
-- name: store_menus_add(text store_id, text categories)
with category as (
	insert into menu_categories (store_id, name, display_order)
	select $1::uuid, c.value ->> 'name', c.place
	from jsonb_array_elements($2::jsonb) with ordinality as c(value, place)
	order by c.place
	returning id, display_order
)
insert into menus (store_id, category_id, name, description, price, display_order)
select $1::uuid, category.id, m.value ->> 'name', m.value ->> 'description', (m.value ->> 'price')::bigint, m.place
from jsonb_array_elements($2::jsonb) with ordinality as c(value, place)
join category on category.display_order = c.place
cross join jsonb_array_elements(c.value -> 'menus') with ordinality as m(value, place)
order by c.place, m.place;

-- name: maintenance_try_lock()
select pg_try_advisory_lock(7547406303);

-- name: history_months_ensure(integer months_ahead)
select history_partitions_ensure($1);

-- name: history_months_drop(integer keep_months)
select history_partitions_drop($1);

-- name: history_sessions_delete(integer keep_months, integer at_most)
select history_sessions_delete($1, $2);

-- Each store's log loses its oldest part, so that what is left has no gap: nothing behind an event that has to stay.
-- name: events_purge(integer hours, bigint at_most)
delete from events
where id in (
	select e.id
	from (
		select store_id, min(seq) filter (where published_at is null
			or published_at >= statement_timestamp() - make_interval(hours => $1)) as keep_from
		from events
		group by store_id
	) log
	join events e on e.store_id = log.store_id and (log.keep_from is null or e.seq < log.keep_from)
	limit $2
);

-- The age is asked for twice: a key that is taken over meanwhile is young again.
-- name: idempotency_keys_purge(integer hours, bigint at_most)
delete from idempotency_keys
where created_at < statement_timestamp() - make_interval(hours => $1)
	and (store_id, subject, operation, key) in (
		select store_id, subject, operation, key
		from idempotency_keys
		where created_at < statement_timestamp() - make_interval(hours => $1)
		limit $2
	);

-- Hours more than the token's own time, which is read on other clocks.
-- name: revoked_tokens_purge(integer hours, bigint at_most)
delete from revoked_tokens
where jti in (
	select jti from revoked_tokens
	where expires_at < statement_timestamp() - make_interval(hours => $1)
	limit $2
);

-- name: login_failures_purge(integer seconds, bigint at_most)
delete from login_failures
where id in (
	select id from login_failures
	where failed_at < statement_timestamp() - make_interval(secs => $1)
	limit $2
);

-- files: an array of names; those that no store's menu has
-- name: files_unnamed(text[] files)
select unnest($1::text[])
except select image_path from menus
except select thumbnail_path from menus;
