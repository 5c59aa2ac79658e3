-- Deploy table-order:history to pg
-- requires: orders

begin;

-- Partitioned by the month (UTC) of archived_at, so that retention drops whole months. A partitioned table is referenced
-- with its partition key, hence archived_at in the items.
create table order_history (
	id bigint not null generated always as identity,
	store_id uuid not null,
	table_id bigint not null,
	table_session_id bigint not null,
	original_order_id bigint not null,
	order_number integer not null,
	business_date date not null,
	status text not null,
	total_price bigint not null,
	note text,
	order_created_at timestamptz not null,
	archived_at timestamptz not null,
	created_at timestamptz not null default statement_timestamp(),
	updated_at timestamptz not null default statement_timestamp(),
	constraint order_history_pkey primary key (store_id, id, archived_at),
	constraint order_history_session_fkey foreign key (store_id, table_id, table_session_id)
		references table_sessions (store_id, table_id, id),
	constraint order_history_order_number_check check (order_number >= 1),
	constraint order_history_status_check check (status in ('pending', 'preparing', 'ready', 'served', 'cancelled')),
	constraint order_history_total_price_check check (total_price >= 1),
	constraint order_history_note_check check (char_length(note) <= 200)
) partition by range (archived_at);

-- Newest first, read backwards; (store, business date, number) is one order.
create index order_history_store_idx on order_history (store_id, business_date, order_number);
create index order_history_table_idx on order_history (store_id, table_id, business_date, order_number);
-- For the foreign key, when retention deletes a session.
create index order_history_session_idx on order_history (table_session_id);
create trigger order_history_touch before update on order_history for each row execute function touch_updated_at();

create table order_history_items (
	id bigint not null generated always as identity,
	store_id uuid not null,
	order_history_id bigint not null,
	archived_at timestamptz not null,
	menu_id bigint not null,
	menu_name text not null,
	quantity integer not null,
	unit_price bigint not null,
	subtotal bigint not null,
	created_at timestamptz not null default statement_timestamp(),
	updated_at timestamptz not null default statement_timestamp(),
	constraint order_history_items_pkey primary key (store_id, order_history_id, archived_at, id),
	constraint order_history_items_order_fkey foreign key (store_id, order_history_id, archived_at)
		references order_history (store_id, id, archived_at),
	constraint order_history_items_menu_name_check check (char_length(menu_name) between 1 and 100),
	constraint order_history_items_quantity_check check (quantity between 1 and 100),
	constraint order_history_items_unit_price_check check (unit_price between 1 and 1000000000),
	constraint order_history_items_subtotal_check check (subtotal = quantity * unit_price)
) partition by range (archived_at);

create trigger order_history_items_touch before update on order_history_items
	for each row execute function touch_updated_at();

-- The default partitions are empty as long as maintenance runs. When it has not run for months, completing a session
-- still works at 3 a.m.; the next history_partitions_ensure() moves the rows to their months.
create table order_history_default partition of order_history default;
create table order_history_items_default partition of order_history_items default;

-- A policy binds the table that a statement names: one that named a partition would pass by its parent's policy.
-- Partitions are granted to nobody, and locked besides.
alter table order_history_default enable row level security, force row level security;
alter table order_history_items_default enable row level security, force row level security;

-- Makes the partitions of this month (UTC), of the months_ahead months after it, and of every month that has rows in the
-- default partition, which it moves. Returns the number of months made. For the owner.
create function history_partitions_ensure(months_ahead integer) returns integer
language plpgsql
set search_path = public, pg_temp
set timezone = 'UTC'
set lock_timeout = '10s'
as $$
declare
	this_month date := date_trunc('month', statement_timestamp());
	month date;
	made integer := 0;
	item_columns text;
	order_columns text;
