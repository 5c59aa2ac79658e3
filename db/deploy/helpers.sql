-- Deploy table-order:helpers to pg

begin;

do $$
begin
	if (select count(*) from pg_roles where rolname in ('table_order_owner', 'table_order_service',
			'table_order_platform', 'table_order_dispatcher', 'table_order_relay')) < 5 then
		raise exception 'the table_order roles are missing: run bootstrap.sql as a superuser first';
	end if;
	if current_user <> 'table_order_owner' then
		raise exception 'migrations run as table_order_owner, not as %', current_user;
	end if;
	if current_setting('server_encoding') <> 'UTF8' then
		raise exception 'the database must be encoded in UTF8, not %', current_setting('server_encoding');
	end if;
	execute format('revoke all on database %I from public', current_database());
	execute format('grant connect on database %I to table_order_service, table_order_dispatcher, table_order_relay',
		current_database());
end
$$;

revoke all on schema public from public;
grant usage on schema public to table_order_service, table_order_platform, table_order_dispatcher, table_order_relay;

-- A function of ours is nobody's until it is granted.
alter default privileges revoke execute on functions from public;

-- The store of the request: null (and so no row) when none is set. After a transaction that set it the setting is ''.
create function current_store_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('app.store_id', true), '')::uuid;

-- The business day that a moment falls into. Day D begins at the moment that D + day_start names in the zone, as
-- PostgreSQL reads it: a time that the clock skips is read with the offset before the change (02:30 becomes 03:30),
-- one that it shows twice is its second showing. So each day has one beginning and the days never go back, which
-- (moment at time zone …) - day_start would do where the clock is set back over day_start.
create function business_date(moment timestamptz, time_zone text, day_start time) returns date
language plpgsql stable strict parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
	-- No change of offset moves a beginning past the end of the next local date.
	day date := (moment at time zone time_zone)::date + 1;
begin
	while (day + day_start) at time zone time_zone > moment loop
		day := day - 1;
	end loop;
	return day;
end
$$;

-- Times are those of the statement. now() is that of BEGIN: with a wait for the counter's lock in between, a row
-- would be older than the one it waited for.
create function touch_updated_at() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	new.updated_at := statement_timestamp();
	return new;
end
$$;

commit;
