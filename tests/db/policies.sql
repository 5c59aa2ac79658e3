-- Row-level security: what each role sees and writes, whatever it was granted.

begin;
select no_plan();

-- Before anything has set the store in this session. (Later the setting is '', which is another case.)
set local role table_order_service;
select is(current_setting('app.store_id', true), null, 'no store was ever set in this session');
select is((select count(*) from stores), 0::bigint, 'and so the service sees no store');
select is((select count(*) from orders), 0::bigint, 'and no order');
reset role;

\ir include/fixture.sql

select is_empty($$select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
		and not (relrowsecurity and relforcerowsecurity)$$, 'every table and partition has row-level security, forced');
select set_eq(
	$$select tablename::text || ' ' || array_to_string(roles, ',') || ' ' || lower(cmd) || ' ' || coalesce(qual, '') || '/'
		|| coalesce(with_check, '') from pg_policies where schemaname = 'public'$$,
	$$select t || ' table_order_service all (' || case t when 'stores' then 'id' else 'store_id' end || ' = current_store_id())/'
		from unnest('{stores,store_counters,admins,dining_tables,menu_categories,menus,table_sessions,orders,order_items,
			order_history,order_history_items,events,idempotency_keys,revoked_tokens}'::text[]) t
	union all select t || ' table_order_platform all true/'
		from unnest('{stores,store_counters,admins,dining_tables,revoked_tokens,login_failures}'::text[]) t
	union all select 'events table_order_platform insert /true'
	union all select 'events table_order_dispatcher ' || c || ' true/' from unnest('{select,update}'::text[]) c
	union all select t || ' table_order_relay select true/'
		from unnest('{events,store_counters,table_sessions,stores,admins,dining_tables,revoked_tokens}'::text[]) t$$,
	'every policy, and no other');

-- With every privilege there is, so that only the policies stand in the way: for each tenant table of the catalogue.
grant all on all tables in schema public to table_order_service, table_order_platform, table_order_dispatcher, table_order_relay;

create function pg_temp.tenancy(t name) returns setof text
language plpgsql as $$
declare
	a constant text := '00000000-0000-0000-0000-00000000000a';
	b constant text := '00000000-0000-0000-0000-00000000000b';
	s constant name := 'table_order_service';
	k name := case t when 'stores' then 'id' else 'store_id' end;
	of_a text;
	of_b text;
begin
	execute format('select x::text from %I x where %I = %L limit 1', t, k, a) into of_a;
	execute format('select x::text from %I x where %I = %L limit 1', t, k, b) into of_b;
	return next ok(of_a is not null and of_b is not null, t || ': the fixture has a row of both stores');
	return next ok(pg_temp.outcome(s, a, format('select count(*) from %I', t))::bigint > 0, t || ': service reads its store');
	return next is(pg_temp.outcome(s, a, format('select count(*) from %I where %I is distinct from %L', t, k, a)), '0',
		t || ': service reads no other store, and nothing that is of none');
	return next is(pg_temp.outcome(s, a, format('insert into %I overriding system value select (%L::%I).*', t, of_b, t)), '42501',
		t || ': service inserts nothing into another store');
	return next is(pg_temp.outcome(s, a, format('update %I set %I = %I where %I = %L', t, k, k, k, b)), '0',
		t || ': service updates nothing of another store');
	return next is(pg_temp.outcome(s, a, format('update %I set %I = %L', t, k, b)), '42501',
		t || ': service moves nothing to another store');
	return next is(pg_temp.outcome(s, a, format('delete from %I where %I = %L', t, k, b)), '0',
		t || ': service deletes nothing of another store');
	return next is(pg_temp.outcome(s, null, format('select count(*) from %I', t)), '0', t || ': without a store service reads nothing');
	return next is(pg_temp.outcome(s, null, format('insert into %I overriding system value select (%L::%I).*', t, of_a, t)), '42501',
		t || ': without a store service inserts nothing');
	return next is(pg_temp.outcome(s, null, format('update %I set %I = %I', t, k, k)), '0', t || ': without a store service updates nothing');
	return next is(pg_temp.outcome(s, null, format('delete from %I', t)), '0', t || ': without a store service deletes nothing');
	return next is(pg_temp.outcome(s, gen_random_uuid()::text, format('select count(*) from %I', t)), '0',
		t || ': in a store that does not exist service reads nothing');
	return next is(pg_temp.outcome(s, 'x''; --', format('select count(*) from %I', t)), '22P02', t || ': a store that is no uuid is an error');
