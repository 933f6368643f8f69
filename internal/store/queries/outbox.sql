-- name: OutboxAdd :batchexec
INSERT INTO outbox (destination, shard, target, key, event_id, event_type, subject, payload, traceparent, tracestate, created_at)
VALUES (@destination, @shard, @target, @key, @event_id, @event_type, @subject, @payload, @traceparent, @tracestate, @created_at);

-- name: OutboxNotify :exec
-- Wakes the relays when the transaction commits.
SELECT pg_notify('outbox', @destination::text);

-- name: OutboxHead :many
SELECT * FROM outbox WHERE destination = @destination AND shard = @shard ORDER BY id LIMIT @max_rows;

-- name: OutboxDelete :exec
DELETE FROM outbox WHERE id = ANY(@ids::bigint[]);

-- name: OutboxDepth :many
SELECT destination, count(*) AS rows, min(created_at)::timestamptz AS oldest FROM outbox GROUP BY destination;
