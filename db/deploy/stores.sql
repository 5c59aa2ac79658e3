-- Deploy table-order:stores to pg
-- requires: helpers

begin;

create table stores (
	id uuid not null default gen_random_uuid(),
	code text not null,
	name text not null,
	currency text not null default 'KRW',
	time_zone text not null default 'Asia/Seoul',
	business_day_start time not null default '05:00',
	is_active boolean not null default true,
	created_at timestamptz not null default statement_timestamp(),
	updated_at timestamptz not null default statement_timestamp(),
	constraint stores_pkey primary key (id),
	constraint stores_code_check check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'),
	constraint stores_name_check check (char_length(name) between 1 and 100),
	constraint stores_currency_check check (currency ~ '^[A-Z]{3}$'),
	-- 24:00 is a time to PostgreSQL.
	constraint stores_business_day_start_check check (business_day_start < '24:00')
);

-- People type the code on a tablet.
create unique index stores_code_key on stores (lower(code));

-- A trigger, because a check must not read a view: and the view, because AT TIME ZONE takes POSIX strings too, so that
-- any word with a number ("Soul9") would pass.
create function stores_time_zone_check() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if not exists (select from pg_timezone_names where name = new.time_zone
			and name !~ '^(posix|right)/' and name not in ('posixrules', 'localtime', 'Factory')) then
		raise exception 'unknown time zone "%"', new.time_zone
			using errcode = 'check_violation', schema = 'public', table = 'stores', column = 'time_zone',
			constraint = 'stores_time_zone_check';
	end if;
	return new;
end
$$;

create trigger stores_time_zone_insert before insert on stores
	for each row execute function stores_time_zone_check();
create trigger stores_time_zone_update before update on stores
	for each row when (new.time_zone is distinct from old.time_zone) execute function stores_time_zone_check();
create trigger stores_touch before update on stores for each row execute function touch_updated_at();

-- One row per store, locked first by every transaction that emits an event. It is updated at every event: the free
-- space keeps those updates in their page.
create table store_counters (
	store_id uuid not null,
	last_seq bigint not null default 0,
	business_date date,
	last_order_number integer not null default 0,
	constraint store_counters_pkey primary key (store_id),
	constraint store_counters_store_fkey foreign key (store_id) references stores (id),
	constraint store_counters_last_seq_check check (last_seq >= 0),
	constraint store_counters_last_order_number_check check (last_order_number >= 0),
	constraint store_counters_business_date_check check (business_date is not null or last_order_number = 0)
) with (fillfactor = 20);

create table admins (
	id bigint not null generated always as identity,
	store_id uuid,
	username text not null,
	password_hash text not null,
	role text not null,
	is_active boolean not null default true,
	token_generation integer not null default 0,
	created_at timestamptz not null default statement_timestamp(),
	updated_at timestamptz not null default statement_timestamp(),
	constraint admins_pkey primary key (id),
	constraint admins_store_fkey foreign key (store_id) references stores (id),
	constraint admins_username_check check (char_length(username) between 1 and 100),
	-- A damaged setting makes crypt() fall back to DES, silently.
	constraint admins_password_hash_check check (password_hash ~ '^\$2b\$[0-9]{2}\$[./A-Za-z0-9]{53}$'),
	constraint admins_role_check check (role in ('store_admin', 'super_admin')),
	constraint admins_role_store_check check ((role = 'store_admin') = (store_id is not null)),
	constraint admins_token_generation_check check (token_generation >= 0)
);

create unique index admins_username_key on admins (lower(username));
create index admins_store_idx on admins (store_id);
create trigger admins_touch before update on admins for each row execute function touch_updated_at();

create table dining_tables (
	id bigint not null generated always as identity,
	store_id uuid not null,
	table_number text not null,
	password_hash text not null,
	is_active boolean not null default true,
	token_generation integer not null default 0,
	deleted_at timestamptz,
	created_at timestamptz not null default statement_timestamp(),
	updated_at timestamptz not null default statement_timestamp(),
	constraint dining_tables_pkey primary key (id),
	constraint dining_tables_store_id_key unique (store_id, id),
	constraint dining_tables_store_fkey foreign key (store_id) references stores (id),
	constraint dining_tables_table_number_check check (char_length(table_number) between 1 and 20
		and table_number = btrim(table_number) and table_number !~ '[[:cntrl:]]'),
	constraint dining_tables_password_hash_check check (password_hash ~ '^\$2b\$[0-9]{2}\$[./A-Za-z0-9]{53}$'),
	constraint dining_tables_token_generation_check check (token_generation >= 0)
);

create unique index dining_tables_number_key on dining_tables (store_id, table_number) where deleted_at is null;
create trigger dining_tables_touch before update on dining_tables for each row execute function touch_updated_at();

commit;
