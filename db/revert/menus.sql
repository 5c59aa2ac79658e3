-- Revert table-order:menus from pg

begin;

drop table menus;
drop table menu_categories;

commit;
