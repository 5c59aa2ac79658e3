-- Verify table-order:support on pg

begin;

select id, store_id, seq, event_type, table_id, table_session_id, actor, occurred_at, payload, published_at
from events where false;
select store_id, subject, operation, key, request_hash, status, location, body, created_at from idempotency_keys where false;
select jti, store_id, subject, expires_at, revoked_at from revoked_tokens where false;
select id, account, address, failed_at from login_failures where false;
select 'events_unpublished_idx'::regclass, 'events_published_idx'::regclass, 'idempotency_keys_created_idx'::regclass,
	'revoked_tokens_expires_idx'::regclass, 'login_failures_account_idx'::regclass, 'login_failures_address_idx'::regclass;

rollback;
