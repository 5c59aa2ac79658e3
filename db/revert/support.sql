-- Revert table-order:support from pg

begin;

drop table login_failures;
drop table revoked_tokens;
drop table idempotency_keys;
drop table events;

commit;
