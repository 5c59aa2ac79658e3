-- Revert table-order:orders from pg

begin;

drop table order_items;
drop table orders;
drop table table_sessions;

commit;
