-- What holds for every table, asked of the catalogue.

begin;
select no_plan();

select set_eq(
	$$select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition$$,
	$$select unnest('{stores,admins,dining_tables,table_sessions,menu_categories,menus,orders,order_items,order_history,
		order_history_items,events,store_counters,idempotency_keys,revoked_tokens,login_failures}'::text[])$$,
	'ten entities and five support tables');

-- A reference between tenant tables carries the store on both sides; to a store it is the store.
select is_empty($$
	select conname from pg_constraint f
	where contype = 'f' and connamespace = 'public'::regnamespace and conparentid = 0 and not case
		when confrelid = 'stores'::regclass then
			(select array_agg(attname::text) from pg_attribute where attrelid = f.conrelid and attnum = any (f.conkey)) = '{store_id}'
		else exists (
			select from unnest(f.conkey, f.confkey) k(own, other)
			join pg_attribute o on o.attrelid = f.conrelid and o.attnum = k.own and o.attname = 'store_id'
			join pg_attribute r on r.attrelid = f.confrelid and r.attnum = k.other and r.attname = 'store_id')
			and cardinality(f.conkey) >= 2
		end$$, 'every foreign key carries the store');
select is_empty($$
	select a.attrelid::regclass || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
	where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
		and a.attnum > 0 and not a.attisdropped and a.attname like '%\_id' and a.attname <> 'original_order_id'
		and a.attrelid::regclass::text || '.' || a.attname not in ('events.table_id', 'events.table_session_id', 'order_history_items.menu_id')
		and not exists (select from pg_constraint f where f.contype = 'f' and f.conrelid = a.attrelid and a.attnum = any (f.conkey))$$,
	'every id of another table is a foreign key, but for what outlives its origin');
select is_empty($$select conname from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace
		and (confdeltype <> 'a' or confupdtype <> 'a')$$, 'nothing is deleted, emptied or changed by way of a reference');
select is_empty($$
	select conname from pg_constraint f
	where contype = 'f' and connamespace = 'public'::regnamespace and confrelid <> 'stores'::regclass
		and not exists (select from pg_index i where i.indrelid = f.conrelid and i.indpred is null
			and (f.conkey <@ (i.indkey::int2[])[0:cardinality(f.conkey) - 1] or conname like 'order_history_session_fkey%'))$$,
	'every foreign key has an index on its side');

select is_empty($$
	select a.attrelid::regclass from pg_attribute a join pg_class c on c.oid = a.attrelid
	where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'updated_at'
		and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgfoid = 'touch_updated_at'::regproc)$$,
	'every entity''s updated_at is touched');
select is((select count(*) from information_schema.columns where table_schema = 'public' and column_name = 'updated_at'
	and is_nullable = 'NO' and table_name !~ '_(default|y\d{4}m\d\d)$'), 10::bigint, 'ten entities have updated_at');
select is_empty($$select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
		and not coalesce(reloptions @> '{security_invoker=true}', false)$$, 'a view shows what the one who asks may see');
select is_empty($$select table_name, column_name from information_schema.columns
		where table_schema = 'public' and data_type in ('timestamp without time zone', 'real', 'double precision', 'numeric', 'money')$$,
	'no time without a zone, no money but integers');
select set_eq($$select table_name::text || '.' || column_name from information_schema.columns where table_schema = 'public'
		and identity_generation = 'BY DEFAULT'$$, array['orders.id', 'table_sessions.id'], 'ids that the program may draw first');

-- updated_at moves with the statement, not with the transaction: it is never older than what was waited for.
\ir include/fixture.sql
select pg_sleep(0.002) as ignored \gset
update menus set price = price + 1 where id = 1001;
select cmp_ok(updated_at, '>', created_at, 'updated_at is touched') from menus where id = 1001;
select cmp_ok(updated_at, '>', now(), 'by the clock of the statement') from menus where id = 1001;
select is(updated_at, created_at, 'what was not changed was last changed when it was made') from menus where id = 1002;

select * from finish();
rollback;
