-- As a program lives it: a login of the service, then the platform for one transaction.
begin;
select no_plan();
\ir include/fixture.sql
set session authorization table_order_service;
select is(current_user::text, 'table_order_service', 'a session of the service');
select is((select count(*) from stores), 0::bigint, 'sees no store: the platform''s policies are not inherited');
select throws_ok('select password_hash from admins', '42501', null, 'cannot read password hashes');
select set_config('app.store_id', :'a', true) as ignored \gset
select is((select array_agg(code) from stores), array['store-a'], 'sees its own store');
select is((select count(*) from admins), 1::bigint, 'its admins, and no super admin');
select is((select array_agg(jti) from revoked_tokens), array['jti-a'], 'its revoked tokens');
select throws_ok('select count(*) from order_history_default', '42501', null, 'cannot name a partition');
select throws_ok('select history_partitions_drop(1)', '42501', null, 'cannot run maintenance');
select throws_ok('set local role table_order_owner', '42501', null, 'cannot become the owner');
select throws_ok('set local role table_order_dispatcher', '42501', null, 'cannot become the dispatcher');
set local role table_order_platform;
select is((select count(*) from stores where code in ('store-a', 'store-b')), 2::bigint, 'as platform: sees all stores');
select is((select count(password_hash) from admins where username in ('admin-a', 'admin-b', 'super')), 3::bigint, 'and password hashes');
select throws_ok('select count(*) from menus', '42501', null, 'but no menus');
select throws_ok('select count(*) from orders', '42501', null, 'no orders');
select throws_ok('select count(*) from order_history', '42501', null, 'no history');
select throws_ok('select count(*) from events', '42501', null, 'no events');
select lives_ok($$select last_seq from store_counters where store_id = '00000000-0000-0000-0000-00000000000b' for update$$,
	'locks a counter');
select lives_ok($$update store_counters set last_seq = last_seq + 1 where store_id = '00000000-0000-0000-0000-00000000000b'$$,
	'takes its next number');
select lives_ok($$insert into events (store_id, seq, event_type, payload)
	values ('00000000-0000-0000-0000-00000000000b', 2, 'AccountRevoked', '{}')$$, 'adds an event');
select lives_ok($$with s as (insert into stores (code, name) values ('store-c', 'C') returning id)
	insert into store_counters (store_id) select id from s$$, 'creates a store with its counter');
select throws_ok('delete from stores', '42501', null, 'deletes no store');
set local role none;
select is((select array_agg(code) from stores), array['store-a'], 'and is the service of its store again');
reset session authorization;
select * from finish();
rollback;