begin
	if months_ahead is null or months_ahead not between 0 and 120 then
		raise exception 'months_ahead must be 0 to 120, not %', months_ahead using errcode = 'invalid_parameter_value';
	end if;
	-- One at a time, and no row may reach a default partition between the look and the move. A partition's foreign key
	-- locks table_sessions too: all in the order of a completion, or the two would wait for each other.
	lock table table_sessions, order_history, order_history_items in share row exclusive mode;
	for month in
		select (this_month + make_interval(months => ahead))::date from generate_series(0, months_ahead) ahead
		union
		select distinct date_trunc('month', archived_at)::date from order_history_default
		order by 1
	loop
		continue when to_regclass(format('public.order_history_y%sm%s', to_char(month, 'YYYY'), to_char(month, 'MM')))
			is not null;
		create temporary table moved_orders on commit drop as
			select * from order_history_default
			where archived_at >= month and archived_at < month + interval '1 month';
		create temporary table moved_items on commit drop as
			select * from order_history_items_default
			where archived_at >= month and archived_at < month + interval '1 month';
		delete from order_history_items_default where archived_at >= month and archived_at < month + interval '1 month';
		delete from order_history_default where archived_at >= month and archived_at < month + interval '1 month';
		execute format('create table %I partition of order_history for values from (%L) to (%L)',
			to_char(month, '"order_history_y"YYYY"m"MM'), month::timestamptz,
			(month + interval '1 month')::timestamptz);
		execute format('create table %I partition of order_history_items for values from (%L) to (%L)',
			to_char(month, '"order_history_items_y"YYYY"m"MM'), month::timestamptz,
			(month + interval '1 month')::timestamptz);
		execute format('alter table %I enable row level security, force row level security',
			to_char(month, '"order_history_y"YYYY"m"MM'));
		execute format('alter table %I enable row level security, force row level security',
			to_char(month, '"order_history_items_y"YYYY"m"MM'));
		insert into order_history overriding system value select * from moved_orders;
		insert into order_history_items overriding system value select * from moved_items;
		drop table moved_orders, moved_items;
		made := made + 1;
	end loop;
	return made;
end
$$;

-- Drops the months (UTC) that ended keep_months whole months ago or earlier, items first, since a referenced partition
-- cannot go. Returns their number. 0 keeps all. For the owner.
create function history_partitions_drop(keep_months integer) returns integer
language plpgsql
set search_path = public, pg_temp
set timezone = 'UTC'
set lock_timeout = '10s'
as $$
declare
	keep_from timestamptz := date_trunc('month', statement_timestamp()) - make_interval(months => keep_months);
	partition text;
	dropped integer := 0;
begin
	if keep_months is null or keep_months not between 0 and 1200 then
		raise exception 'keep_months must be 0 to 1200, not %', keep_months using errcode = 'invalid_parameter_value';
	end if;
	if keep_months = 0 then
		return 0;
	end if;
	-- In the order of a completion, as above; table_sessions because detaching moves a foreign key's triggers.
	lock table table_sessions, order_history, order_history_items in access exclusive mode;
	for partition in
		select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = 'order_history'::regclass and c.relname ~ '^order_history_y\d{4}m\d{2}$'
			and to_date(c.relname, '"order_history_y"YYYY"m"MM') + interval '1 month' <= keep_from
		order by 1
	loop
		execute format('drop table %I', replace(partition, 'order_history_', 'order_history_items_'));
		execute format('alter table order_history detach partition %I', partition);
		execute format('drop table %I', partition);
		dropped := dropped + 1;
	end loop;
	return dropped;
end
$$;

-- Deletes at most so many sessions that ended before the months that history_partitions_drop() keeps, where nothing
-- refers to them any more. Returns their number: call it until that is 0, each call in a transaction of its own, since
-- orders wait while partitions are dropped and must not wait for this. 0 months keeps all. For the owner.
create function history_sessions_delete(keep_months integer, at_most integer) returns integer
language plpgsql
set search_path = public, pg_temp
set timezone = 'UTC'
set lock_timeout = '10s'
as $$
declare
	keep_from timestamptz := date_trunc('month', statement_timestamp()) - make_interval(months => keep_months);
	deleted integer;
begin
	if keep_months is null or keep_months not between 0 and 1200 then
		raise exception 'keep_months must be 0 to 1200, not %', keep_months using errcode = 'invalid_parameter_value';
	end if;
	if keep_months = 0 then
		return 0;
	end if;
	delete from table_sessions
	where id in (
		select s.id from table_sessions s
		where s.ended_at < keep_from
			and not exists (select from order_history h where h.table_session_id = s.id)
			and not exists (select from orders o where o.store_id = s.store_id and o.table_id = s.table_id
				and o.table_session_id = s.id)
		limit at_most);
	get diagnostics deleted = row_count;
	return deleted;
end
$$;

do $$ begin perform history_partitions_ensure(3); end $$;

commit;