end
$$;

select pg_temp.tenancy(relname) from (
	select relname from pg_class c
	where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
		and (c.relname = 'stores' or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'store_id'))
	order by relname) tenant;

select set_eq($$select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
		and not relispartition and relname <> 'stores'
		and not exists (select from pg_attribute a where a.attrelid = pg_class.oid and a.attname = 'store_id')$$,
	$$values ('login_failures')$$, 'only login_failures is of no store');

-- Which tables a role's policies let it see at all.
create function pg_temp.seen(role name) returns setof text
language sql as $$
	select relname::text from pg_class
	where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
		and pg_temp.outcome(role, '00000000-0000-0000-0000-00000000000a', format('select count(*) from %I', relname)) <> '0'
$$;
create function pg_temp.changed(role name) returns setof text
language sql as $$
	select relname::text from pg_class
	where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
		and pg_temp.outcome(role, '00000000-0000-0000-0000-00000000000a', format('update %I set %I = %2$I', relname,
			(select attname from pg_attribute where attrelid = pg_class.oid and attnum > 0 and attidentity = '' order by attnum limit 1)))
		<> '0'
$$;
create function pg_temp.deleted(role name) returns setof text
language sql as $$
	select relname::text from pg_class
	where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
		and pg_temp.outcome(role, '00000000-0000-0000-0000-00000000000a', format('delete from %I', relname)) <> '0'
$$;

\set platform '{stores,store_counters,admins,dining_tables,revoked_tokens,login_failures}'
\set relay '{stores,store_counters,admins,dining_tables,revoked_tokens,events,table_sessions}'
select set_eq($$select pg_temp.seen('table_order_platform')$$, :'platform'::text[], 'platform sees accounts, never menus, orders, history');
select set_eq($$select pg_temp.changed('table_order_platform')$$, :'platform'::text[], 'and changes no more');
select set_eq($$select pg_temp.seen('table_order_dispatcher')$$, array['events'], 'dispatcher sees events');
select set_eq($$select pg_temp.changed('table_order_dispatcher')$$, array['events'], 'and changes no more');
select set_eq($$select pg_temp.deleted('table_order_dispatcher')$$, array[]::text[], 'and deletes nothing');
select set_eq($$select pg_temp.seen('table_order_relay')$$, :'relay'::text[], 'relay sees what streams need');
select set_eq($$select pg_temp.changed('table_order_relay')$$, array[]::text[], 'and changes nothing');
select set_eq($$select pg_temp.deleted('table_order_relay')$$, array[]::text[], 'and deletes nothing');
select is(pg_temp.outcome('table_order_service', :'a', 'select count(*) from login_failures'), '0', 'service sees no login failures');
select is(pg_temp.outcome('table_order_platform', null, 'select count(distinct store_id) from dining_tables where store_id in ('
	|| quote_literal(:'a') || ',' || quote_literal(:'b') || ')'), '2', 'platform sees all stores, with none set');

-- A partition named directly passes by its parent's policies: it has to be closed itself.
select is(pg_temp.outcome(role, :'a', format('select count(*) from %I', relname)), '0', relname || ' shows nothing to ' || role)
from pg_class, unnest(array['table_order_service', 'table_order_platform', 'table_order_dispatcher', 'table_order_relay']) role
where relnamespace = 'public'::regnamespace and relispartition and relkind = 'r'
order by relname, role;

select * from finish();
rollback;
