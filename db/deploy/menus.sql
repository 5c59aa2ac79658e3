-- Deploy table-order:menus to pg
-- requires: stores

begin;

create table menu_categories (
	id bigint not null generated always as identity,
	store_id uuid not null,
	name text not null,
	display_order integer not null default 0,
	created_at timestamptz not null default statement_timestamp(),
	updated_at timestamptz not null default statement_timestamp(),
	constraint menu_categories_pkey primary key (id),
	constraint menu_categories_store_id_key unique (store_id, id),
	constraint menu_categories_name_key unique (store_id, name),
	constraint menu_categories_store_fkey foreign key (store_id) references stores (id),
	constraint menu_categories_name_check check (char_length(name) between 1 and 100),
	constraint menu_categories_display_order_check check (display_order >= 0)
);

create trigger menu_categories_touch before update on menu_categories
	for each row execute function touch_updated_at();

create table menus (
	id bigint not null generated always as identity,
	store_id uuid not null,
	category_id bigint not null,
	name text not null,
	description text,
	price bigint not null,
	image_path text,
	thumbnail_path text,
	is_available boolean not null default true,
	display_order integer not null default 0,
	created_at timestamptz not null default statement_timestamp(),
	updated_at timestamptz not null default statement_timestamp(),
	constraint menus_pkey primary key (id),
	constraint menus_store_id_key unique (store_id, id),
	constraint menus_category_fkey foreign key (store_id, category_id) references menu_categories (store_id, id),
	constraint menus_name_check check (char_length(name) between 1 and 100),
	constraint menus_description_check check (char_length(description) <= 2000),
	constraint menus_price_check check (price between 1 and 1000000000),
	constraint menus_image_check check ((image_path is null) = (thumbnail_path is null)
		and char_length(image_path) between 1 and 255 and char_length(thumbnail_path) between 1 and 255),
	constraint menus_display_order_check check (display_order >= 0)
);

-- Serves the foreign key, a category's menus in their order, and all menus of a store.
create index menus_category_idx on menus (store_id, category_id, display_order, id);
create trigger menus_touch before update on menus for each row execute function touch_updated_at();

commit;
