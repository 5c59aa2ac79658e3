-- Deploy table-order:support to pg
-- requires: stores

begin;

-- Log and outbox in one. It outlives what it tells of, so it refers to the store only.
create table events (
	id bigint not null generated always as identity,
	store_id uuid not null,
	seq bigint not null,
	event_type text not null,
	table_id bigint,
	table_session_id bigint,
	actor text,
	occurred_at timestamptz not null default statement_timestamp(),
	payload json not null,
	published_at timestamptz,
	constraint events_pkey primary key (id),
	constraint events_seq_key unique (store_id, seq),
	constraint events_store_fkey foreign key (store_id) references stores (id),
	constraint events_seq_check check (seq >= 1),
	constraint events_event_type_check check (event_type in ('OrderCreated', 'OrderDeleted', 'OrderStatusChanged',
		'TableSessionCompleted', 'MenuChanged', 'AccountRevoked')),
	constraint events_actor_check check (char_length(actor) between 1 and 100)
);

-- The dispatcher polls this many times a second; it holds only what is not yet published.
create index events_unpublished_idx on events (id) where published_at is null;
-- Rows lie about in the order of publishing, and the purge runs once a night: a block range index is enough.
create index events_published_idx on events using brin (published_at) with (pages_per_range = 16);

create table idempotency_keys (
	store_id uuid not null,
	subject text not null,
	operation text not null,
	key text not null,
	request_hash bytea not null,
	status integer not null,
	location text,
	body text not null,
	created_at timestamptz not null default statement_timestamp(),
	constraint idempotency_keys_pkey primary key (store_id, subject, operation, key),
	constraint idempotency_keys_store_fkey foreign key (store_id) references stores (id),
	constraint idempotency_keys_subject_check check (char_length(subject) between 1 and 100),
	constraint idempotency_keys_operation_check check (char_length(operation) between 1 and 200),
	constraint idempotency_keys_key_check check (key ~ '^[!-~]{1,128}$'),
	constraint idempotency_keys_request_hash_check check (octet_length(request_hash) = 32),
	constraint idempotency_keys_status_check check (status between 200 and 299)
);

create index idempotency_keys_created_idx on idempotency_keys (created_at);

create table revoked_tokens (
	jti text not null,
	store_id uuid,
	subject text not null,
	expires_at timestamptz not null,
	revoked_at timestamptz not null default statement_timestamp(),
	constraint revoked_tokens_pkey primary key (jti),
	constraint revoked_tokens_store_fkey foreign key (store_id) references stores (id),
	constraint revoked_tokens_jti_check check (char_length(jti) between 1 and 128),
	constraint revoked_tokens_subject_check check (char_length(subject) between 1 and 100)
);

create index revoked_tokens_expires_idx on revoked_tokens (expires_at);
create index revoked_tokens_store_idx on revoked_tokens (store_id, revoked_at);

-- Accounts as the caller named them, known or not; null once a success has cleared them, when the row counts for the
-- address alone.
create table login_failures (
	id bigint not null generated always as identity,
	account text,
	address inet not null,
	failed_at timestamptz not null default statement_timestamp(),
	constraint login_failures_pkey primary key (id),
	constraint login_failures_account_check check (octet_length(account) between 1 and 1024)
);

create index login_failures_account_idx on login_failures (account, failed_at) where account is not null;
create index login_failures_address_idx on login_failures (address, failed_at);
create index login_failures_failed_idx on login_failures (failed_at);

commit;
