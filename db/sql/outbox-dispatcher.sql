-- The dispatcher's statements, run as table_order_dispatcher.

-- A dispatcher whose host lost power must not hold the lock until TCP gives up; one that hangs is cut off, too.
-- A mark that is lost costs a second publish of its event, so marks do not wait for the standby.
-- name: outbox_session()
select set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
	set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '10s', false),
	set_config('idle_session_timeout', '15s', false), set_config('synchronous_commit', 'local', false);

-- name: outbox_lock()
select pg_try_advisory_lock(hashtextextended('table-order outbox', 0));

-- name: outbox_unlock()
select pg_advisory_unlock(hashtextextended('table-order outbox', 0));

-- Ids of one store ascend as its seq does, for both are taken under its counter's lock. Those of two stores may commit
-- in any order: what is unpublished is asked for, not what lies behind the last id.
-- name: outbox_read(integer most)
select id, store_id, seq, event_type, payload
from events
where published_at is null
order by id
limit $1;

-- name: outbox_mark(bigint[] ids)
update events set published_at = clock_timestamp() where id = any ($1) and published_at is null;

-- name: outbox_backlog()
select count(*), coalesce(greatest(extract(epoch from clock_timestamp() - min(occurred_at))::bigint, 0), 0)
from events
where published_at is null;
