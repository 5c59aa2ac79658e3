-- Statements of orderctl doctor. The first two run as each role, the others as the owner. None changes anything.

-- name: doctor_session()
select current_user, current_setting('server_version'), current_setting('server_version_num'),
	pg_is_in_recovery(), current_setting('transaction_read_only'), current_setting('timezone');

-- A commit of its own: it reaches the disk, and the standby that is waited for, and no table.
-- name: doctor_commit()
select pg_logical_emit_message(true, 'table-order', 'doctor'), current_setting('fsync'),
	current_setting('synchronous_commit');

-- What is wrong with the roles' attributes, NULL when nothing is.
-- name: doctor_roles(text owner, text service, text dispatcher, text relay)
select string_agg(what, '; ')
from (
	select rolname || ' is a superuser'
	from pg_roles
	where rolsuper and rolname in ($1, $2, $3, $4, 'table_order_platform')
	union all
	select rolname || ' passes by row-level security (BYPASSRLS)'
	from pg_roles
	where rolbypassrls and rolname in ($2, $3, $4, 'table_order_platform')
	union all
	select rolname || ' is bound by row-level security (NOBYPASSRLS)'
	from pg_roles
	where not rolbypassrls and rolname = $1
	union all
	select rolname || ' inherits the rights of roles (INHERIT)'
	from pg_roles
	where rolinherit and rolname = $2
	union all
	select $2 || ' may not become table_order_platform'
	where not pg_has_role($2, 'table_order_platform', 'member')
) wrong(what);

-- How many tables there are, and those without forced row-level security.
-- name: doctor_row_security()
select count(*), string_agg(relname, ', ' order by relname) filter (where not (relrowsecurity and relforcerowsecurity))
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p');

-- What of the plan is not deployed, what is deployed and not in the plan, and the last change.
-- name: doctor_schema(text[] plan)
select (
		select string_agg(p.name, ', ' order by p.place)
		from unnest($1::text[]) with ordinality p(name, place)
		where p.name not in (select change from sqitch.changes where project = 'table-order')
	),
	string_agg(change, ', ' order by committed_at) filter (where change <> all ($1::text[])),
	(array_agg(change order by committed_at desc))[1]
from sqitch.changes
where project = 'table-order';

-- name: doctor_clock()
select extract(epoch from clock_timestamp());

-- name: doctor_connections()
select current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,
	(select count(*) from pg_stat_activity where backend_type = 'client backend');

-- The standbys that are waited for, how many of them that are, how many are connected; how many of those count is
-- shown only to who may see it.
-- name: doctor_standby()
select current_setting('synchronous_standby_names'),
	coalesce(substring(current_setting('synchronous_standby_names') from '(\d+)\s*\(')::integer, 1),
	count(*),
	count(*) filter (where state = 'streaming' and sync_state in ('sync', 'quorum')),
	pg_has_role('pg_read_all_stats', 'usage')
from pg_stat_replication;

-- name: doctor_checksums()
select current_setting('data_checksums');

-- The months, of this one and the three to come, that have no partition, and how many months are there from now on.
-- name: doctor_history_months()
select string_agg(to_char(month, 'YYYY-MM'), ', ' order by month), coalesce(min(ahead), 4)
from (
	select ahead, date_trunc('month', statement_timestamp() at time zone 'UTC') + make_interval(months => ahead)
	from generate_series(0, 3) ahead
) wanted(ahead, month)
where to_regclass(to_char(month, '"public.order_history_y"YYYY"m"MM')) is null
	or to_regclass(to_char(month, '"public.order_history_items_y"YYYY"m"MM')) is null;

-- name: doctor_outbox()
select count(*), coalesce(greatest(extract(epoch from clock_timestamp() - min(occurred_at))::bigint, 0), 0)
from events
where published_at is null;

-- Who holds the dispatcher's lock.
-- name: doctor_dispatcher()
select coalesce(host(a.client_addr), 'this host or a socket of its database')
from pg_locks l
left join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
	and l.database = (select oid from pg_database where datname = current_database())
	and l.classid::bigint << 32 | l.objid::bigint = hashtextextended('table-order outbox', 0);

-- What maintenance would have deleted two days ago, NULL when there is nothing.
-- name: doctor_leftovers(integer event_hours, integer login_seconds)
select string_agg(what, ', ')
from (
	select 'idempotency keys'
	where exists (select from idempotency_keys where created_at < statement_timestamp() - interval '72 hours')
	union all
	select 'revocations'
	where exists (select from revoked_tokens where expires_at < statement_timestamp() - interval '49 hours')
	union all
	select 'failed logins'
	where exists (
		select from login_failures
		where failed_at < statement_timestamp() - make_interval(hours => 48, secs => $2::integer)
	)
	union all
	select 'published events'
	where exists (
		select from events
		where published_at < statement_timestamp() - make_interval(hours => 48 + $1::integer)
	)
) leftover(what);

-- Somebody whose stream may be opened.
-- name: doctor_store_admin()
select a.id, a.store_id, a.token_generation
from admins a
join stores s on s.id = a.store_id
where a.role = 'store_admin' and a.is_active and s.is_active
order by a.id
limit 1;

-- Whether the database is on this host, its process, and its directory where the owner may know it.
-- name: doctor_data_directory()
select inet_server_addr() is not distinct from inet_client_addr(), pg_backend_pid(),
	(select setting from pg_settings where name = 'data_directory'), coalesce(host(inet_server_addr()), '');
