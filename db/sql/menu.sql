-- name: categories()
select id, name, display_order from menu_categories where store_id = current_store_id() order by display_order, id;

-- name: menus(bigint? category_id)
select id, category_id, name, description, price, image_path, thumbnail_path, is_available, display_order
from menus
where store_id = current_store_id() and ($1::bigint is null or category_id = $1)
order by display_order, id;

-- name: menu_one(bigint id)
select id, category_id, name, description, price, image_path, thumbnail_path, is_available, display_order
from menus
where store_id = current_store_id() and id = $1;
