-- Statements of orderctl, run as the owner, who passes by row-level security.

-- name: migration_try_lock()
select pg_try_advisory_lock(7547406302);

-- name: migration_lock()
select pg_advisory_lock(7547406302);

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
