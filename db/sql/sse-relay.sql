-- The relay's statements, run as table_order_relay.

-- Which of these tokens hold no more: the positions of those, from 1 on.
-- name: relay_fallen(text[] roles, bigint[] ids, bigint[] generations, text[] jtis, uuid[] stores)
select t.n
from unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::uuid[])
	with ordinality as t (role, id, generation, jti, store_id, n)
where exists (select from revoked_tokens r where r.jti = t.jti)
	or not exists (select from stores s where s.id = t.store_id and s.is_active)
	or not case t.role
		when 'table' then exists (select from dining_tables d
			where d.id = t.id and d.store_id = t.store_id and d.token_generation = t.generation and d.is_active
				and d.deleted_at is null)
		when 'store_admin' then exists (select from admins a
			where a.id = t.id and a.store_id = t.store_id and a.token_generation = t.generation and a.is_active
				and a.role = t.role)
		else false
	end;

-- The store's last seq, and whether the log holds all behind the cursor, no more than most.
-- name: relay_position(uuid store_id, bigint? cursor, bigint most)
select c.last_seq, $2::bigint between c.last_seq - $3::bigint and c.last_seq
	and c.last_seq - $2 = (select count(*) from events e where e.store_id = c.store_id and e.seq > $2)
from (select $1::uuid as store_id,
	coalesce((select last_seq from store_counters where store_id = $1::uuid), 0) as last_seq) c;

-- What an admin (no table_id) or a table missed, of that not the orders of a party that has left. Payloads end, with a
-- null, where they would be more bytes than that: no client's cursor decides how much memory an answer takes.
-- name: relay_replay(uuid store_id, bigint? cursor, bigint most, bigint bytes, bigint? table_id)
select case when missed.bytes <= $4 then missed.payload end
from (
	select e.seq, e.payload, octet_length(e.payload::text) as size, sum(octet_length(e.payload::text)) over (order by e.seq) as bytes
	from events e
	where e.store_id = $1 and e.seq > $2
		and $2::bigint between (select last_seq from store_counters where store_id = $1) - $3::bigint
			and (select last_seq from store_counters where store_id = $1)
		and ($5::bigint is null or e.event_type = 'MenuChanged'
			or e.table_id = $5 and (e.event_type = 'TableSessionCompleted'
				or e.event_type like 'Order%' and exists (select from table_sessions s
					where s.store_id = e.store_id and s.id = e.table_session_id and s.ended_at is null)))
) missed
where missed.bytes - missed.size <= $4
order by missed.seq;

-- name: relay_fill(uuid store_id, bigint after, integer most)
select payload from events where store_id = $1 and seq > $2 order by seq limit $3;

-- name: relay_last_seqs(uuid[] stores)
select store_id, last_seq from store_counters where store_id = any ($1);
