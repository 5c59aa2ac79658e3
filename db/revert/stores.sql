-- Revert table-order:stores from pg

begin;

drop table dining_tables;
drop table admins;
drop table store_counters;
drop table stores;
drop function stores_time_zone_check();

commit;
