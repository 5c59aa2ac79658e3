-- name: order_one(bigint id)
select * from order_lines where store_id = current_store_id() and id = $1 order by item_id;

-- name: order_delete(bigint id)
with items as (
	delete from order_items where store_id = current_store_id() and order_id = $1
)
delete from orders where store_id = current_store_id() and id = $1;
