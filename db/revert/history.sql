-- Revert table-order:history from pg

begin;

drop function history_sessions_delete(integer, integer);
drop function history_partitions_drop(integer);
drop function history_partitions_ensure(integer);
drop table order_history_items;
drop table order_history;

commit;
