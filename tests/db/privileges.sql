-- Who may do what: the whole matrix, so that a grant too many fails as one too few does.

begin;
select no_plan();

select set_eq(
	$$select rolname::text, rolcanlogin, rolinherit, rolbypassrls, rolsuper or rolcreatedb or rolcreaterole or rolreplication
		from pg_roles where rolname like 'table\_order%'$$,
	$$values ('table_order_owner', true, true, true, false), ('table_order_service', true, false, false, false),
		('table_order_platform', false, false, false, false), ('table_order_dispatcher', true, false, false, false),
		('table_order_relay', true, false, false, false)$$,
	'the roles and their attributes');
select set_eq(
	$$select roleid::regrole::text, member::regrole::text, admin_option from pg_auth_members
		where roleid::regrole::text like 'table\_order%' or member::regrole::text like 'table\_order%'$$,
	$$values ('table_order_platform', 'table_order_service', false)$$,
	'service may become platform, and that is the only membership');

-- What anyone but the owner holds on tables and sequences: "role object privilege" or "role object privilege(columns)".
create temporary view held as
with relations as (
	select oid, relname, relkind, relacl, relowner from pg_class
	where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S', 'v', 'm', 'f')
)
select case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end as role, r.relname::text as object,
	lower(acl.privilege_type) as privilege
from relations r, aclexplode(r.relacl) acl where acl.grantee <> r.relowner
union all
select case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end, r.relname,
	format('%s(%s)', lower(acl.privilege_type), string_agg(a.attname, ',' order by a.attnum))
from relations r join pg_attribute a on a.attrelid = r.oid, aclexplode(a.attacl) acl where acl.grantee <> r.relowner
group by acl.grantee, r.relname, acl.privilege_type;

create temporary table granted (role text, object text, privileges text[]);
insert into granted values
	('service', 'stores', '{select}'),
	('service', 'store_counters', '{select,"update(last_seq,business_date,last_order_number)"}'),
	('service', 'admins', '{"select(id,store_id,username,role,is_active,token_generation,created_at,updated_at)"}'),
	('service', 'dining_tables', '{"select(id,store_id,table_number,is_active,token_generation,deleted_at,created_at,updated_at)",
		"insert(store_id,table_number,password_hash,is_active)",
		"update(table_number,password_hash,is_active,token_generation,deleted_at)"}'),
	('service', 'menu_categories', '{select,insert,delete,"update(name,display_order)"}'),
	('service', 'menus', '{select,insert,delete,
		"update(category_id,name,description,price,image_path,thumbnail_path,is_available,display_order)"}'),
	('service', 'table_sessions', '{select,insert,
		"update(ended_at,archived_orders_count,archived_total_price,payable_total_price,unserved_orders_count)"}'),
	('service', 'orders', '{select,insert,delete,"update(status,status_changed_at,version)"}'),
	('service', 'order_items', '{select,insert,delete}'),
	('service', 'order_history', '{select,insert}'),
	('service', 'order_history_items', '{select,insert}'),
	('service', 'events', '{"insert(store_id,seq,event_type,table_id,table_session_id,actor,occurred_at,payload)"}'),
	('service', 'idempotency_keys', '{select,insert,"update(request_hash,status,location,body,created_at)"}'),
	('service', 'revoked_tokens', '{select,insert}'),
	('service', 'order_lines', '{select}'),
	('service', 'orders_id_seq', '{usage}'),
	('service', 'table_sessions_id_seq', '{usage}'),
	('platform', 'stores', '{select,"insert(id,code,name,currency,time_zone,business_day_start,is_active)",
		"update(code,name,currency,time_zone,business_day_start,is_active)"}'),
	('platform', 'store_counters', '{select,insert,update(last_seq)}'),
	('platform', 'admins', '{select,"insert(store_id,username,password_hash,role,is_active)",
		"update(password_hash,is_active,token_generation)"}'),
	('platform', 'dining_tables', '{select,update(token_generation)}'),
	('platform', 'events', '{"insert(store_id,seq,event_type,table_id,table_session_id,actor,occurred_at,payload)"}'),
	('platform', 'revoked_tokens', '{select,insert}'),
	('platform', 'login_failures', '{select,delete,"insert(account,address,failed_at)",update(account)}'),
	('dispatcher', 'events', '{select,update(published_at)}'),
	('relay', 'events', '{select}'),
	('relay', 'store_counters', '{select}'),
	('relay', 'table_sessions', '{select}'),
	('relay', 'stores', '{"select(id,is_active)"}'),
	('relay', 'admins', '{"select(id,store_id,role,is_active,token_generation)"}'),
	('relay', 'dining_tables', '{"select(id,store_id,table_number,is_active,token_generation,deleted_at)"}'),
	('relay', 'revoked_tokens', '{"select(jti,store_id,expires_at,revoked_at)"}');

select set_eq(
	$$select role || ' ' || object || ' ' || privilege from held$$,
	$$select 'table_order_' || role || ' ' || object || ' ' || unnest(privileges) from granted$$,
	'every privilege on tables and sequences, partitions included, is in the matrix');

select set_eq(
	$$select f.proname::text, case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end
		from pg_proc f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) acl
		where f.pronamespace = 'public'::regnamespace and acl.grantee <> f.proowner$$,
	$$values ('current_store_id', 'table_order_service'), ('business_date', 'table_order_service')$$,
	'functions are for whom they are granted to; maintenance is for the owner');
select is_empty($$select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef$$,
	'no function runs with the rights of its owner');
select is_empty($$select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace
		and c.relowner <> 'table_order_owner'::regrole$$, 'the owner owns all of it');

select set_eq(
	$$select case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end, lower(acl.privilege_type)
		from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) acl
		where d.datname = current_database() and acl.grantee <> d.datdba$$,
	$$values ('table_order_service', 'connect'), ('table_order_dispatcher', 'connect'), ('table_order_relay', 'connect')$$,
	'who may connect');
select set_eq(
	$$select case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end, lower(acl.privilege_type)
		from pg_namespace n, aclexplode(n.nspacl) acl where n.nspname = 'public' and acl.grantee <> n.nspowner$$,
	$$values ('table_order_service', 'usage'), ('table_order_platform', 'usage'), ('table_order_dispatcher', 'usage'),
		('table_order_relay', 'usage')$$,
	'who sees the schema; nobody makes anything in it');
select is_empty($$select rolname from pg_roles where rolname like 'table\_order%' and rolname <> 'table_order_owner'
		and has_schema_privilege(oid, 'sqitch', 'usage')$$, 'sqitch''s registry is the owner''s');

-- A later migration's function is nobody's until it is granted.
set local role table_order_owner;
create function public.later() returns integer language sql return 1;
reset role;
select ok(not has_function_privilege('table_order_service', 'public.later()', 'execute'), 'a new function is not for everyone');

select * from finish();
rollback;
