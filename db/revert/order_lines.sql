-- Revert table-order:order_lines from pg

begin;

drop view order_lines;

commit;
