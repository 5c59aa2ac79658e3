-- Verify table-order:menus on pg

begin;

select id, store_id, name, display_order, created_at, updated_at from menu_categories where false;
select id, store_id, category_id, name, description, price, image_path, thumbnail_path, is_available, display_order,
	created_at, updated_at
from menus where false;
select 'menus_category_idx'::regclass;
select 1 / (count(*) = 2)::int from pg_trigger where tgname in ('menu_categories_touch', 'menus_touch');

rollback;
