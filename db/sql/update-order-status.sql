-- name: order_one(bigint id)
select * from order_lines where store_id = current_store_id() and id = $1 order by item_id;

-- name: status_set(bigint id, text status, timestamptz at)
update orders set status = $2, status_changed_at = $3, version = version + 1
where store_id = current_store_id() and id = $1;
