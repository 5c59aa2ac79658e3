-- name: categories()
select id, name, display_order from menu_categories where store_id = current_store_id() order by display_order, id;

-- name: menus(bigint? category_id)
select id, category_id, name, description, price, image_path, thumbnail_path, is_available, display_order
from menus
where store_id = current_store_id() and ($1::bigint is null or category_id = $1)
order by display_order, id;

-- name: menus_page(bigint? category_id, bigint page_size, bigint start)
select id, category_id, name, description, price, image_path, thumbnail_path, is_available, display_order
from menus
where store_id = current_store_id() and ($1::bigint is null or category_id = $1)
order by display_order, id limit $2 offset $3;

-- name: menus_count(bigint? category_id)
select count(*) as total from menus
where store_id = current_store_id() and ($1::bigint is null or category_id = $1);

-- name: menu_one(bigint id)
select id, category_id, name, description, price, image_path, thumbnail_path, is_available, display_order
from menus
where store_id = current_store_id() and id = $1;

-- name: menu_insert(bigint category_id, text name, text? description, bigint price, text? image_path, text? thumbnail_path, boolean is_available, bigint display_order)
insert into menus (store_id, category_id, name, description, price, image_path, thumbnail_path, is_available,
	display_order)
values (current_store_id(), $1, $2, $3, $4, $5, $6, $7, $8)
returning id, category_id, name, description, price, image_path, thumbnail_path, is_available, display_order;

-- All fields, as the handler has merged them.
-- name: menu_update(bigint id, bigint category_id, text name, text? description, bigint price, text? image_path, text? thumbnail_path, boolean is_available, bigint display_order)
update menus
set category_id = $2, name = $3, description = $4, price = $5, image_path = $6, thumbnail_path = $7, is_available = $8,
	display_order = $9
where store_id = current_store_id() and id = $1
returning id, category_id, name, description, price, image_path, thumbnail_path, is_available, display_order;

-- name: menu_in_use(bigint id)
select exists (select from order_items where store_id = current_store_id() and menu_id = $1) as in_use;

-- name: menu_delete(bigint id)
delete from menus where store_id = current_store_id() and id = $1;

-- name: menus_reorder(json items)
with changed as (
	update menus m set display_order = i.display_order
	from json_to_recordset($1) as i (id bigint, display_order integer)
	where m.store_id = current_store_id() and m.id = i.id
	returning m.id, m.category_id, m.name, m.description, m.price, m.image_path, m.thumbnail_path, m.is_available,
		m.display_order
)
select * from changed order by display_order, id;

-- name: category_one(bigint id)
select id, name, display_order from menu_categories where store_id = current_store_id() and id = $1;

-- name: category_insert(text name, bigint display_order)
insert into menu_categories (store_id, name, display_order) values (current_store_id(), $1, $2)
returning id, name, display_order;

-- name: category_update(bigint id, text name, bigint display_order)
update menu_categories
set name = $2, display_order = $3
where store_id = current_store_id() and id = $1
returning id, name, display_order;

-- name: category_in_use(bigint id)
select exists (select from menus where store_id = current_store_id() and category_id = $1) as in_use;

-- name: category_delete(bigint id)
delete from menu_categories where store_id = current_store_id() and id = $1;

-- name: categories_reorder(json items)
with changed as (
	update menu_categories c set display_order = i.display_order
	from json_to_recordset($1) as i (id bigint, display_order integer)
	where c.store_id = current_store_id() and c.id = i.id
	returning c.id, c.name, c.display_order
)
select * from changed order by display_order, id;
