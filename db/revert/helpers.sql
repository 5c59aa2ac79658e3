-- Revert table-order:helpers from pg

begin;

drop function touch_updated_at();
drop function business_date(timestamptz, text, time);
drop function current_store_id();
alter default privileges grant execute on functions to public;
revoke usage on schema public from table_order_service, table_order_platform, table_order_dispatcher, table_order_relay;
grant usage on schema public to public;

do $$
begin
	execute format('revoke connect on database %I from table_order_service, table_order_dispatcher, table_order_relay',
		current_database());
	execute format('grant connect, temporary on database %I to public', current_database());
end
$$;

commit;
