-- The five roles of table-order. Run once per cluster by a superuser, with psql; running it again is harmless:
--
--   psql -X -v ON_ERROR_STOP=1 [-v owner_password=…] [-v service_password=…] [-v dispatcher_password=…]
--        [-v relay_password=…] -f bootstrap.sql
--   createdb -O table_order_owner -T template0 -E UTF8 --locale=C.UTF-8 table_order
--
-- A password that is not given is left as it is. The schema itself is sqitch's work, as table_order_owner.

\set ON_ERROR_STOP on

begin;
set local client_min_messages = warning;

-- Two runs at once would both find a role missing.
do $$ begin perform pg_advisory_xact_lock(hashtext('table_order bootstrap')); end $$;

select format('create role %I', name)
from unnest(array['table_order_owner', 'table_order_service', 'table_order_platform', 'table_order_dispatcher',
	'table_order_relay']) name
where not exists (select from pg_roles where rolname = name)
\gexec

-- Without bypassrls the backfills of a migration would touch no row under forced row-level security, and not say so.
alter role table_order_owner login inherit bypassrls nosuperuser nocreatedb nocreaterole noreplication;

-- noinherit: an inherited membership would apply the platform's policies, which see all stores, to every request.
alter role table_order_service login noinherit nobypassrls nosuperuser nocreatedb nocreaterole noreplication;
alter role table_order_platform nologin noinherit nobypassrls nosuperuser nocreatedb nocreaterole noreplication;
alter role table_order_dispatcher login noinherit nobypassrls nosuperuser nocreatedb nocreaterole noreplication;
alter role table_order_relay login noinherit nobypassrls nosuperuser nocreatedb nocreaterole noreplication;

-- The grant comes after noinherit: from PostgreSQL 16 on a membership keeps what the member was when it was granted.
grant table_order_platform to table_order_service;

alter role table_order_owner set timezone = 'UTC';
alter role table_order_service set timezone = 'UTC';
alter role table_order_dispatcher set timezone = 'UTC';
alter role table_order_relay set timezone = 'UTC';

-- A second sender of an idempotency key waits on the counter row this long, then hears 503.
alter role table_order_service set lock_timeout = '10s';
alter role table_order_service set statement_timeout = '30s';
-- A program frozen in the middle of a transaction would hold its store's counter, and so the store.
alter role table_order_service set idle_in_transaction_session_timeout = '30s';
alter role table_order_relay set statement_timeout = '30s';
alter role table_order_relay set idle_in_transaction_session_timeout = '30s';
alter role table_order_dispatcher set statement_timeout = '30s';
alter role table_order_dispatcher set idle_in_transaction_session_timeout = '30s';

-- A dispatcher whose host lost power would keep its advisory lock until TCP gives up, two hours by default.
alter role table_order_dispatcher set tcp_keepalives_idle = 5;
alter role table_order_dispatcher set tcp_keepalives_interval = 2;
alter role table_order_dispatcher set tcp_keepalives_count = 3;
alter role table_order_dispatcher set tcp_user_timeout = '10s';

\if :{?owner_password}
alter role table_order_owner password :'owner_password';
\endif
\if :{?service_password}
alter role table_order_service password :'service_password';
\endif
\if :{?dispatcher_password}
alter role table_order_dispatcher password :'dispatcher_password';
\endif
\if :{?relay_password}
alter role table_order_relay password :'relay_password';
\endif

commit;
